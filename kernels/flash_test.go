package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

var pageFormats = []PageFormat{PageF32, PageBF16}

// paged is attention with its keys and values in pages of some format.
type paged struct {
	attention
	format PageFormat
	views  []PageView
}

// pagedAttention stores the pages of a. A slot that nobody sees is not stored, in pages full of NaN.
func pagedAttention(a attention, format PageFormat) paged {
	p := paged{attention: a, format: format}
	for i := range a.k {
		page := alignedBytes(PageBytes(format, a.d))
		for j := range page {
			page[j] = 0xff
		}
		var union, all uint64 = 0, ^uint64(0)
		for _, mask := range a.mask[i] {
			union |= mask
			all &= mask
		}
		for j := range PageTokens {
			if union>>j&1 == 1 {
				StoreSlot(format, page, j, a.k[i][j*a.d:][:a.d], a.v[i][j*a.d:][:a.d], a.d)
			}
		}
		view := PageView{Data: page, Mask: a.mask[i]}
		if all == ^uint64(0) {
			view.Mask = nil
		}
		p.views = append(p.views, view)
	}
	return p
}

// run attends the rows [from, to), in calls of some pages at a time.
func (p paged) run(from, to, pages int) *Attention {
	var a Attention
	a.Start(p.format, p.q[from*p.d:to*p.d], 1, to-from, p.d)
	for i := 0; i < len(p.views); i += pages {
		views := append([]PageView(nil), p.views[i:min(i+pages, len(p.views))]...)
		for j := range views {
			if views[j].Mask != nil {
				views[j].Mask = views[j].Mask[from:to]
			}
		}
		a.Pages(views)
	}
	return &a
}

func (p paged) finish(from, to, pages int) []float32 {
	out := filled((to-from)*p.d, nan)
	p.run(from, to, pages).Finish(out)
	return out
}

// relativeRMS is the root mean square of the difference over that of what is wanted.
func relativeRMS(got []float32, want []float64) float64 {
	var diff, size float64
	for i, w := range want {
		diff += (float64(got[i]) - w) * (float64(got[i]) - w)
		size += w * w
	}
	if diff == 0 {
		return 0
	}
	return math.Sqrt(diff / size)
}

// flashTolerance bounds relativeRMS against what is computed from the numbers as the format has them: for bf16 what
// is left is the rounding of the weights.
var flashTolerance = map[PageFormat]float64{PageF32: 4e-6, PageBF16: 4e-3}

// rounded is p with queries, keys and values as they are stored; what no query sees is left.
func (p paged) rounded() attention {
	a := p.attention
	if p.format == PageF32 {
		return a
	}
	const log2e = float32(math.Log2E)
	a.q, a.k, a.v = append([]float32(nil), a.q...), nil, nil
	for i, q := range a.q {
		a.q[i] = float32(float64(fromBF16(nearestBF16(q*log2e))) * math.Ln2)
	}
	for _, view := range p.views {
		k, v := make([]float32, PageTokens*a.d), make([]float32, PageTokens*a.d)
		for j := range PageTokens {
			LoadK(p.format, k[j*a.d:][:a.d], view.Data, j)
			LoadV(p.format, v[j*a.d:][:a.d], view.Data, j)
		}
		a.k, a.v = append(a.k, k), append(a.v, v)
	}
	return a
}

// halves draws masks of whole pages and halves of pages, the same for all rows or all but one.
func halves(rng *rand.Rand, rows int) func() uint64 {
	drawn, page := 0, uint64(0)
	return func() uint64 {
		if drawn%rows == 0 {
			page = []uint64{math.MaxUint64, math.MaxUint32, math.MaxUint64 - math.MaxUint32, 0}[rng.IntN(4)]
		}
		drawn++
		if drawn%rows == 7 {
			return page & rng.Uint64()
		}
		return page
	}
}

