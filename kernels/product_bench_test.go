package kernels

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// productShapes are those of a small model and of one of a billion parameters, at prefill and decode: m, k, n.
var productShapes = [][3]int{{512, 576, 576}, {512, 576, 1536}, {512, 1536, 576}, {512, 2048, 2048}, {512, 2048, 8192},
	{512, 8192, 2048}, {2048, 576, 1536}, {2048, 2048, 2048}, {2048, 4096, 4096}, {64, 2048, 2048}, {8, 2048, 2048}, {1, 2048, 8192}}

// BenchmarkProduct is of one thread; x is rounded and put in order outside the time, as its producer's work.
func BenchmarkProduct(b *testing.B) {
	for _, p := range Precisions() {
		for _, s := range productShapes {
			m, k, n := s[0], s[1], s[2]
			b.Run(fmt.Sprintf("%v/m=%d/k=%d/n=%d", p, m, k, n), func(b *testing.B) {
				rng := newRand(8)
				w, x, out := randomMatrix(b, rng, BF16, n, k, 0), normals(rng, m*k), make([]float32, m*n)
				packed, rows := packedAs(b, p, w, x, m)
				benchmarkFlops(b, 2*m*n*k, func() { Product(nil, out, rows, packed, Epilogue{}) })
			})
		}
	}
}

// BenchmarkRows is the cost of rounding to bf16 and ordering, per value.
func BenchmarkRows(b *testing.B) {
	for _, s := range [][2]int{{1, 2048}, {512, 576}, {512, 2048}} {
		m, k := s[0], s[1]
		x, weight := normals(newRand(8), m*k), normals(newRand(9), k)
		for name, set := range map[string]func(rows *Rows){
			"set":  func(rows *Rows) { rows.Set(nil, PrecisionBF16, x, m, k) },
			"norm": func(rows *Rows) { rows.SetRMSNorm(nil, PrecisionBF16, x, weight, 1e-5, m, k) },
			"gate": func(rows *Rows) { rows.SetSiLUMul(nil, PrecisionBF16, x, x, m, k) },
		} {
			b.Run(fmt.Sprintf("%s/m=%d/k=%d", name, m, k), func(b *testing.B) {
				var rows Rows
				for b.Loop() {
					set(&rows)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*m*k), "ns/value")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// benchmarkFlops reports the speed of the fastest of many short runs, which others on the machine disturb least.
func benchmarkFlops(b *testing.B, perOp int, f func()) {
	inner := 1 + 200000/(perOp+1)
	best := time.Duration(math.MaxInt64)
	for b.Loop() {
		start := time.Now()
		for range inner {
			f()
		}
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(perOp*inner)/best.Seconds()/1e9, "best-GFLOP/s")
	b.ReportMetric(0, "ns/op")
}
