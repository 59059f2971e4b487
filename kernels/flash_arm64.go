package kernels

import "math"

// tileState is empty: the state of an Attention to pages of PageF32 lies in its rows, as on the portable tier, but goes
// through attendRows, four rows at a time.
type tileState struct{}

func (a *Attention) startTiles(q []float32, scale float32) bool {
	if active == tierGo || a.format != PageF32 {
		return false
	}
	a.q, a.o = resize(a.q, a.rows*a.d), resize(a.o, a.rows*a.d)
	a.m, a.l, a.full = resize(a.m, a.rows), resize(a.l, a.rows), resize(a.full, a.rows)
	clear(a.o)
	clear(a.l)
	for r := range a.m {
		a.m[r], a.full[r] = float32(math.Inf(-1)), ^uint64(0)
	}
	copy(a.q, q)
	scaleBy(a.q, scale)
	return true
}

func (a *Attention) tilePages(pages []PageView) {
	for i := range pages {
		mask := pages[i].Mask
		if mask == nil {
			mask = a.full
		}
		k, v := pageF32(pages[i].Data, a.d)
		attendRows(a.o, a.m, a.l, a.q, k, v, mask, a.rows, a.d)
	}
}

func (a *Attention) finishTiles(out []float32) {
	copy(out, a.o)
	for r, l := range a.l {
		row := out[r*a.d:][:a.d]
		by := a.divisor(r, l)
		for t := range row {
			row[t] /= by
		}
	}
}

func (a *Attention) partialTiles(o, m, l []float32) {
	copy(o, a.o)
	copy(m, a.m)
	copy(l, a.l)
}
