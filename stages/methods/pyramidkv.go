package methods

import (
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// PyramidKV is SnapKV with more tokens in the lower layers and fewer in the upper ones, as many in the mean.
var PyramidKV = engine.Method{
	Name:    "pyramidkv",
	Paper:   "Cai et al. 2024, arXiv:2406.02069",
	Doc:     "SnapKV with larger budgets in lower layers and smaller ones in upper layers.",
	Stage:   engine.Compression,
	Differs: "Differs from the reference: one choice of tokens per KV head, as in SnapKV here; layers that have no attention do not count.",
	Cost:    engine.CostClass{Prefill: "n² / 2 + window·n", Decode: "budget, in the mean over layers", Memory: "budget, in the mean over layers", Decided: "at the end of prefill", Aware: "last queries"},
	Params: []engine.Param{
		{Name: "budget", Default: "4096", Doc: "tokens kept per head in the mean over the layers, window included; a number or a share of the prompt"},
		{Name: "window", Default: "32", Doc: "last queries that are observed"},
		{Name: "kernel", Default: "5", Doc: "odd width of the pooling over neighbouring tokens"},
		{Name: "pool", Default: "avg", Doc: "pooling of scores: avg or max"},
		{Name: "beta", Default: "20", Doc: "by how much less than the mean the top layer keeps: one part in beta"},
	},
	New: func(s engine.Shape, a engine.Args) (engine.Policy, error) {
		o := readObserved(a)
		beta := a.Int("beta", 1)
		return engine.Policy{
			Window: o.window,
			Compress: func(layer int, l *kv.Layer, w kv.Window) kv.Edit {
				w = w.Last(o.window)
				n := l.Slots(0)
				capacity := o.capacity(n, w.Rows)
				if n < capacity {
					return kv.Edit{}
				}
				return o.keep(l, w, pyramidKept(capacity-w.Rows, n, w.Rows, beta, s.Layers, layer))
			},
			Budget: func(n int) int { return min(n, o.capacity(n, min(o.window, n))) },
		}, nil
	},
}

// pyramidKept is the number of tokens before the window that a layer keeps of a prompt of n tokens, mean being the mean over the layers.
// Prompts that are short for the budget get it in every layer.
func pyramidKept(mean, n, window, beta, layers, layer int) int {
	if n < 2*mean {
		return mean
	}
	least := mean / beta
	most := 2*mean - least
	if most >= n-window {
		most = n - window
		least = 2*mean - most
	}
	step := 0
	if layers > 1 {
		step = (most - least) / (layers - 1)
	}
	return most - layer*step
}
