package kernels

import (
	"fmt"
	"testing"
)

// BenchmarkPageQuantised is the way of a page of PageF32 to codes and back to either format, on every tier, in GB/s of
// float32.
func BenchmarkPageQuantised(b *testing.B) {
	before := Tier()
	defer selectTier(b, before)
	for _, tier := range Tiers() {
		for _, d := range []int{64, 128} {
			for _, f := range quantFormats {
				selectTier(b, tier)
				page, src := randomQuantPage(b, newRand(1), f, PageF32, d)
				name, bytes := fmt.Sprintf("%s/%v/d=%d/", tier, f, d), float64(len(src))
				run := func(what string, work func()) {
					b.Run(name+what, func(b *testing.B) { selectTier(b, tier); benchmarkThread(b, bytes, "GB/s", work) })
				}
				run("quantise", func() { QuantizePage(f, page, PageF32, src, d) })
				for _, to := range pageFormats {
					back := alignedBytes(PageBytes(to, d))
					run("to-"+to.String(), func() { dequantizePage(to, back, f, page, d) })
				}
			}
		}
	}
}
