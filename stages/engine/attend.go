package engine

import (
	"math"
	"math/bits"

	"scbench/kernels"
	"scbench/stages/kv"
)

// task is the attention of one KV head's query heads over the rows [lo, hi) of one chunk.
type task struct {
	step    *Step
	part    *part
	layer   int
	head    int // KV head
	lo, hi  int // rows of the batch
	out, in []float32
}

// run gathers the queries, walks the pages that any of them reads, and scatters the answers. A row's result depends on
// its own query and keys alone: pages are taken in ascending order, and a row is untouched by keys it does not read.
func (t *task) run() {
	s, p := t.step, t.part
	g, d := s.shape.Group(), s.shape.Dim
	rows := (t.hi - t.lo) * g
	buf := make([]float32, rows*(2*d+2))
	q, o := buf[:rows*d], buf[rows*d:2*rows*d]
	m, sum := buf[2*rows*d:2*rows*d+rows], buf[2*rows*d+rows:]
	scale := s.scale()
	t.each(func(r int, from int) {
		for i, x := range t.in[from : from+d] {
			q[r*d+i] = x * scale
		}
		m[r] = float32(math.Inf(-1))
	})
	layer := p.chunk.Session.Layers[t.layer]
	reads := t.reads(layer)
	walk(reads, func(page int, mask []uint64) {
		pg := layer.Page(t.head, page)
		kernels.AttendPage(o, m, sum, q, pg.K, pg.V, mask, rows, d)
	})
	kernels.AttendFinish(o, sum, rows, d)
	t.each(func(r int, from int) { copy(t.out[from:from+d], o[r*d:(r+1)*d]) })
}

// each calls f with the number r of every query of the task and the place of its numbers in t.in and t.out.
// Queries are numbered row by row, the heads of the group within.
func (t *task) each(f func(r, from int)) {
	g, d := t.step.shape.Group(), t.step.shape.Dim
	for i := range t.hi - t.lo {
		for j := range g {
			f(i*g+j, (i*t.step.shape.Heads+t.head*g+j)*d)
		}
	}
}

// reads works out which slots each query reads, and counts them.
func (t *task) reads(layer *kv.Layer) [][]kv.Run {
	s, p := t.step, t.part
	g, d := s.shape.Group(), s.shape.Dim
	out := make([][]kv.Run, (t.hi-t.lo)*g)
	policy := &p.chunk.Session.Policy
	var spans []kv.Span
	var cells, bytes int64
	for i := range t.hi - t.lo {
		slot := int32(p.base[t.head] + t.lo - p.lo + i)
		group := out[i*g : (i+1)*g]
		at := (i*s.shape.Heads + t.head*g) * d
		for j := range group {
			switch {
			case !p.chunk.Session.settled && p.plan.pattern(t.head*g+j) != nil:
				first := int32(p.first + t.lo - p.lo)
				spans = p.plan.pattern(t.head*g+j)(spans[:0], first, first+int32(t.hi-t.lo))
				group[j] = kv.Runs(nil, spans, slot)
			case p.chunk.Session.settled && policy.Load != nil:
				spans = policy.Load(spans[:0], layer, Query{Group: t.in[at : at+g*d], Member: j, KVHead: t.head, Slots: int(slot) + 1})
				group[j] = kv.Runs(nil, spans, slot)
			default:
				group[j] = []kv.Run{{Lo: 0, Hi: slot + 1}}
			}
			for _, r := range group[j] {
				cells += int64(r.Hi - r.Lo)
			}
		}
		bytes += unionBytes(group, d)
	}
	if x := layer.Index(); x != nil && policy.Load != nil && p.chunk.Session.settled {
		bytes += int64(t.hi-t.lo) * x.Bytes() / int64(s.shape.KVHeads)
	}
	p.cells.Add(cells)
	p.bytes.Add(bytes)
	return out
}

// pattern returns the pattern of query head h; nil: dense.
func (p Plan) pattern(h int) Pattern {
	switch len(p.Heads) {
	case 0:
		return nil
	case 1:
		return p.Heads[0]
	}
	return p.Heads[h]
}

// unionBytes is the memory of the keys and values that any of the queries reads.
func unionBytes(group [][]kv.Run, dim int) int64 {
	var n int64
	walk(group, func(_ int, mask []uint64) {
		var all uint64
		for _, m := range mask {
			all |= m
		}
		n += int64(bits.OnesCount64(all))
	})
	return n * kv.TokenBytes(dim)
}

// walk calls f for every page that any query reads, ascending, with one mask of the page's slots a query. It uses reads up.
func walk(reads [][]kv.Run, f func(page int, mask []uint64)) {
	const size = kernels.PageTokens
	mask := make([]uint64, len(reads))
	next := make([]int, len(reads)) // first run of each query that is not yet behind
	page := int32(0)
	for {
		least := int32(math.MaxInt32)
		for r, runs := range reads {
			if next[r] < len(runs) {
				least = min(least, max(runs[next[r]].Lo/size, page))
			}
		}
		if least == math.MaxInt32 {
			return
		}
		lo, hi := least*size, (least+1)*size
		for r, runs := range reads {
			mask[r] = 0
			for next[r] < len(runs) && runs[next[r]].Lo < hi {
				mask[r] |= bitRange(max(runs[next[r]].Lo, lo)-lo, min(runs[next[r]].Hi, hi)-lo)
				if runs[next[r]].Hi > hi {
					break
				}
				next[r]++
			}
		}
		f(int(least), mask)
		page = least + 1
	}
}

// bitRange sets the bits [lo, hi) of a page's mask.
func bitRange(lo, hi int32) uint64 { return (^uint64(0) >> (64 - uint(hi-lo))) << uint(lo) }
