package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

var quantFormats = []PageFormat{PageQ8, PageQ4, PageQ2}

// randomQuantPage quantises a page with a few outliers and channels of equal numbers.
func randomQuantPage(t testing.TB, rng *rand.Rand, f, from PageFormat, d int) (page, src []byte) {
	t.Helper()
	k, v := normals(rng, PageTokens*d), normals(rng, PageTokens*d)
	for i := range k {
		switch i % d {
		case 3:
			k[i] = 1.25
		case 5:
			k[i] = 2*k[i] - 6
		}
		if i/QuantGroup%7 == 3 {
			v[i] = -2
		}
	}
	src, page = alignedBytes(PageBytes(from, d)), alignedBytes(PageBytes(f, d))
	StoreSlots(from, src, 0, k, v, PageTokens, d)
	for i := range page {
		page[i] = 0xff
	}
	if !QuantizePage(f, page, from, src, d) {
		t.Fatalf("%v: not quantised", f)
	}
	return page, src
}

// rowsOf loads all slots of a page.
func rowsOf(f PageFormat, page []byte, d int) (k, v []float32) {
	k, v = make([]float32, PageTokens*d), make([]float32, PageTokens*d)
	for j := range PageTokens {
		LoadK(f, k[j*d:][:d], page, j)
		LoadV(f, v[j*d:][:d], page, j)
	}
	return k, v
}

// TestQuantizePage wants what QuantizeKeys, QuantizeValues and their ways back give, on all tiers.
func TestQuantizePage(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for _, f := range quantFormats {
			for _, from := range pageFormats {
				for _, d := range []int{0, 32, 64, 96, 128, 160} {
					what := fmt.Sprintf("%v from %v, d=%d", f, from, d)
					rng := newRand(uint64(d))
					page, src := randomQuantPage(t, rng, f, from, d)
					wantK, wantV := rowsOf(from, src, d)
					wantK = quantKeys(wantK, F16, f.bits(), PageTokens/QuantGroup, d).x2
					wantV = quantValues(wantV, F16, f.bits(), PageTokens, d).x2
					k, v := rowsOf(f, page, d)
					sameBits(t, what+": keys", k, wantK)
					sameBits(t, what+": values", v, wantV)

					q, got, want := normals(rng, d), make([]float32, 50), make([]float32, 50)
					KeyScoresPage(f, got, page, q, 0.5)
					KeyScores(want, q, wantK[:50*d], 0.5)
					sameBits(t, what+": scores", got, want)
					lo, hi, wantLo, wantHi := make([]float32, d), make([]float32, d), make([]float32, d), make([]float32, d)
					MinMaxPage(f, lo, hi, page, 3, 40)
					MinMax(wantLo, wantHi, wantK[3*d:40*d], 37, d)
					sameBits(t, what+": minima", lo, wantLo)
					sameBits(t, what+": maxima", hi, wantHi)
				}
			}
		}
	})
}

// TestQuantizePageRange: what binary16 cannot hold stays as it is.
func TestQuantizePageRange(t *testing.T) {
	const d = 32
	for _, f := range quantFormats {
		for _, bad := range []float32{nan, inf, ninf, 2e7, -7e4} {
			for _, key := range []bool{true, false} {
				src, page := alignedBytes(PageBytes(PageF32, d)), alignedBytes(PageBytes(f, d))
				k, v := make([]float32, PageTokens*d), make([]float32, PageTokens*d)
				if key {
					k[77] = bad
				} else {
					v[77] = bad
				}
				StoreSlots(PageF32, src, 0, k, v, PageTokens, d)
				if QuantizePage(f, page, PageF32, src, d) {
					t.Errorf("%v: a page with %v (key: %v) is quantised", f, bad, key)
				}
			}
		}
	}
}

