package methods

import (
	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// TOVA keeps the tokens that the prompt's last query attends to most, the mean over all heads of a layer; all heads keep the same
// ones.
var TOVA = engine.Method{
	Name:    "tova",
	Paper:   "Oren et al. 2024, arXiv:2401.06104",
	Doc:     "Keeps the prompt's tokens that its last query attends to most, the same in all heads of a layer.",
	Stage:   engine.Compression,
	Differs: "Same as the reference, kvpress: it chooses once, at the end of the first prompt, and keeps the last token in any case. The original goes on evicting at every step.",
	Cost:    engine.CostClass{Prefill: "n² / 2 + n", Decode: "budget", Memory: "budget", Decided: "at the end of prefill", Aware: "last query"},
	Params: []engine.Param{
		{Name: "budget", Default: "4096", Doc: "tokens kept per head, the last one included; a number or a share of the prompt"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		budget := a.Amount("budget")
		return engine.Policy{
			Window: 1,
			Compress: func(_ int, l *kv.Layer, w kv.Window) kv.Edit {
				n := l.Slots(0)
				capacity := budget.Of(n)
				if n <= capacity {
					return kv.Edit{}
				}
				keep := append(kernels.TopK(nil, lastAttention(l, w.Last(1)), capacity-1), int32(n-1))
				e := kv.Edit{Keep: make([][]int32, l.Heads())}
				for h := range e.Keep {
					e.Keep[h] = keep
				}
				return e
			},
			Budget: func(n int) int { return min(n, budget.Of(n)) },
		}, nil
	},
}

// lastAttention is what the last query pays to each token before it, the mean over all query heads.
func lastAttention(l *kv.Layer, w kv.Window) []float32 {
	heads := len(w.Queries) / l.Dim()
	group := heads / l.Heads()
	mean := make([]float32, l.Slots(0)-1)
	for q := range heads {
		for i, p := range windowMass(l, w, q/group, q) {
			mean[i] += p / float32(heads)
		}
	}
	return mean
}
