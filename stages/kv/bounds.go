package kv

import "scbench/kernels"

// Bounds is the index of Quest: the channel-wise minimum and maximum of the keys of each full group of Size slots.
// Groups that are not yet full have no entry; a reader works their bounds out from the keys it may see, so
// that no query's choice depends on tokens after it.
type Bounds struct {
	Size  int // slots of a group; divides kernels.PageTokens
	heads []groups
}

type groups struct {
	lo, hi []float32 // [full groups, dim]
	n      int
}

// NewBounds returns an index over groups of size slots; size must divide kernels.PageTokens.
func NewBounds(size int) *Bounds { return &Bounds{Size: size} }

// Extend adds the groups that have become full.
func (b *Bounds) Extend(l *Layer) {
	if b.heads == nil {
		b.heads = make([]groups, l.Heads())
	}
	d := l.Dim()
	for h := range b.heads {
		g := &b.heads[h]
		for (g.n+1)*b.Size <= l.Slots(h) {
			lo, hi := BoundsOf(l, h, g.n*b.Size, (g.n+1)*b.Size, make([]float32, 2*d))
			g.lo, g.hi = append(g.lo, lo...), append(g.hi, hi...)
			g.n++
		}
	}
}

// Fork returns a copy; full groups are shared.
func (b *Bounds) Fork() Index {
	f := &Bounds{Size: b.Size, heads: make([]groups, len(b.heads))}
	for h, g := range b.heads {
		f.heads[h] = groups{g.lo[:len(g.lo):len(g.lo)], g.hi[:len(g.hi):len(g.hi)], g.n}
	}
	return f
}

// Bytes is the memory of all bounds.
func (b *Bounds) Bytes() int64 {
	var n int64
	for _, g := range b.heads {
		n += int64(len(g.lo)+len(g.hi)) * 4
	}
	return n
}

// Full is the number of full groups of head h.
func (b *Bounds) Full(h int) int { return b.heads[h].n }

// Groups returns the bounds of the full groups of head h, [Full, Dim] each.
func (b *Bounds) Groups(h int) (lo, hi []float32) { return b.heads[h].lo, b.heads[h].hi }

// BoundsOf works out the bounds of the slots [from, to) of head h, which must lie in one page; buf has room for 2·Dim.
func BoundsOf(l *Layer, h, from, to int, buf []float32) (lo, hi []float32) {
	d := l.Dim()
	p, r := l.Page(h, from/kernels.PageTokens), from%kernels.PageTokens
	lo, hi = buf[:d], buf[d:2*d]
	kernels.MinMaxPage(p.Format, lo, hi, p.Data, r, r+to-from)
	return lo, hi
}
