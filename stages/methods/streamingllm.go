package methods

import (
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// StreamingLLM keeps the first init and the last local tokens of the first prompt. Later tokens are appended and never
// evicted, and positions go on counting dropped tokens.
// Same as the reference (the benchmark's one-shot variant, not the rolling cache of the original paper).
var StreamingLLM = engine.Method{
	Name:  "streamingllm",
	Paper: "Xiao et al. 2023, arXiv:2309.17453",
	Doc:   "Keeps attention sinks and the latest tokens of the prompt, drops the middle.",
	Stage: engine.Compression,
	Params: []engine.Param{
		{Name: "init", Default: "128", Doc: "tokens kept at the start"},
		{Name: "local", Default: "3968", Doc: "tokens kept at the end"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		sinks, local := a.Int("init", 0), a.Int("local", 1)
		return engine.Policy{
			Compress: func(_ int, l *kv.Layer, _ kv.Window) kv.Edit { return keepEnds(l, sinks, local) },
			Budget:   func(n int) int { return min(n, sinks+local) },
		}, nil
	},
}

// keepEnds keeps the first sinks and the last local slots of every head; all, if there are no more.
func keepEnds(l *kv.Layer, sinks, local int) kv.Edit {
	e := kv.Edit{Keep: make([][]int32, l.Heads())}
	for h := range e.Keep {
		n := l.Slots(h)
		if n <= sinks+local {
			return kv.Edit{}
		}
		keep := make([]int32, 0, sinks+local)
		for s := range sinks {
			keep = append(keep, int32(s))
		}
		for s := n - local; s < n; s++ {
			keep = append(keep, int32(s))
		}
		e.Keep[h] = keep
	}
	return e
}
