package methods

import (
	"cmp"
	"math"
	"slices"

	"scbench/kernels"
	"scbench/stages/engine"
)

// XAttention scores each pair of blocks by the sum of its antidiagonals, stride tokens apart, and reads for each block of rows
// the fewest blocks of keys that hold a share threshold of the row's scores.
var XAttention = engine.Method{
	Name:    "xattention",
	Paper:   "Xu et al. 2025, arXiv:2503.16428",
	Doc:     "Sparse prefill: the blocks whose antidiagonal sums hold most of a row's attention; the cache stays whole.",
	Stage:   engine.Generation,
	Differs: "Differs from the reference: a prompt that fills its chunks exactly keeps all its keys (the reference's path without Triton then masks what precedes a chunk); threshold=1 is dense attention without an estimate; one threshold for all heads.",
	Cost:    engine.CostClass{Prefill: "kept blocks + n²/(2·stride) to estimate", Decode: "all n tokens", Memory: "all n tokens", Decided: "at prefill", Aware: "every block of queries"},
	Params: []engine.Param{
		{Name: "stride", Default: "8", Doc: "tokens between the antidiagonals that are summed; divides block"},
		{Name: "threshold", Default: "0.9", Doc: "share of a row's scores that its blocks hold"},
		{Name: "block", Default: "128", Doc: "tokens of a block; divides chunk"},
		{Name: "chunk", Default: "2048", Doc: "first rows of the prompt to which the first block is not forced, as it is to later ones"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		x := xAttention{stride: a.Int("stride", 1), threshold: a.Number("threshold", 0, 1), block: a.Int("block", 1), chunk: a.Int("chunk", 1)}
		if x.block%x.stride != 0 {
			a.Fail("stride", "a divisor of block")
		}
		if x.chunk%x.block != 0 {
			a.Fail("chunk", "a multiple of block")
		}
		return engine.Policy{
			Generate:    func(_ int, t engine.Tile) engine.Plan { return x.plan(t) },
			WholePrompt: true,
		}, nil
	},
}

type xAttention struct {
	stride       int
	threshold    float64
	block, chunk int
}

// plan chooses the blocks of all heads, some blocks of rows at a time.
func (x xAttention) plan(t engine.Tile) engine.Plan {
	if x.threshold >= 1 {
		return engine.Plan{}
	}
	plan := engine.Plan{Cuts: cuts(t.Hi, x.block), Heads: make([]engine.Pattern, t.Heads)}
	masks := make([]*blockMask, t.Heads)
	for h := range masks {
		masks[h] = newBlockMask(t.Hi, x.block)
		plan.Heads[h] = masks[h].pattern
	}
	x.scores(t, func(h, r int, scores []float32) {
		for _, c := range x.choose(scores[:r+1], r, r*x.block >= x.chunk) {
			masks[h].set(r, int(c))
		}
	})
	return plan
}

// scores calls f with the scores of every block of rows r of every head h; different heads side by side, the rows of a head in
// order. Scores are of the blocks up to the rows' own.
func (x xAttention) scores(t engine.Tile, f func(h, r int, scores []float32)) {
	step := max(1, passRows/x.block) * x.block
	for lo := 0; lo < t.Hi; lo += step {
		hi := min(lo+step, t.Hi)
		q := t.Queries(lo, hi)
		t.Pool.Run(t.Heads, func(h int) {
			p := x.antidiagonals(t, q, lo, hi, h)
			for r := lo / x.block; r*x.block < hi; r++ {
				scores := make([]float32, r+1)
				first := (r*x.block - lo) / x.stride
				for _, row := range p[first:min(first+x.block/x.stride, len(p))] {
					for u, v := range row {
						scores[u*x.stride/x.block] += v
					}
				}
				f(h, r, scores)
			}
		})
	}
}

// antidiagonals is attention on the grid of groups of stride tokens, of the groups of rows [lo, hi) on all groups up to their own: the
// softmax of the mean product along each tile's antidiagonal. The last group is filled with zeros. q is [hi-lo, Heads, Dim].
func (x xAttention) antidiagonals(t engine.Tile, q []float32, lo, hi, h int) [][]float32 {
	d, head := t.Dim, h/(t.Heads/t.KVHeads)
	width := x.stride * d
	first, last := lo/x.stride, blocksOf(hi, x.stride)
	queries := make([]float32, (last-first)*width)
	p := make([][]float32, last-first)
	for g := range p {
		p[g] = make([]float32, first+g+1)
		for i := range x.stride { // backwards, so that equal places of a query and a key group lie on the antidiagonal
			if row := (first+g+1)*x.stride - 1 - i; row < hi {
				copy(queries[g*width+i*d:], query(t, q, row-lo, h))
			}
		}
	}
	at := max(1, 4*kernels.PageTokens/x.stride) // key groups at a time, which meet all queries in the processor's cache
	keys := make([]float32, at*width)
	scale := float32(1 / math.Sqrt(float64(d)) / float64(x.stride))
	for from := 0; from < last; from += at {
		to := min(from+at, last)
		clear(keys)
		for s := from * x.stride; s < min(to*x.stride, t.Hi); s++ {
			t.Layer.Key(keys[(s-from*x.stride)*d:][:d], head, s)
		}
		for g := range p {
			if end := min(to, len(p[g])); from < end {
				kernels.KeyScores(p[g][from:end], queries[g*width:(g+1)*width], keys, scale)
			}
		}
	}
	for g := range p {
		kernels.Softmax(p[g])
	}
	return p
}

// choose returns, in no order, the blocks that a block of rows reads, by its scores: its own; the first; and the largest others, until
// together with those that are forced they hold the threshold. Only its own is forced, unless sink says that the first is, too;
// the reference's sum then lags one block behind, and so takes one more.
func (x xAttention) choose(scores []float32, own int, sink bool) []int32 {
	keep := []int32{int32(own)}
	if own != 0 {
		keep = append(keep, 0)
	}
	sum := float64(scores[own])
	lag := 1
	if sink && own != 0 {
		sum += float64(scores[0])
		lag = 0
	}
	var total float64
	var others []int32
	for c, s := range scores {
		total += float64(s)
		if c != own && (c != 0 || lag > 0) {
			others = append(others, int32(c))
		}
	}
	slices.SortStableFunc(others, func(a, b int32) int { return cmp.Compare(scores[b], scores[a]) })
	for i, c := range others {
		if i > lag {
			sum += float64(scores[others[i-1-lag]])
		}
		if i >= lag && sum >= x.threshold*total {
			break
		}
		if c != 0 {
			keep = append(keep, c)
		}
	}
	return keep
}
