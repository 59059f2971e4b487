package methods

import (
	"scbench/stages/engine"
)

// TriangleMix leaves the lower layers dense, or gives them MInference's patterns, and gives the upper ones Tri-shape: there, what
// lies between sinks and window serves the prediction of prompt tokens only.
var TriangleMix = engine.Method{
	Name:    "trianglemix",
	Paper:   "He et al. 2025, arXiv:2507.21526",
	Doc:     "Sparse prefill: lower layers dense (or MInference), upper layers Tri-shape; the cache stays whole.",
	Stage:   engine.Generation,
	Differs: "Differs from the reference: the first Tri-shape layer may be given as a share of the model's layers, and by default is half of them (16 of the 32 of the models that the paper measures).",
	Cost:    engine.CostClass{Prefill: "n² / 2 in lower layers, Tri-shape's in upper ones", Decode: "all n tokens", Memory: "all n tokens", Decided: "static, per layer", Aware: "last rows are dense"},
	Params: append([]engine.Param{
		{Name: "init", Default: "8", Doc: "tokens at the start that all rows of upper layers read"},
		{Name: "local", Default: "512", Doc: "latest tokens that a row of an upper layer reads, its own counted"},
		{Name: "last", Default: "128", Doc: "rows at the end of the prompt that read everything"},
		{Name: "start", Default: "1/2", Doc: "layers below the first with Tri-shape; a number or a share of all"},
		{Name: "lower", Default: "dense", Doc: "what lower layers do: dense or minference, whose settings follow"},
	}, minferenceParams...),
	New: func(s engine.Shape, a engine.Args) (engine.Policy, error) {
		upper := triangle{sinks: int32(a.Int("init", 0)), local: int32(a.Int("local", 1)), last: int32(a.Int("last", 0))}
		start := a.Amount("start").Of(s.Layers)
		sparse := a.Choice("lower", "dense", "minference") == "minference"
		lower, err := newMInference(s, a)
		if err != nil {
			return engine.Policy{}, err
		}
		return engine.Policy{
			Generate: func(layer int, t engine.Tile) engine.Plan {
				switch {
				case layer >= start:
					return upper.plan(t.Hi)
				case sparse:
					return lower.plan(layer, t)
				}
				return engine.Plan{}
			},
			WholePrompt: true,
			Budget: func(n int) int {
				if start < s.Layers {
					return upper.budget(n)
				}
				return n
			},
		}, nil
	},
}
