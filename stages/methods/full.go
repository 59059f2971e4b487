package methods

import "scbench/stages/engine"

// Full is dense causal attention over the whole cache: what every method is compared with.
// Same as the reference.
var Full = engine.Method{
	Name:  "full",
	Paper: "Vaswani et al. 2017, arXiv:1706.03762",
	Doc:   "Dense causal attention over all tokens; nothing is dropped or skipped.",
	Stage: engine.Baseline,
	New: func(engine.Shape, engine.Args) (engine.Policy, error) {
		return engine.Policy{}, nil
	},
}
