package methods

import "scbench/stages/engine"

// Full is dense causal attention over the whole cache: what every method is compared with.
var Full = engine.Method{
	Name:    "full",
	Paper:   "Vaswani et al. 2017, arXiv:1706.03762",
	Doc:     "Dense causal attention over all tokens; nothing is dropped or skipped.",
	Stage:   engine.Baseline,
	Differs: "Same as the reference.",
	Cost:    engine.CostClass{Prefill: "n² / 2", Decode: "all n tokens", Memory: "all n tokens", Decided: "static", Aware: "no"},
	New: func(engine.Shape, engine.Args) (engine.Policy, error) {
		return engine.Policy{}, nil
	},
}
