package methods

import (
	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// Quest keeps the whole cache and reads, for each query, the pages that can hold its largest products: a page's channel-wise
// minimum and maximum bound them from above.
var Quest = engine.Method{
	Name:    "quest",
	Paper:   "Tang et al. 2024, arXiv:2406.10774",
	Doc:     "Keeps all tokens; each query reads only the pages with the highest upper bounds.",
	Stage:   engine.Loading,
	Differs: "Differs from the reference: a row always reads the page of its own token, which the reference leaves to the scores (last=scored), and the rows of a follow-up prompt choose their pages one by one (the reference adds the signs of all rows, and its bound no longer holds; signs=chunk).",
	Cost:    engine.CostClass{Prefill: "n² / 2", Decode: "budget + 2·n/page bounds", Memory: "n + 2·n/page bounds", Decided: "at each step", Aware: "every query"},
	Params: []engine.Param{
		{Name: "budget", Default: "1024", Doc: "tokens that a query reads; a number or a share of the context"},
		{Name: "page", Default: "16", Doc: "tokens of a page; a divisor of 64"},
		{Name: "signs", Default: "row", Doc: "signs that decide between a page's minima and maxima: those of the row, or their sum over the chunk, as in the reference"},
		{Name: "last", Default: "kept", Doc: "the page of a row's own token: kept, or scored like others"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		budget, page := a.Amount("budget"), a.Int("page", 1)
		if kernels.PageTokens%page != 0 {
			a.Fail("page", "a divisor of 64")
			page = 1
		}
		choose := questPages
		if a.Choice("last", "kept", "scored") == "scored" {
			choose = questScored
		}
		together := a.Choice("signs", "row", "chunk") == "chunk"
		return engine.Policy{
			Together: together,
			Index:    func(int, *kv.Layer, kv.Window) kv.Index { return kv.NewBounds(page) },
			Load: func(_ int, l *kv.Layer, q engine.Query, dst [][]kv.Span) (examined int64) {
				for m := range dst {
					for _, p := range choose(l, q, m, budget.Of(q.Slots), page) {
						dst[m] = append(dst[m], kv.Column(p*int32(page), (p+1)*int32(page)))
					}
				}
				return int64((q.Slots+page-1)/page) * int64(l.Dim()) * 2 * 4 // two f32 vectors a page
			},
			Budget: func(n int) int { return min(n, max(budget.Of(n), 3*page)) },
		}, nil
	},
}

// questPages chooses the pages that a member of the group reads: that of the row's own token and, as far as the budget goes, at
// least two, those of the others with the highest bounds.
func questPages(l *kv.Layer, q engine.Query, member, budget, page int) []int32 {
	scores := questScores(l, q, member, page)
	own := len(scores) - 1
	k := max(2, (min(q.Slots, budget)+page-1)/page-1)
	return append(kernels.TopK(nil, scores[:own], min(k, own)), int32(own))
}

// questScored chooses as the reference does: the pages with the highest bounds, whichever they are, and no part of one beyond the budget.
func questScored(l *kv.Layer, q engine.Query, member, budget, page int) []int32 {
	scores := questScores(l, q, member, page)
	return kernels.TopK(nil, scores, min(max(3, min(q.Slots, budget)/page), len(scores)))
}

// questScores is, per page, the upper bound of the product of the query with any key of the page that it may see.
func questScores(l *kv.Layer, q engine.Query, member, page int) []float32 {
	d := l.Dim()
	v := q.Member(member, d)
	b := l.Index().(*kv.Bounds)
	if q.Together != nil {
		return questChunkScores(l, q, v, member, page)
	}
	scores := make([]float32, (q.Slots+page-1)/page)
	full := min(b.Full(q.KVHead), q.Slots/page)
	lo, hi := b.Groups(q.KVHead)
	kernels.UpperBounds(scores[:full], v, lo[:full*d], hi[:full*d])
	if full < len(scores) { // the last page, of which later rows of the same chunk may have more: only what this row sees counts
		lo, hi := kv.BoundsOf(l, q.KVHead, full*page, q.Slots, make([]float32, 2*d))
		scores[full] = kernels.UpperBound(v, lo, hi)
	}
	return scores
}

// questChunkScores is the reference's score where several rows are computed together: the signs of a channel's queries are added up over the
// rows; the sum decides between minimum and maximum, and multiplies twice. It is no bound. Pages have all tokens of the chunk.
func questChunkScores(l *kv.Layer, q engine.Query, v []float32, member, page int) []float32 {
	d, n := l.Dim(), l.Slots(q.KVHead)
	heads := len(q.Group) / d * l.Heads()
	head := q.KVHead*len(q.Group)/d + member
	signs := make([]float32, d)
	for at := head * d; at < len(q.Together); at += heads * d {
		for c, x := range q.Together[at : at+d] {
			if x > 0 {
				signs[c]++
			} else {
				signs[c]--
			}
		}
	}
	b := l.Index().(*kv.Bounds)
	all, most := b.Groups(q.KVHead)
	scores := make([]float32, (n+page-1)/page)
	room := make([]float32, 2*d)
	for p := range scores {
		lo, hi := room[:d], room[d:]
		if p < b.Full(q.KVHead) {
			lo, hi = all[p*d:(p+1)*d], most[p*d:(p+1)*d]
		} else {
			lo, hi = kv.BoundsOf(l, q.KVHead, p*page, n, room)
		}
		for c, s := range signs {
			bound := lo[c]
			if s > 0 {
				bound = hi[c]
			}
			scores[p] += v[c] * s * s * bound
		}
	}
	return scores
}