func eachPaged(t *testing.T, f func(t *testing.T, rng *rand.Rand, p paged)) {
	eachTier(t, func(t *testing.T) {
		for _, format := range pageFormats {
			for i := range len(maskKinds) + 1 {
				for _, d := range []int{0, 1, 7, 16, 32, 48, 64, 80, 96, 128, 160} {
					rng := newRand(uint64(100*d + i))
					for _, rows := range []int{0, 1, 5, 16, 37} {
						name, draw := "halves", halves(rng, rows)
						if i < len(maskKinds) {
							name, draw = maskKinds[i].name, func() uint64 { return maskKinds[i].draw(rng) }
						}
						p := pagedAttention(randomAttention(rng, rows, d, 1+rng.IntN(7), draw), format)
						t.Run(fmt.Sprintf("%v/%s/d=%d/rows=%d", format, name, d, rows), func(t *testing.T) { f(t, rng, p) })
					}
				}
			}
		}
	})
}

func TestAttention(t *testing.T) {
	eachPaged(t, func(t *testing.T, _ *rand.Rand, p paged) {
		got := p.finish(0, p.rows, len(p.views))
		tolerance := flashTolerance[p.format]
		if p.rows*p.d < 16 { // too few numbers for a mean
			near(t, "o", got, p.rounded().oracle(), tolerance)
			return
		}
		if e := relativeRMS(got, p.rounded().oracle()); !(e <= tolerance) {
			t.Errorf("relative error %.2g", e)
		}
	})
}

// TestAttentionRows: a row alone, in any group, and over any number of calls gives the same bits.
func TestAttentionRows(t *testing.T) {
	eachPaged(t, func(t *testing.T, rng *rand.Rand, p paged) {
		want := p.finish(0, p.rows, len(p.views))
		sameBits(t, "page by page", p.finish(0, p.rows, 1), want)
		for from := 0; from < p.rows; {
			to := from + 1 + rng.IntN(min(p.rows-from, 20))
			sameBits(t, "part", p.finish(from, to, 1+rng.IntN(len(p.views))), want[from*p.d:to*p.d])
			from = to
		}
	})
}

// TestAttentionError is the bound on what a user sees, against float64 on unrounded inputs, over a long context. In bf16
// it grows with the scores, whose rounding is relative: with a standard deviation of 2 it is up to 6.5e-3.
func TestAttentionError(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for _, format := range pageFormats {
			for _, d := range []int{64, 128} {
				rng := newRand(uint64(d))
				a := randomAttention(rng, 8, d, 16, func() uint64 { return ^uint64(0) })
				for i := range a.q { // scores with a standard deviation of 1
					a.q[i] /= 3
				}
				p := pagedAttention(a, format)
				e := relativeRMS(p.finish(0, a.rows, len(p.views)), a.oracle())
				if bound := map[PageFormat]float64{PageF32: 2e-6, PageBF16: 5e-3}[format]; !(e <= bound) {
					t.Errorf("%v d=%d: relative error %.2g", format, d, e)
				}
			}
		}
	})
}

// TestAttentionGarbage: what a row does not see has no effect, be it NaN that others see.
func TestAttentionGarbage(t *testing.T) {
	eachPaged(t, func(t *testing.T, rng *rand.Rand, p paged) {
		want := p.finish(0, p.rows, len(p.views))
		if p.rows == 0 {
			return
		}
		r := rng.IntN(p.rows)
		bad := filled(p.d, []float32{nan, inf, ninf}[rng.IntN(3)])
		spoilt := p
		spoilt.views = nil
		for i, view := range p.views {
			page := alignedBytes(len(view.Data))
			copy(page, view.Data)
			for j := range PageTokens {
				if p.mask[i][r]>>j&1 == 0 {
					StoreSlot(p.format, page, j, bad, bad, p.d)
				}
			}
			spoilt.views = append(spoilt.views, PageView{Data: page, Mask: view.Mask})
		}
		got := spoilt.finish(0, p.rows, len(p.views))
		sameBits(t, "row", got[r*p.d:][:p.d], want[r*p.d:][:p.d])
	})
}

