package kernels

import (
	"fmt"
	"testing"
)

// BenchmarkCapped compares attention with a bound on scores with attention without one: queries of a tile, and of a group.
func BenchmarkCapped(b *testing.B) {
	const d, pages = 256, 64
	rng := newRand(1)
	for _, format := range pageFormats {
		var views []PageView
		for range pages {
			data := alignedBytes(PageBytes(format, d))
			StoreSlots(format, data, 0, normals(rng, PageTokens*d), normals(rng, PageTokens*d), PageTokens, d)
			views = append(views, PageView{Data: data})
		}
		for _, rows := range []int{2, 256} {
			q, out := normals(rng, rows*d), make([]float32, rows*d)
			for _, limit := range []float32{0, 50} {
				b.Run(fmt.Sprintf("%v/rows=%d/limit=%g", format, rows, limit), func(b *testing.B) {
					var a Attention
					for range b.N {
						a.StartCapped(format, q, 1.0/16, limit, rows, d)
						a.Pages(views)
						a.Finish(out)
					}
					b.ReportMetric(float64(4*rows*d*pages*PageTokens)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOPS")
				})
			}
		}
	}
}
