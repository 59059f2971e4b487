package kernels

import (
	"fmt"
	"math"
)

// PageView is a page of one KV head and who sees what of it.
type PageView struct {
	Data   []byte     // PageBytes long
	Mask   []uint64   // [rows]: bit j of Mask[r]: query r sees slot j; nil: every query sees every slot
	Format PageFormat // PageQ8, PageQ4 or PageQ2; otherwise the page is in the format of the Attention
}

// Attention is softmax attention of some queries to pages of one KV head, a few pages at a time:
//
//	a.Start(format, q, scale, rows, d)
//	a.Pages(…) // any number of times
//	a.Finish(out)
//
// or, to merge with attention to other pages, Partial instead of Finish. The zero value is ready; it keeps its memory
// for the next Start, and one is for one goroutine.
//
// In the format PageF32 everything is float32. In PageBF16 queries (after scaling), keys, values and weights are
// rounded to bf16, to nearest, the weights up when halfway; sums and the softmax are float32, and a row is divided by
// the sum of its rounded weights, so a row that has but one key with weight gives that key's value exactly.
//
// Quantised pages may lie among the others. Their numbers are those of LoadK and LoadV, to which the format applies as to
// any others, but for tiers with a kernel that reads the codes of pages under PageBF16 (AMX): there queries and weights
// are rounded after they have been multiplied by the scales, to bf16, or for PageQ8 to 2^-14 of the largest one of a page
// and group; sums with the minima are float32, and such pages have sums of their own, which are merged at the end.
//
// Row r's result depends on its own query, the keys and values that it sees, and the order of their pages: not on
// other rows, nor on how pages are spread over calls, bit for bit. Slots that a query does not see have no effect on
// it; those that no query of the call sees may hold anything, and the others what StoreSlot leaves. A visible score of
// NaN or +Inf makes the row NaN, and so does -Inf where there is nothing larger. The cost is in proportion to the
// groups of slots (sixteen for float32, half a page for bf16) that some query of sixteen neighbouring rows sees.
type Attention struct {
	format  PageFormat
	rows, d int
	tiled   bool   // the state lies in tiles, not in rows
	seen    []bool // per row: has it seen a key?
	allSeen bool   // have all?

	unions []uint64 // of the pages of a call: what any row sees

	q, o, m, l []float32 // state in rows; o, m and l are those of AttendPage, but m in powers of two for PageBF16
	full       []uint64

	tiles tileState
	quant quantState

	limit float32   // soft bound of scores; 0: none
	wide  []float32 // a page of PageBF16, for scores with a bound
	sums  []float32 // what it adds to a row
}

// Start begins with queries q[rows, d], which are multiplied by scale, and no keys.
func (a *Attention) Start(format PageFormat, q []float32, scale float32, rows, d int) {
	a.StartCapped(format, q, scale, 0, rows, d)
}

// StartCapped is Start for attention whose scores s become limit·tanh(s/limit) before the softmax; limit 0: they stay. With a limit all is
// computed in float32, whatever the format, row by row: for the few rows of decoding as fast as without a limit in PageF32 and half as
// fast in PageBF16, for the many of a prompt a fifth of the speed, and a thirtieth of AMX's.
func (a *Attention) StartCapped(format PageFormat, q []float32, scale, limit float32, rows, d int) {
	if format > PageBF16 {
		panic(fmt.Sprintf("kernels: Attention: %v is no page format", format))
	}
	checkLen("Attention", "q", len(q), rows, d)
	a.format, a.rows, a.d, a.limit = format, rows, d, limit
	a.seen = resize(a.seen, rows)
	clear(a.seen)
	a.allSeen = false
	a.quant.start(q, scale)
	if a.tiled = limit == 0 && a.startTiles(q, scale); a.tiled {
		return
	}
	a.q, a.o = resize(a.q, rows*d), resize(a.o, rows*d)
	a.m, a.l, a.full = resize(a.m, rows), resize(a.l, rows), resize(a.full, rows)
	clear(a.o)
	clear(a.l)
	for r := range rows {
		a.m[r], a.full[r] = float32(math.Inf(-1)), ^uint64(0)
	}
	rounds := format == PageBF16 && limit == 0
	if rounds {
		scale *= math.Log2E
	}
	for i, v := range q {
		a.q[i] = v * scale
		if rounds {
			a.q[i] = fromBF16(nearestBF16(a.q[i]))
		}
	}
}

func resize[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}

// Pages attends to pages, in order.
func (a *Attention) Pages(pages []PageView) {
	a.unions = resize(a.unions, len(pages))
	quantised := false
	for i := range pages {
		p := &pages[i]
		quantised = quantised || p.Format.bits() > 0
		checkPage("Attention", a.formatOf(p), p.Data, a.d)
		if p.Mask == nil {
			a.unions[i], a.allSeen = ^uint64(0), true
			continue
		}
		checkLen("Attention", "mask", len(p.Mask), a.rows, 1)
		union := uint64(0)
		for r, mask := range p.Mask {
			union |= mask
			if mask != 0 {
				a.seen[r] = true
			}
		}
		a.unions[i] = union
	}
	if quantised {
		a.mixedPages(pages)
		return
	}
	a.ownPages(pages)
}

