package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestKeyScoresAndUpperBound(t *testing.T) { eachTier(t, testKeyScoresAndUpperBound) }

func testKeyScoresAndUpperBound(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, d := range []int{1, 2, 3, 16, 63, 64, 65} {
		for _, n := range []int{0, 1, 7, 8, 9, 31, 64} {
			q, k := make([]float32, d), make([]float32, n*d)
			lo, hi := make([]float32, d), make([]float32, d)
			for i := range q {
				q[i], lo[i], hi[i] = r.Float32()-0.5, float32(math.Inf(1)), float32(math.Inf(-1))
			}
			for i := range k {
				k[i] = r.Float32() - 0.5
				lo[i%d], hi[i%d] = min(lo[i%d], k[i]), max(hi[i%d], k[i])
			}
			got := make([]float32, n)
			KeyScores(got, q, k, 0.5)
			for i := range got {
				var want float64
				for j := range q {
					want += float64(q[j]) * float64(k[i*d+j])
				}
				if math.Abs(want*0.5-float64(got[i])) > 1e-5 {
					t.Fatalf("d=%d n=%d key %d: %g, want %g", d, n, i, got[i], want*0.5)
				}
				if bound := UpperBound(q, lo, hi); float64(bound) < want-1e-5 {
					t.Fatalf("d=%d n=%d: bound %g below product %g", d, n, bound, want)
				}
			}
		}
	}
}

func TestUpperBoundOracle(t *testing.T) { eachTier(t, testUpperBoundOracle) }

func testUpperBoundOracle(t *testing.T) {
	for _, c := range []struct {
		q, lo, hi []float32
		want      float32
	}{
		{nil, nil, nil, 0},
		{[]float32{2}, []float32{-1}, []float32{3}, 6},
		{[]float32{-2, 1, -1}, []float32{-1, -5, 1}, []float32{3, 4, 2}, 2 + 4 - 1},
	} {
		if got := UpperBound(c.q, c.lo, c.hi); got != c.want {
			t.Errorf("UpperBound(%v, %v, %v) = %g, want %g", c.q, c.lo, c.hi, got, c.want)
		}
	}
}
