package kv

import (
	"fmt"

	"scbench/kernels"
)

// Edit is what a compression method decides about one layer. The zero value leaves it as it is.
type Edit struct {
	Keep [][]int32 // per KV head the slots to keep, ascending; nil: keep all

	// Quantise, PageQ8, PageQ4 or PageQ2, turns full pages of what is kept to that format, all but those that hold any of the last
	// Residual tokens. A page with numbers that the format cannot hold ends it: it and those after it stay as they are.
	Quantise kernels.PageFormat
	Residual int

	// Renumber gives the kept tokens of each head the positions 0, 1, 2 and so on, and Rotate turns their keys accordingly: k [Dim]
	// from a position to another.
	Renumber bool
	Rotate   func(k []float32, from, to int32)

	// Alter changes the key k [Dim] of a kept token, of head h in slot s as they were before the edit, after Rotate.
	Alter func(k []float32, h, s int)
}

// nothing reports whether the edit leaves a layer as it is.
func (e Edit) nothing() bool {
	return e.Keep == nil && e.Quantise == kernels.PageF32 && !e.Renumber && e.Alter == nil
}

// Apply carries an edit out: kept tokens move to pages of the layer's own, in the order given, and the old pages
// are let go. It panics on slots that do not exist or do not ascend, and drops the index, which spoke of old slots.
// On an error, the store being full, the layer is as it was.
func (l *Layer) Apply(e Edit) error {
	if e.nothing() {
		return nil
	}
	if e.Keep != nil && len(e.Keep) != len(l.heads) {
		panic(fmt.Sprintf("kv: edit for %d heads of a layer of %d", len(e.Keep), len(l.heads)))
	}
	next := &Layer{store: l.store, arena: newArena(l.store, nil), heads: make([]head, len(l.heads)), last: l.last, seers: l.seers, rewritten: true}
	for h := range l.heads {
		if err := next.take(l, h, &e); err != nil {
			next.arena.release()
			return err
		}
	}
	l.arena.release()
	*l = *next
	return nil
}

// take fills head h with what an edit makes of another layer's.
func (l *Layer) take(from *Layer, h int, e *Edit) error {
	slots := allSlots(from.Slots(h))
	if e.Keep != nil {
		slots = e.Keep[h]
	}
	packing := e.Quantise != kernels.PageF32
	before := int32(-1)
	p := newPicked(l.store.dim)
	for done := 0; done < len(slots); done += len(p.pos) {
		p.reset()
		for _, s := range slots[done:min(done+kernels.PageTokens, len(slots))] {
			if s <= before || int(s) >= from.Slots(h) {
				panic(fmt.Sprintf("kv: edit keeps slot %d after %d of head %d with %d slots", s, before, h, from.Slots(h)))
			}
			before = s
			p.add(from, h, s, e, int32(done))
		}
		if err := l.fill(&l.heads[h], p.k, p.v, p.pos); err != nil {
			return err
		}
		packing = packing && len(p.pos) == kernels.PageTokens && done+len(p.pos) <= len(slots)-e.Residual
		if packing {
			var err error
			if packing, err = l.pack(&l.heads[h], e.Quantise); err != nil {
				return err
			}
		}
	}
	return nil
}

// pack turns the last page of h, which is full and nobody else's, to another format; false: that format cannot hold it.
func (l *Layer) pack(h *head, f kernels.PageFormat) (bool, error) {
	full := h.sealed[len(h.sealed)-1]
	p, err := l.arena.page(f)
	if err != nil {
		return false, err
	}
	if !kernels.QuantizePage(f, p.Data, full.Format, full.Data, l.store.dim) {
		l.arena.drop(p)
		return false, nil
	}
	copy(p.Pos, full.Pos)
	h.sealed[len(h.sealed)-1] = p
	h.packed++
	l.arena.drop(full)
	return true, nil
}

// picked is tokens on their way from one layer to another.
type picked struct {
	k, v []float32 // [len(pos), dim]
	pos  []int32
	dim  int
}

func newPicked(dim int) *picked {
	return &picked{k: make([]float32, 0, kernels.PageTokens*dim), v: make([]float32, 0, kernels.PageTokens*dim), dim: dim}
}

func (p *picked) reset() { p.k, p.v, p.pos = p.k[:0], p.v[:0], p.pos[:0] }

// add takes slot s of head h; base is the position that the first token in p has when tokens are numbered anew.
func (p *picked) add(from *Layer, h int, s int32, e *Edit, base int32) {
	n := len(p.pos) * p.dim
	p.k, p.v = p.k[:n+p.dim], p.v[:n+p.dim]
	from.Key(p.k[n:], h, int(s))
	from.Value(p.v[n:], h, int(s))
	pos := from.Pos(h, int(s))
	if e.Renumber {
		to := base + int32(len(p.pos))
		if e.Rotate != nil {
			e.Rotate(p.k[n:], pos, to)
		}
		pos = to
	}
	if e.Alter != nil {
		e.Alter(p.k[n:], h, int(s))
	}
	p.pos = append(p.pos, pos)
}

func allSlots(n int) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = int32(i)
	}
	return s
}
