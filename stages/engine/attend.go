package engine

import (
	"fmt"
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
	g := s.shape.Group()
	out := make([][]kv.Run, (t.hi-t.lo)*g)
	spans := make([][]kv.Span, g)
	first := int32(p.first + t.lo - p.lo)
	if !p.chunk.Session.settled {
		for m := range spans {
			if f := p.plan.pattern(t.head*g + m); f != nil {
				spans[m] = f(nil, first, first+int32(t.hi-t.lo))
			} else {
				spans[m] = dense
			}
		}
	}
	var cells, stored, bytes int64
	for i := range t.hi - t.lo {
		slot := int32(p.base[t.head] + t.lo - p.lo + i)
		group := out[i*g : (i+1)*g]
		if p.chunk.Session.settled {
			bytes += t.load(layer, i, int(slot)+1, spans)
		}
		for m := range group {
			group[m] = kv.Runs(nil, spans[m], slot)
			if len(group[m]) == 0 {
				s.fail(fmt.Errorf("method %s leaves query head %d at position %d of layer %d no key to read", p.chunk.Session.Policy.Name, t.head*g+m, int(first)+i, t.layer))
			}
			for _, r := range group[m] {
				cells += int64(r.Hi - r.Lo)
			}
		}
		stored += int64(g) * int64(slot+1)
		bytes += unionBytes(group, s.shape.Dim)
	}
	p.cells.Add(cells)
	p.stored.Add(stored)
	p.bytes.Add(bytes)
	return out
}

// dense is all keys up to the query's own.
var dense = []kv.Span{kv.Column(0, math.MaxInt32)}

// load asks the policy what row i of the task reads, into spans, and returns the bytes that it looked at.
func (t *task) load(layer *kv.Layer, i, slots int, spans [][]kv.Span) (examined int64) {
	s, load := t.step, t.part.chunk.Session.Policy.Load
	g, d := s.shape.Group(), s.shape.Dim
	for m := range spans {
		if spans[m] = spans[m][:0]; load == nil {
			spans[m] = dense
		}
	}
	if load == nil {
		return 0
	}
	at := (i*s.shape.Heads + t.head*g) * d
	return load(t.layer, layer, Query{Group: t.in[at : at+g*d], KVHead: t.head, Slots: slots}, spans)
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
