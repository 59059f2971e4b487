package engine

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sort"
	"sync"
	"time"

	"scbench/kernels"
	"scbench/stages/kv"
)

// task is the attention of one KV head's query heads over some rows: a tile of one chunk, or the rows of several chunks whose
// sessions have their first pages in common, which are then read once for all of them.
type task struct {
	step    *Step
	layer   int
	head    int // KV head
	members []member
	common  int // leading pages that all members have in common; used if there are several
}

// member is the rows [lo, hi) of one chunk, with the place of their numbers.
type member struct {
	part    *part
	lo, hi  int
	out, in []float32
}

func (m *member) cache(layer int) *kv.Layer { return m.part.chunk.Session.Layers[layer] }

// run gathers the queries, walks the pages that any of them reads, and scatters the answers. A row's result depends on
// its own query and keys alone: its pages are taken in ascending order, and it is untouched by keys it does not read.
func (t *task) run() {
	start := time.Now()
	s := t.step
	g, d := s.shape.Group(), s.shape.Dim
	rows := 0
	for i := range t.members {
		rows += (t.members[i].hi - t.members[i].lo) * g
	}
	w := workers.Get().(*worker)
	defer workers.Put(w)
	buf := w.floats(rows * d)
	t.each(func(m *member, r, from int) { copy(buf[r*d:(r+1)*d], m.in[from:from+d]) })
	w.attention.StartCapped(t.members[0].cache(t.layer).Format(), buf, s.scale(), s.shape.Softcap, rows, d)
	t.walk(w, rows)
	w.attention.Finish(buf)
	t.each(func(m *member, r, from int) { copy(m.out[from:from+d], buf[r*d:(r+1)*d]) })
	t.charge(time.Since(start))
}

// walk attends to the pages that the members have in common, and then to each member's own.
func (t *task) walk(w *worker, rows int) {
	var reads [][]kv.Run
	for i := range t.members {
		reads = append(reads, t.reads(&t.members[i])...)
	}
	own := 0
	if len(t.members) > 1 {
		own = t.common
		first := t.members[0].cache(t.layer)
		w.walk(reads, 0, own, 0, rows, func(page int) *kv.Page { return first.Page(t.head, page) })
	}
	at := 0
	for i := range t.members {
		m := &t.members[i]
		n := (m.hi - m.lo) * t.step.shape.Group()
		cache := m.cache(t.layer)
		w.walk(reads[at:at+n], own, math.MaxInt32/kernels.PageTokens, at, rows, func(page int) *kv.Page { return cache.Page(t.head, page) })
		at += n
	}
	w.flush()
}

