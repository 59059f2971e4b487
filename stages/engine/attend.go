package engine

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync"

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
	s := t.step
	g, d := s.shape.Group(), s.shape.Dim
	rows := (t.hi - t.lo) * g
	w := workers.Get().(*worker)
	defer workers.Put(w)
	buf := w.floats(rows * d)
	t.each(func(r int, from int) { copy(buf[r*d:(r+1)*d], t.in[from:from+d]) })
	layer := t.part.chunk.Session.Layers[t.layer]
	w.attention.Start(layer.Format(), buf, s.scale(), rows, d)
	w.walk(t.reads(layer), func(page int) []byte { return layer.Page(t.head, page).Data })
	w.attention.Finish(buf)
	t.each(func(r int, from int) { copy(t.out[from:from+d], buf[r*d:(r+1)*d]) })
}

// worker is memory that tasks use one after the other.
type worker struct {
	attention kernels.Attention
	buf       []float32
	views     []kernels.PageView
	masks     []uint64
}

var workers = sync.Pool{New: func() any { return &worker{} }}

func (w *worker) floats(n int) []float32 {
	if cap(w.buf) < n {
		w.buf = make([]float32, n)
	}
	return w.buf[:n]
}

// pagesAtOnce is the number of pages that are handed to the kernel together.
const pagesAtOnce = 32

// walk attends to every page that any query reads. It uses reads up.
func (w *worker) walk(reads [][]kv.Run, data func(page int) []byte) {
	w.views, w.masks = w.views[:0], w.masks[:0]
	flush := func() {
		w.attention.Pages(w.views)
		w.views, w.masks = w.views[:0], w.masks[:0]
	}
	if n := pagesAtOnce * len(reads); cap(w.masks) < n {
		w.masks = make([]uint64, 0, n)
	}
	walk(reads, func(page int, mask []uint64) {
		if len(w.views) == pagesAtOnce {
			flush()
		}
		v := kernels.PageView{Data: data(page)}
		if !full(mask) {
			at := len(w.masks)
			w.masks = append(w.masks, mask...)
			v.Mask = w.masks[at:]
		}
		w.views = append(w.views, v)
	})
	flush()
}

// full reports whether every query reads the whole page.
func full(mask []uint64) bool {
	for _, m := range mask {
		if m != ^uint64(0) {
			return false
		}
	}
	return true
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
		bytes += unionSlots(group) * layer.TokenBytes()
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

// unionSlots is the number of slots that any of the queries reads.
func unionSlots(group [][]kv.Run) int64 {
	var n int64
	if len(group) == 1 || same(group) {
		for _, r := range group[0] {
			n += int64(r.Hi - r.Lo)
		}
		return n
	}
	walk(group, func(_ int, mask []uint64) {
		var all uint64
		for _, m := range mask {
			all |= m
		}
		n += int64(bits.OnesCount64(all))
	})
	return n
}

// same reports whether all queries read the same slots.
func same(group [][]kv.Run) bool {
	for _, g := range group[1:] {
		if !slices.Equal(g, group[0]) {
			return false
		}
	}
	return true
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
