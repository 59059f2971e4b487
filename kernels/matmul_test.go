package kernels

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// matmulOracle is MatMul in float64.
func matmulOracle(x []float32, w *Matrix, m int) []float64 {
	out := make([]float64, m*w.Rows)
	row := make([]float32, w.Cols)
	for c := range w.Rows {
		w.Row(row, c)
		for r := range m {
			var s float64
			for k, v := range row {
				s += float64(x[r*w.Cols+k]) * float64(v)
			}
			out[r*w.Rows+c] = s
		}
	}
	return out
}

func checkMatMul(t *testing.T, dt DType, m, n, k, offset int) {
	t.Helper()
	rng := newRand(uint64(m*1000003 + n*1009 + k))
	w, x := randomMatrix(t, rng, dt, n, k, offset), normals(rng, m*k)
	out := filled(m*n, nan)
	MatMul(nil, out, x, w, m)
	what := fmt.Sprintf("%v m=%d n=%d k=%d offset=%d", dt, m, n, k, offset)
	tolerance := 2e-6 * math.Sqrt(float64(k)+1)
	near(t, what, out, matmulOracle(x, w, m), tolerance)
	if k > 0 {
		twin := make([]float32, m*n)
		matmulBlockGo(twin, x, w, 0, m, 0, n)
		near(t, what+" and twin", out, doubles(twin), tolerance)
	}
}

func TestMatMul(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for _, dt := range []DType{F32, BF16, F16} {
			for _, k := range sizes {
				checkMatMul(t, dt, 3, 13, k, k%3)
			}
			for _, n := range sizes {
				checkMatMul(t, dt, 2, n, 35, 0)
			}
			for _, m := range sizes {
				checkMatMul(t, dt, m, 11, 19, 0)
			}
			checkMatMul(t, dt, 70, 33, 1030, 0)
		}
		rng := newRand(4)
		for range 100 {
			checkMatMul(t, DType(rng.IntN(3)), rng.IntN(80), rng.IntN(80), rng.IntN(600), rng.IntN(4))
		}
	})
}

// TestMatMulBatch: a row alone and the same row in a batch have the same bits, on any number of threads.
func TestMatMulBatch(t *testing.T) {
	pools := []*Pool{nil, NewPool(2), NewPool(8)}
	defer pools[1].Close()
	defer pools[2].Close()
	eachTier(t, func(t *testing.T) {
		for i, shape := range [][2]int{{45, 333}, {64, 256}, {7, 16}, {35, 1100}} {
			rng := newRand(5)
			n, k := shape[0], shape[1]
			w, x := randomMatrix(t, rng, DType(i%3), n, k, i&1), normals(rng, 100*k)
			alone := make([]float32, 100*n)
			for r := range 100 {
				MatMul(nil, alone[r*n:][:n], x[r*k:][:k], w, 1)
			}
			for m := 1; m <= 100; m += 1 + m/41*30 {
				for _, p := range pools {
					out := filled(m*n, nan)
					MatMul(p, out, x[:m*k], w, m)
					sameBits(t, fmt.Sprintf("%v m=%d n=%d k=%d threads=%d", w.Type, m, n, k, p.Threads()), out, alone[:m*n])
				}
			}
			// A column does not depend on the columns beside it either.
			size := w.Type.Size()
			for c := range n {
				one, err := NewMatrix(w.Type, w.data[c*k*size:][:k*size], 1, k)
				if err != nil {
					t.Fatal(err)
				}
				var out [1]float32
				MatMul(nil, out[:], x[:k], one, 1)
				sameBits(t, fmt.Sprintf("%v column %d of %d, k=%d", w.Type, c, n, k), out[:], alone[c:][:1])
			}
		}
	})
}

// TestMatMulStorage: the storage type and alignment change nothing but the weights' rounding.
func TestMatMulStorage(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		rng := newRand(6)
		const m, n, k = 5, 37, 515
		half, x := randomMatrix(t, rng, BF16, n, k, 1), normals(rng, m*k)
		wide := make([]float32, n*k)
		Widen(wide, BF16, half.data)
		want, got := make([]float32, m*n), make([]float32, m*n)
		MatMul(nil, want, x, half, m)
		for offset := range 4 {
			full, err := NewMatrix(F32, encode(F32, wide, offset), n, k)
			if err != nil {
				t.Fatal(err)
			}
			MatMul(nil, got, x, full, m)
			sameBits(t, fmt.Sprint("f32 at offset ", offset), got, want)
		}
	})
}

func TestMatMulShapes(t *testing.T) {
	w := randomMatrix(t, newRand(7), F32, 3, 4, 0)
	mustPanic(t, "out", func() { MatMul(nil, make([]float32, 5), make([]float32, 8), w, 2) })
	mustPanic(t, "x", func() { MatMul(nil, make([]float32, 6), make([]float32, 9), w, 2) })
	mustPanic(t, "m", func() { MatMul(nil, nil, nil, w, -1) })
}

func BenchmarkMatMul(b *testing.B) {
	for _, name := range Tiers() {
		for _, dt := range []DType{F32, BF16} {
			for _, shape := range [][2]int{{256, 256}, {256, 704}, {2560, 256}, {2048, 2048}} {
				for _, m := range []int{1, 8, 64, 512} {
					n, k := shape[0], shape[1]
					b.Run(fmt.Sprintf("%s/%v/m=%d/n=%d/k=%d", name, dt, m, n, k), func(b *testing.B) {
						before := Tier()
						defer selectTier(b, before)
						selectTier(b, name)
						rng := newRand(8)
						w, x, out := randomMatrix(b, rng, dt, n, k, 0), normals(rng, m*k), make([]float32, m*n)
						benchmarkFlops(b, 2*m*n*k, func() { MatMul(nil, out, x, w, m) })
					})
				}
			}
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