// charge divides the time of the task among its members, by their rows.
func (t *task) charge(spent time.Duration) {
	rows := 0
	for _, m := range t.members {
		rows += m.hi - m.lo
	}
	for _, m := range t.members {
		m.part.nanos.Add(int64(spent) * int64(m.hi-m.lo) / int64(rows))
	}
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

// walk attends to every page in [from, to) that any of the queries reads, which are the queries [first, first+len(reads)) of rows.
func (w *worker) walk(reads [][]kv.Run, from, to, first, rows int, get func(page int) *kv.Page) {
	add := func(v kernels.PageView) {
		if w.views = append(w.views, v); len(w.views) == pagesAtOnce {
			w.flush()
		}
	}
	if len(reads) == rows { // as far as all queries read everything, there is nothing to work out
		for solid := min(to, solidPages(reads)); from < solid; from++ {
			p := get(from)
			add(kernels.PageView{Data: p.Data, Format: p.Format})
		}
	}
	walk(reads, from, to, func(page int, mask []uint64) {
		p := get(page)
		v := kernels.PageView{Data: p.Data, Format: p.Format}
		if len(mask) < rows || !full(mask) {
			at := len(w.masks)
			w.masks = slices.Grow(w.masks, rows)[:at+rows]
			v.Mask = w.masks[at:]
			clear(v.Mask)
			copy(v.Mask[first:], mask)
		}
		add(v)
	})
}

// solidPages is the number of leading pages of which every query reads every slot.
func solidPages(reads [][]kv.Run) int {
	least := int32(math.MaxInt32)
	for _, runs := range reads {
		if len(runs) == 0 || runs[0].Lo > 0 {
			return 0
		}
		least = min(least, runs[0].Hi)
	}
	return int(least / kernels.PageTokens)
}

func (w *worker) flush() {
	w.attention.Pages(w.views)
	w.views, w.masks = w.views[:0], w.masks[:0]
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

// each calls f with the number r of every query of the task, its member, and the place of its numbers in the member's in and out.
// Queries are numbered member by member and row by row, the heads of the group within.
func (t *task) each(f func(m *member, r, from int)) {
	g, d := t.step.shape.Group(), t.step.shape.Dim
	r := 0
	for i := range t.members {
		m := &t.members[i]
		for row := range m.hi - m.lo {
			for j := range g {
				f(m, r, (row*t.step.shape.Heads+t.head*g+j)*d)
				r++
			}
		}
	}
}

// reads works out which slots each query of a member reads, and counts them.
func (t *task) reads(m *member) [][]kv.Run {
	s, p := t.step, m.part
	g := s.shape.Group()
	cache := m.cache(t.layer)
	out := make([][]kv.Run, (m.hi-m.lo)*g)
	spans := make([][]kv.Span, g)
	first := int32(p.first + m.lo - p.lo)
	settled := p.chunk.Session.settled
	if !settled {
		for q := range spans {
			if f := p.plan.pattern(t.head*g + q); f != nil {
				spans[q] = f(nil, first, first+int32(m.hi-m.lo))
			} else {
				spans[q] = dense
			}
		}
	}
	var spent Cost
	page := -1
	for i := range m.hi - m.lo {
		at := p.at(m.lo + i)
		if now := (p.first + at) / kernels.PageTokens; now != page {
			p.add(page, spent)
			page, spent = now, Cost{}
		}
		slot := int32(p.base[t.head] + at)
		least := firstInside(cache, t.head, slot, s.Pos[m.lo+i], s.shape.sliding(t.layer))
		group := out[i*g : (i+1)*g]
		if settled {
			spent.ReadBytes += t.load(m, i, int(slot)+1, spans)
		}
		for q := range group {
			group[q] = kv.Runs(nil, spans[q], slot)
			if len(group[q]) > 0 {
				group[q] = from(group[q], least, slot)
			} else {
				s.fail(fmt.Errorf("method %s leaves query head %d at position %d of layer %d no key to read", p.chunk.Session.Policy.Name, t.head*g+q, p.first+at, t.layer))
			}
			for _, r := range group[q] {
				spent.Cells += int64(r.Hi - r.Lo)
			}
		}
		spent.Stored += int64(g) * int64(slot+1-least)
		spent.ReadBytes += unionBytes(cache, t.head, group)
	}
	p.add(page, spent)
	return out
}

// firstInside is the first slot that a row in slot and at position pos may read where it reads the last window positions, its own
// included; window 0: all. Positions ascend with slots.
func firstInside(l *kv.Layer, head int, slot, pos int32, window int) int32 {
	if window == 0 {
		return 0
	}
	lo := max(0, int(slot)+1-window)
	return int32(lo + sort.Search(int(slot)-lo, func(i int) bool { return int(l.Pos(head, lo+i)) > int(pos)-window }))
}

// from narrows the runs of a row in slot to the slots from least on. What is left is at least its own.
func from(runs []kv.Run, least, slot int32) []kv.Run {
	for len(runs) > 0 && runs[0].Hi <= least {
		runs = runs[1:]
	}
	if len(runs) == 0 {
		return []kv.Run{{Lo: slot, Hi: slot + 1}}
	}
	runs[0].Lo = max(runs[0].Lo, least)
	return runs
}

// dense is all keys up to the query's own.
var dense = []kv.Span{kv.Column(0, math.MaxInt32)}

// load asks the policy what row i of a member reads, into spans, and returns the bytes that it looked at.
func (t *task) load(m *member, i, slots int, spans [][]kv.Span) (examined int64) {
	s, load := t.step, m.part.chunk.Session.Policy.Load
	g, d := s.shape.Group(), s.shape.Dim
	for q := range spans {
		if spans[q] = spans[q][:0]; load == nil {
			spans[q] = dense
		}
	}
	if load == nil {
		return 0
	}
	at := (i*s.shape.Heads + t.head*g) * d
	return load(t.layer, m.cache(t.layer), Query{Group: m.in[at : at+g*d], KVHead: t.head, Slots: slots, Together: m.part.together}, spans)
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

// unionBytes is what the keys and values take that any of the queries reads.
func unionBytes(l *kv.Layer, head int, group [][]kv.Run) int64 {
	var n int64
	if len(group) == 1 || same(group) {
		for _, r := range group[0] {
			n += l.RunBytes(head, r)
		}
		return n
	}
	walk(group, 0, math.MaxInt32/kernels.PageTokens, func(page int, mask []uint64) {
		var all uint64
		for _, m := range mask {
			all |= m
		}
		first := int32(page) * kernels.PageTokens
		n += l.RunBytes(head, kv.Run{Lo: first, Hi: first + int32(bits.OnesCount64(all))})
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

// walk calls f for every page in [from, to) that any query reads, ascending, with one mask of the page's slots a query.
func walk(reads [][]kv.Run, from, to int, f func(page int, mask []uint64)) {
	const size = kernels.PageTokens
	mask := make([]uint64, len(reads))
	next := make([]int, len(reads)) // first run of each query that is not yet behind
	page, end := int32(from), int32(to)
	for r, runs := range reads {
		for next[r] < len(runs) && runs[next[r]].Hi <= page*size {
			next[r]++
		}
	}
	for {
		least := end
		for r, runs := range reads {
			if next[r] < len(runs) {
				least = min(least, max(runs[next[r]].Lo/size, page))
			}
		}
		if least >= end {
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