func TestQuantizePageShapes(t *testing.T) {
	page, q := alignedBytes(PageBytes(PageF32, 32)), alignedBytes(PageBytes(PageQ4, 32))
	mustPanic(t, "to", func() { QuantizePage(PageBF16, page, PageF32, page, 32) })
	mustPanic(t, "from", func() { QuantizePage(PageQ4, q, PageQ4, q, 32) })
	mustPanic(t, "length", func() { QuantizePage(PageQ2, q, PageF32, page, 32) })
	mustPanic(t, "d", func() { LoadK(PageQ4, make([]float32, 31), q, 0) })
	mustPanic(t, "store", func() { StoreSlot(PageQ4, q, 0, make([]float32, 32), make([]float32, 32), 32) })
	var a Attention
	mustPanic(t, "start", func() { a.Start(PageQ4, make([]float32, 32), 1, 1, 32) })
	a.Start(PageBF16, make([]float32, 32), 1, 1, 32)
	mustPanic(t, "view", func() { a.Pages([]PageView{{Data: q, Format: PageQ2}}) })
}

// mixed is attention to pages of several formats; the attention has the numbers as they come back.
func mixed(t testing.TB, rng *rand.Rand, format PageFormat, formats []PageFormat, rows, d, pages int, draw func() uint64) paged {
	a := randomAttention(rng, rows, d, pages, draw)
	for i := range a.q { // scores with a standard deviation of about 1, as in TestAttentionError
		a.q[i] /= 3
	}
	p := pagedAttention(a, format)
	p.k, p.v = append([][]float32(nil), p.k...), append([][]float32(nil), p.v...)
	for i := range p.views {
		f := formats[rng.IntN(len(formats))]
		if f.bits() > 0 {
			p.views[i].Data, _ = randomQuantPage(t, rng, f, PageF32, d)
			p.views[i].Format = f
			p.k[i], p.v[i] = rowsOf(f, p.views[i].Data, d)
		}
	}
	return p
}

func eachMixed(t *testing.T, f func(t *testing.T, rng *rand.Rand, p paged)) {
	eachTier(t, func(t *testing.T) {
		for _, format := range pageFormats {
			for i, formats := range [][]PageFormat{{PageQ8}, {PageQ4}, {PageQ2}, {PageQ8, format, PageQ4, PageQ2, format}} {
				for kind := range len(maskKinds) + 1 {
					for _, d := range []int{32, 64, 96, 128} {
						rows := []int{1, 2, 4, 16, 37}[(i+kind+d/32)%5]
						rng := newRand(uint64(1000*d + 10*kind + i))
						name, draw := "all", func() uint64 { return ^uint64(0) }
						if kind < len(maskKinds) {
							name, draw = maskKinds[kind].name, func() uint64 { return maskKinds[kind].draw(rng) }
						}
						p := mixed(t, rng, format, formats, rows, d, 1+rng.IntN(6), draw)
						t.Run(fmt.Sprintf("%v/%v/%s/d=%d/rows=%d", format, formats, name, d, rows), func(t *testing.T) { f(t, rng, p) })
					}
				}
			}
		}
	})
}

// TestAttentionQuantised is within the bounds of attention to pages that are not quantised, against float64 on the numbers
// as they come back.
func TestAttentionQuantised(t *testing.T) {
	eachMixed(t, func(t *testing.T, _ *rand.Rand, p paged) {
		tolerance := map[PageFormat]float64{PageF32: 4e-6, PageBF16: 5e-3}[p.format]
		got := p.finish(0, p.rows, len(p.views))
		if e := relativeRMS(got, p.oracle()); !(e <= tolerance) {
			t.Errorf("relative error %.2g", e)
		}
	})
}

// TestAttentionQuantisedRows: a row alone, in any group, and over any number of calls gives the same bits.
func TestAttentionQuantisedRows(t *testing.T) {
	eachMixed(t, func(t *testing.T, rng *rand.Rand, p paged) {
		want := p.finish(0, p.rows, len(p.views))
		sameBits(t, "page by page", p.finish(0, p.rows, 1), want)
		for from := 0; from < p.rows; {
			to := from + 1 + rng.IntN(min(p.rows-from, 20))
			sameBits(t, "part", p.finish(from, to, 1+rng.IntN(len(p.views))), want[from*p.d:to*p.d])
			from = to
		}
	})
}

