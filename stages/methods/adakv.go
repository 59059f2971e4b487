package methods

import (
	"math"
	"slices"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// AdaKV is SnapKV whose heads share a layer's budget by where the attention is: a head with many tokens of high scores keeps
// more.
var AdaKV = engine.Method{
	Name:    "adakv",
	Paper:   "Feng et al. 2024, arXiv:2407.11550",
	Doc:     "SnapKV whose heads share their layer's budget by their scores.",
	Stage:   engine.Compression,
	Differs: "Same as the reference with rule=counted: each head's share is the number of its tokens among the best of all heads, rounded, so that a layer may keep a few tokens more or less than its budget; but there is one choice of tokens per KV head, as in SnapKV here. With rule=guarded the same as kvpress: each head's best floor share is safe, and the best of all heads fill the rest.",
	Cost:    engine.CostClass{Prefill: "n² / 2 + window·n", Decode: "budget, in the mean over heads", Memory: "budget, in the mean over heads", Decided: "at the end of prefill", Aware: "last queries"},
	Params: []engine.Param{
		{Name: "budget", Default: "4096", Doc: "tokens kept per head in the mean over a layer's heads, window included; a number or a share of the prompt"},
		{Name: "window", Default: "32", Doc: "last queries that are observed"},
		{Name: "kernel", Default: "7", Doc: "odd width of the pooling over neighbouring tokens"},
		{Name: "pool", Default: "max", Doc: "pooling of scores: avg or max"},
		{Name: "floor", Default: "0.2", Doc: "share of its even budget that a head has in any case"},
		{Name: "rule", Default: "counted", Doc: "how heads share: counted, with rounding, or guarded, exactly"},
		{Name: "normalize", Default: "on", Doc: "whether counting weighs heads by how concentrated their scores are: on or off"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		o := readObserved(a)
		floor, guard, normalize := a.Number("floor", 0, 1), a.Choice("rule", "counted", "guarded") == "guarded", a.Choice("normalize", "on", "off") == "on"
		return engine.Policy{
			Window: o.window,
			Compress: func(_ int, l *kv.Layer, w kv.Window) kv.Edit {
				w = w.Last(o.window)
				n := l.Slots(0)
				capacity := o.capacity(n, w.Rows)
				if n <= capacity {
					return kv.Edit{}
				}
				scores := make([][]float32, l.Heads())
				for h := range scores {
					scores[h] = o.scores(l, w, h)
				}
				if guard {
					return kv.Edit{Keep: guardedKeep(scores, n, capacity, floor)}
				}
				e := kv.Edit{Keep: make([][]int32, l.Heads())}
				for h, k := range adaptiveBudgets(scores, capacity-w.Rows, floor, normalize) {
					e.Keep[h] = withLast(kernels.TopK(nil, scores[h], k), n, w.Rows)
				}
				return e
			},
			Budget: func(n int) int { return min(n, o.capacity(n, min(o.window, n))) },
		}, nil
	},
}

// adaptiveBudgets is how many tokens before the window each head keeps, about mean in the mean.
func adaptiveBudgets(scores [][]float32, mean int, floor float64, normalize bool) []int {
	weighed := scores
	if normalize {
		weighed = make([][]float32, len(scores))
		for h, list := range scores {
			var top, all float32
			for _, i := range kernels.TopK(nil, list, mean) {
				top += list[i]
			}
			for _, s := range list {
				all += s
			}
			weighed[h] = slices.Clone(list)
			for i := range list {
				weighed[h][i] *= top / all
			}
		}
	}
	out := make([]int, len(scores))
	for h, chosen := range best(weighed, mean*len(scores)) {
		share := float64(len(chosen))*(1-floor) + float64(int(float64(mean)*floor))
		out[h] = min(int(math.RoundToEven(share)), len(scores[h]))
	}
	return out
}

// guardedKeep chooses capacity tokens a head in the mean of n: the window, the safe share of each head, and the best of all heads.
func guardedKeep(scores [][]float32, n, capacity int, floor float64) [][]int32 {
	whole := make([][]float32, len(scores))
	for h, list := range scores {
		whole[h] = append(slices.Clone(list), make([]float32, n-len(list))...)
		for i := len(list); i < n; i++ {
			whole[h][i] = float32(math.Inf(1))
		}
	}
	return best(guarded(whole, int(floor*float64(capacity))), capacity*len(scores))
}
