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

// flashTolerance bounds relativeRMS; float32 scores have an error of some 1e-7 of the size of their terms.
var flashTolerance = map[PageFormat]float64{PageF32: 1e-6, PageBF16: 5e-3}

func eachPaged(t *testing.T, f func(t *testing.T, rng *rand.Rand, p paged)) {
	eachTier(t, func(t *testing.T) {
		for _, format := range pageFormats {
			for i, kind := range maskKinds {
				for _, d := range []int{0, 1, 7, 16, 32, 48, 64, 80, 96, 128, 160} {
					rng := newRand(uint64(100*d + i))
					for _, rows := range []int{0, 1, 5, 16, 37} {
						a := randomAttention(rng, rows, d, 1+rng.IntN(5), func() uint64 { return kind.draw(rng) })
						p := pagedAttention(a, format)
						t.Run(fmt.Sprintf("%v/%s/d=%d/rows=%d", format, kind.name, d, rows), func(t *testing.T) { f(t, rng, p) })
					}
				}
			}
		}
	})
}

func TestAttention(t *testing.T) {
	eachPaged(t, func(t *testing.T, _ *rand.Rand, p paged) {
		got := p.finish(0, p.rows, len(p.views))
		if e := relativeRMS(got, p.oracle()); !(e <= flashTolerance[p.format]) {
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
