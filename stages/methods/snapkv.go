package methods

import (
	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// SnapKV keeps the tokens that the last window queries of the prompt attend to most, and the window itself.
var SnapKV = engine.Method{
	Name:    "snapkv",
	Paper:   "Li et al. 2024, arXiv:2404.14469",
	Doc:     "Keeps the prompt's tokens that its last queries attend to most.",
	Stage:   engine.Compression,
	Differs: "Differs from the reference: one choice of tokens per KV head, by the mean score of its query heads (as in kvpress and KVCache-Factory; pooled after the mean, as in the latter), where the reference first repeats the cache for every query head and so stores Heads/KVHeads times as much.",
	Cost:    engine.CostClass{Prefill: "n² / 2 + window·n", Decode: "budget", Memory: "budget", Decided: "at the end of prefill", Aware: "last queries"},
	Params: []engine.Param{
		{Name: "budget", Default: "4096", Doc: "tokens kept per head, window included; a number or a share of the prompt"},
		{Name: "window", Default: "32", Doc: "last queries that are observed"},
		{Name: "kernel", Default: "5", Doc: "odd width of the pooling over neighbouring tokens"},
		{Name: "pool", Default: "avg", Doc: "pooling of scores: avg or max"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		o := readObserved(a)
		return engine.Policy{
			Window: o.window,
			Compress: func(_ int, l *kv.Layer, w kv.Window) kv.Edit {
				w = w.Last(o.window)
				n := l.Slots(0)
				capacity := o.capacity(n, w.Rows)
				if n < capacity {
					return kv.Edit{}
				}
				return o.keep(l, w, capacity-w.Rows)
			},
			Budget: func(n int) int { return min(n, o.capacity(n, min(o.window, n))) },
		}, nil
	},
}

// observed is the settings of methods that choose by the attention of the prompt's last queries.
type observed struct {
	budget        engine.Amount
	window, width int
	pool          string
}

// readObserved reads the settings budget, window, kernel and pool.
func readObserved(a engine.Args) observed {
	o := observed{budget: a.Amount("budget"), window: a.Int("window", 1), width: a.Int("kernel", 1), pool: a.Choice("pool", "avg", "max")}
	if o.width%2 == 0 {
		a.Fail("kernel", "an odd number")
	}
	if o.budget.Tokens > 0 && o.budget.Tokens <= o.window {
		a.Fail("budget", "more tokens than the window, which it includes")
	}
	return o
}

// capacity is the number of tokens that stay of n: the budget, but at least one beside the window.
func (o observed) capacity(n, window int) int { return max(o.budget.Of(n), window+1) }

// keep chooses, per KV head, the k tokens before the window with the highest scores, and the window.
func (o observed) keep(l *kv.Layer, w kv.Window, k int) kv.Edit {
	e := kv.Edit{Keep: make([][]int32, l.Heads())}
	for h := range e.Keep {
		e.Keep[h] = withLast(kernels.TopK(nil, o.scores(l, w, h), k), l.Slots(h), w.Rows)
	}
	return e
}

// withLast adds the last rows of n slots to those kept before them.
func withLast(keep []int32, n, rows int) []int32 {
	for s := n - rows; s < n; s++ {
		keep = append(keep, int32(s))
	}
	return keep
}

// scores is the pooled attention from the window on each token before it, the mean over the query heads of KV head h.
func (o observed) scores(l *kv.Layer, w kv.Window, h int) []float32 {
	group := len(w.Queries) / (w.Rows * l.Dim()) / l.Heads()
	mean := make([]float32, l.Slots(h)-w.Rows)
	for j := range group {
		for i, s := range windowMass(l, w, h, h*group+j) {
			mean[i] += s / float32(group)
		}
	}
	return pooled(mean, o.width, o.pool)
}

// windowMass is the attention of the window's rows of query head q on each token of KV head h before the window, summed
// over the rows.
func windowMass(l *kv.Layer, w kv.Window, h, q int) []float32 {
	n, d := l.Slots(h), l.Dim()
	heads := len(w.Queries) / (w.Rows * d)
	queries, p := make([][]float32, w.Rows), make([][]float32, w.Rows)
	room := make([]float32, w.Rows*n)
	for r := range queries {
		at := (r*heads + q) * d
		queries[r], p[r] = w.Queries[at:at+d], room[r*n:(r+1)*n]
	}
	products(p, l, h, queries, kv.Run{Lo: 0, Hi: int32(n)})
	sum := make([]float32, n-w.Rows)
	for r, row := range p {
		kernels.Softmax(row[:n-w.Rows+r+1])
		kernels.Add(sum, row[:len(sum)])
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
