package kernels

import (
	"fmt"
	"math"
	"testing"
)

// BenchmarkAttentionDecodeQuantised is few queries over 16K tokens at a time, of many heads that no cache holds and of one
// that does, in each format on the AMX tier. It reports the time for 16K tokens, and how many times faster than bf16.
func BenchmarkAttentionDecodeQuantised(b *testing.B) {
	before := Tier()
	defer selectTier(b, before)
	best := Tiers()[len(Tiers())-1]
	own := PageF32
	if best == "amx" {
		own = PageBF16
	}
	const n = 16384 / PageTokens
	for _, shape := range [][2]int{{64, 2}, {128, 4}, {128, 8}, {64, 1}, {64, 16}} {
		d, rows := shape[0], shape[1]
		for _, heads := range []int{1, 32} {
			base := 0.0
			for _, f := range []PageFormat{own, PageQ8, PageQ4, PageQ2} {
				b.Run(fmt.Sprintf("%s/%v/d=%d/rows=%d/heads=%d", best, f, d, rows, heads), func(b *testing.B) {
					selectTier(b, best)
					rng := newRand(1)
					pages := context(b, rng, own, n*heads*PageTokens, d)
					if f != own {
						memory, free := hugeBytes(len(pages) * PageBytes(f, d))
						b.Cleanup(free)
						for i := range pages {
							page := memory[i*PageBytes(f, d):][:PageBytes(f, d)]
							if i == 0 {
								QuantizePage(f, page, own, pages[i].Data, d)
							} else {
								copy(page, memory)
							}
							pages[i] = PageView{Data: page, Format: f}
						}
					}
					q, out := normals(rng, rows*d), make([]float32, rows*d)
					var a Attention
					seconds := benchmarkThread(b, float64(len(pages)*PageBytes(f, d)), "GB/s", func() {
						for h := range heads {
							a.Start(own, q, 1/float32(math.Sqrt(float64(d))), rows, d)
							a.Pages(pages[h*n:][:n])
							a.Finish(out)
						}
					}) / float64(heads)
					if f == own {
						base = seconds
					}
					b.ReportMetric(1e6*seconds, "µs")
					b.ReportMetric(base/seconds, "x")
				})
			}
		}
	}
}