// ownPages attends to pages in the format of the Attention, whose unions are known.
func (a *Attention) ownPages(pages []PageView) {
	if a.tiled {
		a.tilePages(pages)
		return
	}
	for i := range pages {
		mask := pages[i].Mask
		if mask == nil {
			mask = a.full
		}
		if a.limit > 0 {
			if a.unions[i] != 0 {
				a.attendCapped(pages[i].Data, mask, a.unions[i])
			}
		} else if a.format == PageF32 {
			k, v := pageF32(pages[i].Data, a.d)
			attendRows(a.o, a.m, a.l, a.q, k, v, mask, a.rows, a.d)
		} else {
			k, v := pageBF16(pages[i].Data, a.d)
			flashRowsGo(a.o, a.m, a.l, a.q, k, v, mask, a.rows, a.d)
		}
	}
}

// Finish writes the rows' results to out[rows, d]. A row that saw no key is 0.
func (a *Attention) Finish(out []float32) {
	checkLen("Attention", "out", len(out), a.rows, a.d)
	if a.tiled {
		a.finishTiles(out)
	} else {
		for r, l := range a.l {
			by := a.divisor(r, l)
			for t, v := range a.o[r*a.d : (r+1)*a.d] {
				out[r*a.d+t] = v / by
			}
		}
	}
	a.finishQuant(out)
}

// divisor is what row r's sum of weighted values is divided by, given its sum of weights l.
func (a *Attention) divisor(r int, l float32) float32 {
	switch {
	case l != 0:
		return l
	case a.seen[r] || a.allSeen: // nothing but scores of -Inf
		return nanF32
	}
	return 1
}

// Partial writes the state as AttendPage has it, for MergePartial: o[rows, d], m[rows] and l[rows]. Merging is exact
// but for rounding; for results that do not depend on the number of threads, cut pages by their place in the context,
// or where a shared prefix ends, never by what there is to run on.
func (a *Attention) Partial(o, m, l []float32) {
	checkLen("Attention", "o", len(o), a.rows, a.d)
	checkLen("Attention", "m", len(m), a.rows, 1)
	checkLen("Attention", "l", len(l), a.rows, 1)
	if a.tiled {
		a.partialTiles(o, m, l)
	} else {
		copy(o, a.o)
		copy(m, a.m)
		copy(l, a.l)
		if a.format == PageBF16 && a.limit == 0 {
			for r := range m {
				m[r] *= math.Ln2
			}
		}
	}
	a.partialQuant(o, m, l)
	for r := range l {
		switch {
		case !a.seen[r] && !a.allSeen:
			m[r], l[r] = float32(math.Inf(-1)), 0
		case l[r] == 0:
			m[r], l[r] = 0, nanF32
		}
	}
}

// flashRowsGo is the portable twin of attention to a page of PageBF16. Running maxima are whole powers of two, so
// that fading is exact and rare.
func flashRowsGo(o, m, l, q []float32, k, v []uint16, mask []uint64, rows, d int) {
	var at [PageTokens]int
	var s [PageTokens]float32
	key := make([]float32, d)
	for r := range rows {
		if mask[r] == 0 {
			continue
		}
		n := visible(&at, mask[r], 1)
		p := s[:n]
		for i, j := range at[:n] {
			for t := range key {
				key[t] = fromBF16(k[j*d+t])
			}
			p[i] = dot(q[r*d:][:d], key)
		}
		top := float32(math.Ceil(float64(maxOf(p))))
		if m[r] > top {
			top = m[r]
		}
		if math.IsInf(float64(top), -1) {
			continue
		}
		out := o[r*d:][:d]
		if fade := float32(math.Exp2(float64(m[r] - top))); fade != 1 && m[r] != top {
			l[r] *= fade
			scale(out, fade)
		}
		m[r] = top
		for i := range p {
			p[i] = weightBF16(p[i] - top)
			l[r] += p[i]
		}
		for t := range out {
			row := v[t*PageTokens:][:PageTokens]
			for i, j := range at[:n] {
				out[t] += float32(p[i] * fromBF16(row[j]))
			}
		}
	}
}

func dot(x, y []float32) (s float32) {
	for i, v := range x {
		s += float32(v * y[i])
	}
	return s
}

// weightBF16 returns 2^x for x ≤ 0, rounded to bf16: a polynomial of the fraction, within 7.5e-5 relatively, times a
// power of two; below 2^-126 it is 0.
func weightBF16(x float32) float32 {
	switch {
	case x < -126:
		return 0
	case x != x:
		return x
	}
	n := float32(math.Floor(float64(x)))
	f := x - n
	y := float32(0.07802452266443263*f) + 0.22606715539312927
	y = float32(y*f) + 0.6958335405064481
	y = float32(y*f) + 0.99992521856401 + 1.0/256 // half of bf16's last place in [1, 2)
	return math.Float32frombits((math.Float32bits(y) + uint32(int32(n))<<23) & 0xffff0000)
}