// TestAttentionPartial: halves of the pages merge to the whole, and finishing a state is dividing it.
func TestAttentionPartial(t *testing.T) {
	eachPaged(t, func(t *testing.T, rng *rand.Rand, p paged) {
		cut := rng.IntN(len(p.views) + 1)
		state := func(views []PageView) (o, m, l []float32) {
			o, m, l = make([]float32, p.rows*p.d), make([]float32, p.rows), make([]float32, p.rows)
			half := p
			half.views = views
			half.run(0, p.rows, max(1, len(views))).Partial(o, m, l)
			return o, m, l
		}
		o, m, l := state(p.views[:cut])
		o2, m2, l2 := state(p.views[cut:])
		MergePartial(o, m, l, o2, m2, l2, p.rows, p.d)
		AttendFinish(o, l, p.rows, p.d)
		want := p.finish(0, p.rows, len(p.views))
		near(t, "merged", o, doubles(want), map[PageFormat]float64{PageF32: 1e-5, PageBF16: 1.5e-2}[p.format])
	})
}

// TestAttentionOverflow: a score that overflows is not silent; -Inf is one only where there is nothing larger.
func TestAttentionOverflow(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for _, format := range pageFormats {
			for _, d := range []int{5, 64} {
				for i, bad := range []float32{inf, nan, ninf, inf, nan, ninf} {
					mask, visible := ^uint64(0), i < 2 || i == 5
					if !visible {
						mask = 1 << 9
					}
					page := alignedBytes(PageBytes(format, d))
					k, v := make([]float32, PageTokens*d), filled(PageTokens*d, 1)
					k[9*d] = bad
					StoreSlots(format, page, 0, k, v, PageTokens, d)
					q := make([]float32, d)
					q[0] = 1
					var a Attention
					a.Start(format, q, 1, 1, d)
					a.Pages([]PageView{{Data: page, Mask: []uint64{mask}}})
					out := make([]float32, d)
					a.Finish(out)
					if isNaN := out[0] != out[0]; isNaN == (i == 5) {
						t.Errorf("%v d=%d mask %#x: a score of %v gives %v", format, d, mask, bad, out[0])
					}
				}
			}
		}
	})
}

// TestAttentionScale: scores far apart neither overflow nor lose the largest, whichever way they go.
func TestAttentionScale(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for _, format := range pageFormats {
			for _, d := range []int{1, 64, 96} {
				for _, step := range []float32{512, -512} {
					page := alignedBytes(PageBytes(format, d))
					k, v := make([]float32, PageTokens*d), make([]float32, PageTokens*d)
					for j := range PageTokens {
						k[j*d], v[j*d] = float32(j-32)*step, float32(j)
					}
					StoreSlots(format, page, 0, k, v, PageTokens, d)
					q := make([]float32, 3*d)
					q[0], q[d] = 1, 0.5
					var a Attention
					a.Start(format, q, 1, 3, d)
					a.Pages([]PageView{{Data: page}, {Data: page}, {Data: page, Mask: []uint64{5, 1 << 63, 0}}})
					out := make([]float32, 3*d)
					a.Finish(out)
					want := float32(63)
					if step < 0 {
						want = 0
					}
					if out[0] != want || out[d] != want || out[2*d] != 31.5 {
						t.Errorf("%v d=%d step %v: %v, %v, %v", format, d, step, out[0], out[d], out[2*d])
					}
				}
			}
		}
	})
}

func TestAttentionShapes(t *testing.T) {
	page := alignedBytes(PageBytes(PageBF16, 4))
	var a Attention
	mustPanic(t, "q", func() { a.Start(PageBF16, make([]float32, 7), 1, 2, 4) })
	mustPanic(t, "format", func() { a.Start(2, make([]float32, 8), 1, 2, 4) })
	a.Start(PageBF16, make([]float32, 8), 1, 2, 4)
	mustPanic(t, "page", func() { a.Pages([]PageView{{Data: page[64:]}}) })
	mustPanic(t, "mask", func() { a.Pages([]PageView{{Data: page, Mask: make([]uint64, 3)}}) })
	mustPanic(t, "out", func() { a.Finish(make([]float32, 7)) })
	mustPanic(t, "o", func() { a.Partial(make([]float32, 8), make([]float32, 2), make([]float32, 1)) })
}
