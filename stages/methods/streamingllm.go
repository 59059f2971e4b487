package methods

import (
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// StreamingLLM keeps the first init and the last local tokens of the first prompt. Later tokens are appended and never evicted.
// Positions go on counting dropped tokens; with positions=cache the kept ones are numbered anew, their keys turned accordingly,
// and later tokens go on from there, as in the original paper.
var StreamingLLM = engine.Method{
	Name:    "streamingllm",
	Paper:   "Xiao et al. 2023, arXiv:2309.17453",
	Doc:     "Keeps attention sinks and the latest tokens of the prompt, drops the middle.",
	Stage:   engine.Compression,
	Differs: "Same as the reference with the default (the benchmark's one-shot variant, not the rolling cache of the original paper). Differs from the original with positions=cache: it keeps a rolling cache, which evicts at every step.",
	Cost:    engine.CostClass{Prefill: "n² / 2", Decode: "init+local", Memory: "init+local", Decided: "static", Aware: "no"},
	Params: []engine.Param{
		{Name: "init", Default: "128", Doc: "tokens kept at the start"},
		{Name: "local", Default: "3968", Doc: "tokens kept at the end"},
		{Name: "positions", Default: "original", Doc: "positions of the tokens kept: original, or cache, numbered anew"},
	},
	New: func(s engine.Shape, a engine.Args) (engine.Policy, error) {
		sinks, local := a.Int("init", 0), a.Int("local", 1)
		renumber := a.Choice("positions", "original", "cache") == "cache"
		return engine.Policy{
			Compress: func(_ int, l *kv.Layer, _ kv.Window) kv.Edit {
				e := keepEnds(l, sinks, local)
				if renumber && e.Keep != nil {
					renumbered(&e, s, l.Slots(0))
				}
				return e
			},
			Budget: func(n int) int { return min(n, sinks+local) },
		}, nil
	},
}

// renumbered makes an edit of a prompt of n tokens number what it keeps anew.
func renumbered(e *kv.Edit, s engine.Shape, n int) {
	e.Renumber = true
	if s.Rotate != nil {
		e.Rotate = func(k []float32, from, to int32) { s.Rotate(k, []int32{from}, []int32{to}, n) }
	}
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
