package kernels

import (
	"fmt"
	"math"
	"testing"
)

// TestNEONDots: the four ways to an inner product give the same bits, for every length of the tail.
func TestNEONDots(t *testing.T) {
	rng := newRand(70)
	const rows, stride = 12, 45 // twelve is a group of eight and single ones
	for n := 1; n <= stride; n++ {
		x, half := normals(rng, 4*stride), randomMatrix(t, rng, BF16, rows, stride, 0)
		w := make([]float32, rows*stride)
		Widen(w, BF16, half.data)
		start := normals(rng, 4*rows)
		for add := range 2 {
			want := append([]float32(nil), start...)
			for r := range 4 {
				for c := range rows {
					dotNEON(&want[r*rows+c], &x[r*stride], &w[c*stride], stride, n, 1, add)
				}
			}
			what := fmt.Sprintf("n=%d add=%d", n, add)
			got := append([]float32(nil), start...)
			dot4NEON(&got[0], rows, &x[0], stride, &w[0], stride, n, rows, add)
			sameBits(t, what+" four", got, want)
			single, wide := append([]float32(nil), start...), append([]float32(nil), start...)
			for r := range 4 {
				dotNEON(&single[r*rows], &x[r*stride], &w[0], stride, n, rows, add)
				dotBF16NEON(&wide[r*rows], &x[r*stride], &half.bf16[0], stride, n, rows, add)
			}
			sameBits(t, what+" eight", single, want)
			sameBits(t, what+" bf16", wide, want)
		}
	}
}

// TestNEONSpecials: comparisons pass over NaN of either kind, and keep the zero that came first.
func TestNEONSpecials(t *testing.T) {
	before := Tier()
	defer selectTier(t, before)
	selectTier(t, "neon")
	rng := newRand(71)
	special := []float32{nan, math.Float32frombits(0x7f800001), inf, ninf, 0, float32(math.Copysign(0, -1)), 1, -1}
	for range 200 {
		const rows, dim = 5, 48
		x := make([]float32, rows*dim)
		for i := range x {
			x[i] = special[rng.IntN(len(special))]
		}
		lo, hi, lo2, hi2 := filled(dim, inf), filled(dim, ninf), filled(dim, inf), filled(dim, ninf)
		minMax(lo, hi, x, rows, dim)
		minMaxGo(lo2, hi2, x, rows, dim, 0)
		sameBits(t, "lo", lo, lo2)
		sameBits(t, "hi", hi, hi2)
		for n := range dim {
			row := x[rng.IntN(dim):][:n]
			if got, want := maxOf(row), maxOfGo(row); got != want {
				t.Fatalf("maxOf(%v) = %v, want %v", row, got, want)
			}
			v := special[rng.IntN(len(special))]
			if got, want := find(row, v), findGo(row, v); got != want {
				t.Fatalf("find(%v, %v) = %d, want %d", row, v, got, want)
			}
		}
	}
	x := filled(16, nan)
	SiLUMul(x, filled(16, 1))
	if x[3] == x[3] {
		t.Errorf("silu of NaN = %v", x[3])
	}
}
