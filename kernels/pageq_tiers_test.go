package kernels

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestQuantisedPageTiers: pages, and what comes back of them, are the portable twin's, byte for byte. Half of the pages
// have codes of all values, in every place.
func TestQuantisedPageTiers(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		tier := Tier()
		defer selectTier(t, tier)
		for _, f := range quantFormats {
			for _, from := range pageFormats {
				for _, d := range []int{32, 64, 96, 128, 256} {
					what := fmt.Sprintf("%v from %v, d=%d", f, from, d)
					selectTier(t, "go")
					page, src := randomQuantPage(t, newRand(uint64(d)), f, from, d)
					selectTier(t, tier)
					got := alignedBytes(len(page))
					if !QuantizePage(f, got, from, src, d) || !bytes.Equal(got, page) {
						t.Errorf("%s: not the twin's page", what)
					}
					samePages(t, what, f, page, d)
					rng := newRand(uint64(d) + 1)
					for i := range PageTokens * d * f.bits() / 4 {
						page[i] = byte(rng.Uint32())
					}
					samePages(t, what+", all codes", f, page, d)
				}
			}
		}
	})
}

// samePages compares a page's way back on this tier with the portable twin's.
func samePages(t *testing.T, what string, f PageFormat, page []byte, d int) {
	t.Helper()
	tier := Tier()
	for _, to := range pageFormats {
		got, want := alignedBytes(PageBytes(to, d)), alignedBytes(PageBytes(to, d))
		dequantizePage(to, got, f, page, d)
		selectTier(t, "go")
		dequantizePage(to, want, f, page, d)
		selectTier(t, tier)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the page of %v is not the twin's", what, to)
		}
	}
}

// FuzzAttentionQuantised draws pages of random formats, masks, rows and dimensions, and compares with attention to the
// same numbers in pages that are not quantised: the same bits where pages are dequantised, and within bf16's error where
// a kernel reads their codes. Quest over KIVI is the case that whole pages are seen by some rows only.
func FuzzAttentionQuantised(f *testing.F) {
	for seed := range uint64(48) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		eachTier(t, func(t *testing.T) {
			for _, format := range pageFormats {
				compareQuantised(t, newRand(seed), format)
			}
		})
	})
}

func compareQuantised(t *testing.T, rng *rand.Rand, format PageFormat) {
	d, rows, pages := QuantGroup*(1+rng.IntN(5)), 1+rng.IntN(40), 1+rng.IntN(9)
	q := normals(rng, rows*d)
	views, wide, own := make([]PageView, pages), make([]PageView, pages), make([]PageView, pages)
	sees := make([]bool, rows)
	for i := range views {
		f := quantFormats[rng.IntN(len(quantFormats))]
		page, _ := randomQuantPage(t, rng, f, PageF32, d)
		views[i] = PageView{Data: page, Format: f, Mask: randomMasks(rng, rows)}
		for r := range rows {
			sees[r] = sees[r] || views[i].Mask == nil || views[i].Mask[r] != 0
		}
		wide[i] = PageView{Data: alignedBytes(PageBytes(PageF32, d)), Mask: views[i].Mask}
		dequantizePage(PageF32, wide[i].Data, f, page, d)
		own[i] = PageView{Data: alignedBytes(PageBytes(format, d)), Mask: views[i].Mask}
		dequantizePage(format, own[i].Data, f, page, d)
		if rng.IntN(4) == 0 { // some pages are not quantised
			views[i] = own[i]
		}
	}
	attend := func(format PageFormat, views []PageView) []float32 {
		var a Attention
		a.Start(format, q, 0.3/float32(math.Sqrt(float64(d))), rows, d)
		a.Pages(views)
		out := make([]float32, rows*d)
		a.Finish(out)
		return out
	}
	got, what := attend(format, views), fmt.Sprintf("%v, d=%d, rows=%d, pages=%d", format, d, rows, pages)
	if format == PageF32 || Tier() != "amx" {
		sameBits(t, what, got, attend(format, own))
	}
	tolerance := map[PageFormat]float64{PageF32: 4e-6, PageBF16: 6e-3}[format]
	if e := relativeRMS(got, doubles(attend(PageF32, wide))); !(e <= tolerance) {
		t.Errorf("%s: relative difference %.2g", what, e)
	}
	for r, seen := range sees {
		if !seen {
			sameBits(t, what+": a row that sees nothing", got[r*d:][:d], make([]float32, d))
		}
	}
}

// randomMasks is what rows see of a page: all, whole pages or nothing by the row, a part of any density, or one slot.
func randomMasks(rng *rand.Rand, rows int) []uint64 {
	kind := rng.IntN(5)
	if kind == 0 {
		return nil
	}
	masks := make([]uint64, rows)
	for r := range masks {
		switch kind {
		case 1:
			masks[r] = -uint64(rng.IntN(2))
		case 2:
			masks[r] = rng.Uint64()
		case 3:
			masks[r] = rng.Uint64() & rng.Uint64() & rng.Uint64() & rng.Uint64()
		case 4:
			masks[r] = 1 << rng.IntN(PageTokens)
		}
	}
	return masks
}
