package methods

import (
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// AShape is prefill with attention sinks and a local window: a query reads the first init keys and the last local ones, its own
// counted. The cache keeps everything, and later rows read all of it.
var AShape = engine.Method{
	Name:    "ashape",
	Paper:   "Xiao et al. 2023, arXiv:2309.17453; as sparse prefill in MInference, arXiv:2407.02490",
	Doc:     "Sparse prefill: attention sinks and a local window; the cache stays whole.",
	Stage:   engine.Generation,
	Differs: "Same as the reference.",
	Cost:    engine.CostClass{Prefill: "n·(init+local)", Decode: "all n tokens", Memory: "all n tokens", Decided: "static", Aware: "no"},
	Params: []engine.Param{
		{Name: "init", Default: "128", Doc: "tokens at the start that all rows read"},
		{Name: "local", Default: "3968", Doc: "latest tokens that a row reads, its own counted"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		sinks, local := int32(a.Int("init", 0)), int32(a.Int("local", 1))
		plan := engine.Plan{Heads: []engine.Pattern{aShape(sinks, local)}}
		return engine.Policy{
			Generate: func(int, engine.Tile) engine.Plan { return plan },
			Budget:   func(n int) int { return min(n, int(sinks)+int(local)) },
		}, nil
	},
}

// aShape is the pattern of sinks and window, row by row.
func aShape(sinks, local int32) engine.Pattern {
	return func(dst []kv.Span, _, _ int32) []kv.Span {
		return append(dst, kv.Column(0, sinks), kv.Band(0, local))
	}
}
