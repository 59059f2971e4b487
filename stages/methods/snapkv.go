package methods

import (
	"math"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// SnapKV keeps the tokens that the last window queries of the prompt attend to most, and the window itself.
// Differs from the reference: one choice of tokens per KV head, by the mean score of its query heads (as in
// kvpress and KVCache-Factory; pooled after the mean, as in the latter), where the reference first repeats the cache for every query head and so stores
// Heads/KVHeads times as much.
var SnapKV = engine.Method{
	Name:  "snapkv",
	Paper: "Li et al. 2024, arXiv:2404.14469",
	Doc:   "Keeps the prompt's tokens that its last queries attend to most.",
	Stage: engine.Compression,
	Params: []engine.Param{
		{Name: "budget", Default: "4096", Doc: "tokens kept per head, window included; a number or a share of the prompt"},
		{Name: "window", Default: "32", Doc: "last queries that are observed"},
		{Name: "kernel", Default: "5", Doc: "odd width of the pooling over neighbouring tokens"},
		{Name: "pool", Default: "avg", Doc: "pooling of scores: avg or max"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		budget, window, width := a.Amount("budget"), a.Int("window", 1), a.Int("kernel", 1)
		pool := a.Choice("pool", "avg", "max")
		if width%2 == 0 {
			a.Fail("kernel", "an odd number")
		}
		if budget.Tokens > 0 && budget.Tokens <= window {
			a.Fail("budget", "more tokens than the window, which it includes")
		}
		return engine.Policy{
			Window:   window,
			Compress: func(_ int, l *kv.Layer, w kv.Window) kv.Edit { return snap(l, w.Last(window), budget, width, pool) },
			Budget:   func(n int) int { return min(n, snapCapacity(budget, n, min(window, n))) },
		}, nil
	},
}

// snap chooses, per KV head, the budget tokens with the highest pooled attention from the window.
func snap(l *kv.Layer, w kv.Window, budget engine.Amount, width int, pool string) kv.Edit {
	e := kv.Edit{Keep: make([][]int32, l.Heads())}
	heads := len(w.Queries) / (w.Rows * l.Dim())
	group := heads / l.Heads()
	for h := range e.Keep {
		n := l.Slots(h)
		capacity := snapCapacity(budget, n, w.Rows)
		if n < capacity {
			return kv.Edit{}
		}
		mean := make([]float32, n-w.Rows)
		for j := range group {
			for i, s := range windowMass(l, w, h, h*group+j) {
				mean[i] += s / float32(group)
			}
		}
		keep := kernels.TopK(nil, pooled(mean, width, pool), capacity-w.Rows)
		for s := n - w.Rows; s < n; s++ {
			keep = append(keep, int32(s))
		}
		e.Keep[h] = keep
	}
	return e
}

// snapCapacity is the number of tokens that stay of n: the budget, but at least one beside the window.
func snapCapacity(budget engine.Amount, n, window int) int { return max(budget.Of(n), window+1) }

// windowMass is the attention of the window's rows of query head q on each token of KV head h before the window, summed
// over the rows.
func windowMass(l *kv.Layer, w kv.Window, h, q int) []float32 {
	n, d := l.Slots(h), l.Dim()
	heads := len(w.Queries) / (w.Rows * d)
	scale := float32(1 / math.Sqrt(float64(d)))
	sum, p := make([]float32, n-w.Rows), make([]float32, n)
	for r := range w.Rows {
		seen := n - w.Rows + r + 1
		at := (r*heads + q) * d
		l.Scores(p[:seen], h, w.Queries[at:at+d], scale)
		kernels.Softmax(p[:seen])
		for j := range sum {
			sum[j] += p[j]
		}
	}
	return sum
}

// pooled spreads scores over width neighbours.
func pooled(x []float32, width int, pool string) []float32 {
	if pool == "max" {
		return maxPool(x, width)
	}
	return avgPool(x, width)
}

// avgPool is the mean over width neighbours, those beyond the ends counted as zero.
func avgPool(x []float32, width int) []float32 {
	out := make([]float32, len(x))
	for i := range x {
		var sum float32
		for j := max(0, i-width/2); j < min(len(x), i+width/2+1); j++ {
			sum += x[j]
		}
		out[i] = sum / float32(width)
	}
	return out
}

// maxPool is the largest of width neighbours.
func maxPool(x []float32, width int) []float32 {
	out := make([]float32, len(x))
	for i := range x {
		top := x[i]
		for j := max(0, i-width/2); j < min(len(x), i+width/2+1); j++ {
			top = max(top, x[j])
		}
		out[i] = top
	}
	return out
}
