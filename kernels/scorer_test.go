package kernels

import (
	"fmt"
	"math"
	"testing"
)

// TestScorer compares with the definition, for all formats, and wants a query's products to be the same beside any others.
func TestScorer(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for _, d := range []int{32, 64, 128, 40} {
			for _, format := range []PageFormat{PageF32, PageBF16, PageQ8, PageQ4, PageQ2} {
				if format.bits() > 0 && d%QuantGroup != 0 {
					continue
				}
				t.Run(fmt.Sprintf("%v of %d", format, d), func(t *testing.T) { scorer(t, format, d) })
			}
		}
	})
}

func scorer(t *testing.T, format PageFormat, d int) {
	r := newRand(3)
	k, v := normals(r, PageTokens*d), normals(r, PageTokens*d)
	base := PageF32
	if format == PageBF16 {
		base = PageBF16
	}
	page := alignedBytes(PageBytes(base, d))
	StoreSlots(base, page, 0, k, v, PageTokens, d)
	if format.bits() > 0 {
		packed := alignedBytes(PageBytes(format, d))
		if !QuantizePage(format, packed, base, page, d) {
			t.Fatal("the page cannot be quantised")
		}
		page = packed
	}
	const most = 70
	q := normals(r, most*d)
	var s Scorer
	var all []float32
	for _, m := range []int{most, 1, 17, 33} {
		s.Start(base, q[:m*d], 0.25, m, d)
		got := make([]float32, m*PageTokens)
		s.Page(got, format, page)
		s.Page(got, format, page) // memory is used again
		if all == nil {
			all = got
		}
		key := make([]float32, d)
		for j := range PageTokens {
			LoadK(format, key, page, j)
			for i := range m {
				var want, size float64
				for c, x := range key {
					want += 0.25 * float64(q[i*d+c]) * float64(x)
					size += 0.25 * math.Abs(float64(q[i*d+c])*float64(x))
				}
				x := got[i*PageTokens+j]
				if math.Abs(float64(x)-want) > size/128 { // bf16 rounds to one part in 256
					t.Fatalf("query %d of %d, key %d: %g, want %g", i, m, j, x, want)
				}
				if x != all[i*PageTokens+j] {
					t.Fatalf("query %d, key %d: %g beside %d others, %g beside %d", i, j, x, m, all[i*PageTokens+j], most)
				}
			}
		}
	}
}

// BenchmarkScorer is the rate of products of many queries with pages, in floating-point operations.
func BenchmarkScorer(b *testing.B) {
	for _, format := range []PageFormat{PageF32, PageBF16} {
		b.Run(format.String(), func(b *testing.B) {
			const m, d, pages = 256, 64, 32
			r := newRand(1)
			q := normals(r, m*d)
			data := make([][]byte, pages)
			for i := range data {
				data[i] = alignedBytes(PageBytes(format, d))
				StoreSlots(format, data[i], 0, normals(r, PageTokens*d), normals(r, PageTokens*d), PageTokens, d)
			}
			dst := make([]float32, m*PageTokens)
			var s Scorer
			for b.Loop() {
				s.Start(format, q, 1, m, d)
				for _, page := range data {
					s.Page(dst, format, page)
				}
			}
			b.ReportMetric(2*m*d*PageTokens*pages*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