// TestAttentionQuantisedUnseen: pages that a row does not see leave its bits alone, whoever else sees them.
func TestAttentionQuantisedUnseen(t *testing.T) {
	eachMixed(t, func(t *testing.T, rng *rand.Rand, p paged) {
		r := rng.IntN(p.rows)
		want := p.finish(r, r+1, 2)
		own := p
		own.views = nil
		for _, view := range p.views {
			if view.Mask == nil || view.Mask[r] != 0 {
				own.views = append(own.views, view)
			}
		}
		sameBits(t, "row", own.finish(r, r+1, 2), want)
	})
}

// TestAttentionQuantisedPartial: halves of the pages merge to the whole.
func TestAttentionQuantisedPartial(t *testing.T) {
	eachMixed(t, func(t *testing.T, rng *rand.Rand, p paged) {
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
		if e := relativeRMS(o, doubles(want)); !(e <= map[PageFormat]float64{PageF32: 1e-6, PageBF16: 4e-3}[p.format]) {
			t.Errorf("relative difference %.2g", e)
		}
	})
}

// TestAttentionQuantisedScale: maxima that rise by hundreds neither overflow nor lose the largest, and a query that is
// not a number spoils its own row only.
func TestAttentionQuantisedScale(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		const d, rows = 64, 3
		for _, format := range pageFormats {
			for _, f := range quantFormats {
				var views []PageView
				for step := range 3 {
					src, page := alignedBytes(PageBytes(PageF32, d)), alignedBytes(PageBytes(f, d))
					k, v := make([]float32, PageTokens*d), filled(PageTokens*d, float32(step))
					for j := range PageTokens {
						k[j*d] = float32(300 * (step - 1))
					}
					StoreSlots(PageF32, src, 0, k, v, PageTokens, d)
					if !QuantizePage(f, page, PageF32, src, d) {
						t.Fatal("not quantised")
					}
					views = append(views, PageView{Data: page, Format: f})
				}
				q := make([]float32, rows*d)
				q[0], q[d], q[2*d] = 1, -1, nan
				var a Attention
				a.Start(format, q, 1, rows, d)
				a.Pages(views)
				out := make([]float32, rows*d)
				a.Finish(out)
				if math.Abs(float64(out[0])-2) > 4e-3 || out[d] != 0 || !math.IsNaN(float64(out[2*d])) {
					t.Errorf("%v in %v: %v, %v, %v", f, format, out[0], out[d], out[2*d])
				}
			}
		}
	})
}

// TestAttentionQuantisedFaint: where one key has nearly all of the weight but no value, and one channel of the queries and
// keys is far larger than the others, what remains is within the bounds all the same. Where pages are dequantised, products
// of that channel that are the same for all keys are rounded like any others, which kernels that read codes avoid.
func TestAttentionQuantisedFaint(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		tolerance := 2e-2
		if Tier() == "amx" {
			tolerance = 6e-3
		}
		for _, f := range quantFormats {
			for _, d := range []int{32, 64, 96, 128} {
				rng := newRand(uint64(d))
				k, v, q := normals(rng, PageTokens*d), normals(rng, PageTokens*d), normals(rng, 5*d)
				for j := range PageTokens {
					k[j*d] = 40
				}
				k[0] = 48
				clear(v[:d])
				for r := range 5 {
					q[r*d] = float32(math.Sqrt(float64(d)))
				}
				src, page := alignedBytes(PageBytes(PageF32, d)), alignedBytes(PageBytes(f, d))
				StoreSlots(PageF32, src, 0, k, v, PageTokens, d)
				if !QuantizePage(f, page, PageF32, src, d) {
					t.Fatal("not quantised")
				}
				dequantizePage(PageF32, src, f, page, d)
				attend := func(format PageFormat, view PageView) []float32 {
					var a Attention
					a.Start(format, q, 1/float32(math.Sqrt(float64(d))), 5, d)
					a.Pages([]PageView{view})
					out := make([]float32, 5*d)
					a.Finish(out)
					return out
				}
				got, want := attend(PageBF16, PageView{Data: page, Format: f}), attend(PageF32, PageView{Data: src})
				if e := relativeRMS(got, doubles(want)); !(e <= tolerance) {
					t.Errorf("%v, d=%d: relative difference %.2g", f, d, e)
				}
			}
		}
	})
}
