package methods

import (
	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// ThinK drops channels of keys rather than tokens: per KV head those in which the last queries and the keys together are
// smallest, from all keys but the latest. What a dropped channel said is lost to all queries.
var ThinK = engine.Method{
	Name:    "think",
	Paper:   "Xu et al. 2024, arXiv:2407.21018",
	Doc:     "Sets the least important channels of keys to zero, chosen by the prompt's last queries; all tokens stay.",
	Stage:   engine.Compression,
	Differs: "Differs from the reference: dropped channels are stored as zeros, as in kvpress, so that the answers are the method's but the cache takes as much memory as before; the reference stores keys of fewer numbers. With recent=0 it is kvpress.",
	Cost:    engine.CostClass{Prefill: "n² / 2", Decode: "all n tokens", Memory: "all n tokens", Decided: "at the end of prefill", Aware: "last queries"},
	Params: []engine.Param{
		{Name: "ratio", Default: "0.4", Doc: "share of a key's channels that are dropped, rounded down to whole channels"},
		{Name: "window", Default: "32", Doc: "last queries that are observed"},
		{Name: "recent", Default: "128", Doc: "latest tokens of the prompt whose keys stay whole"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		ratio, window, recent := a.Number("ratio", 0, 1), a.Int("window", 1), a.Int("recent", 0)
		return engine.Policy{
			Window: window,
			Compress: func(_ int, l *kv.Layer, w kv.Window) kv.Edit {
				drop := int(ratio * float64(l.Dim()))
				if drop == 0 || l.Slots(0) <= recent {
					return kv.Edit{}
				}
				dropped := make([][]bool, l.Heads())
				for h := range dropped {
					dropped[h] = lowest(channelScores(l, w.Last(window), h), drop)
				}
				return kv.Edit{Alter: func(k []float32, h, s int) {
					for c := range k {
						if dropped[h][c] && s < l.Slots(h)-recent {
							k[c] = 0
						}
					}
				}}
			},
		}, nil
	},
}

// channelScores is, per channel of KV head h, the mean square of the window's queries, over all query heads of the group, times that of the keys.
func channelScores(l *kv.Layer, w kv.Window, h int) []float32 {
	d, n := l.Dim(), l.Slots(h)
	queries, keys := make([]float64, d), make([]float64, d)
	addSquares := func(sum []float64, x []float32) {
		for c, v := range x {
			sum[c] += float64(v) * float64(v)
		}
	}
	g := groupOf(l, w.Queries, w.Rows, h)
	for r := range w.Rows {
		for m := range g.group {
			addSquares(queries, g.row(r, m))
		}
	}
	k := make([]float32, d)
	for s := range n {
		l.Key(k, h, s)
		addSquares(keys, k)
	}
	scores := make([]float32, d)
	for c := range scores {
		scores[c] = float32(queries[c] / float64(w.Rows*g.group) * keys[c] / float64(n))
	}
	return scores
}

// lowest marks the count lowest scores; of equal ones, the later.
func lowest(scores []float32, count int) []bool {
	marked := make([]bool, len(scores))
	for i := range marked {
		marked[i] = true
	}
	for _, i := range kernels.TopK(nil, scores, len(scores)-count) {
		marked[i] = false
	}
	return marked
}
