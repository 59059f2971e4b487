package kernels

import (
	"fmt"
	"math"
	"testing"
)

func TestAdd(t *testing.T) { eachTier(t, testAdd) }

func testAdd(t *testing.T) {
	rng := newRand(10)
	for _, n := range sizes {
		dst, src := normals(rng, n), normals(rng, n)
		want := make([]float64, n)
		for i := range want {
			want[i] = float64(dst[i] + src[i])
		}
		Add(dst, src)
		near(t, fmt.Sprint("n=", n), dst, want, 0)
	}
	mustPanic(t, "length", func() { Add(make([]float32, 2), make([]float32, 3)) })
}

func TestAddBias(t *testing.T) { eachTier(t, testAddBias) }

func testAddBias(t *testing.T) {
	rng := newRand(11)
	for _, n := range sizes {
		for rows := range 4 {
			x, bias := normals(rng, rows*n), normals(rng, n)
			want := make([]float64, rows*n)
			for i := range want {
				want[i] = float64(x[i] + bias[i%n])
			}
			AddBias(x, bias, rows)
			near(t, fmt.Sprint("n=", n), x, want, 0)
		}
	}
	mustPanic(t, "length", func() { AddBias(make([]float32, 5), make([]float32, 3), 2) })
}

func TestSiLUMul(t *testing.T) { eachTier(t, testSiLUMul) }

func testSiLUMul(t *testing.T) {
	rng := newRand(12)
	for _, n := range sizes {
		gate, up := normals(rng, n), normals(rng, n)
		for i := range gate {
			gate[i] *= 10
		}
		want := make([]float64, n)
		for i, x := range gate {
			want[i] = float64(x) / (1 + math.Exp(-float64(x))) * float64(up[i])
		}
		SiLUMul(gate, up)
		near(t, fmt.Sprint("n=", n), gate, want, 5e-7)
	}
	extreme := []float32{200, -200, 0, 3e38, -3e38}
	SiLUMul(extreme, filled(5, 1))
	near(t, "extremes", extreme, []float64{200, 0, 0, float64(float32(3e38)), 0}, 0)
	mustPanic(t, "length", func() { SiLUMul(make([]float32, 2), make([]float32, 3)) })
}

func TestRMSNorm(t *testing.T) { eachTier(t, testRMSNorm) }

func testRMSNorm(t *testing.T) {
	rng := newRand(13)
	for _, dim := range sizes {
		for rows := range 4 {
			x, weight := normals(rng, rows*dim), normals(rng, dim)
			want := make([]float64, rows*dim)
			for r := range rows {
				sum := 0.0
				for _, v := range x[r*dim:][:dim] {
					sum += float64(v) * float64(v)
				}
				for i := range dim {
					want[r*dim+i] = float64(x[r*dim+i]) / math.Sqrt(sum/float64(dim)+1e-5) * float64(weight[i])
				}
			}
			out := filled(rows*dim, nan)
			RMSNorm(out, x, weight, 1e-5, rows, dim)
			near(t, fmt.Sprint("dim=", dim), out, want, 3e-7)
			RMSNorm(x, x, weight, 1e-5, rows, dim)
			sameBits(t, "in place", x, out)
		}
	}
	zero := make([]float32, 8)
	RMSNorm(zero, zero, filled(8, 1), 1e-6, 1, 8)
	near(t, "zero", zero, make([]float64, 8), 0)
	mustPanic(t, "weight", func() { RMSNorm(zero, zero, zero[:7], 0, 1, 8) })
}

func TestRotateHalf(t *testing.T) { eachTier(t, testRotateHalf) }

func testRotateHalf(t *testing.T) {
	rng := newRand(14)
	for _, dim := range []int{1, 2, 3, 8, 15, 64, 65, 128} {
		for _, half := range []int{0, 1, dim / 4, dim / 2} {
			if 2*half > dim {
				continue
			}
			const heads = 3
			x, cos, sin := normals(rng, heads*dim), normals(rng, half), normals(rng, half)
			want := make([]float64, len(x))
			for i, v := range x {
				h, t := i/dim*dim, i%dim
				switch {
				case t < half:
					want[i] = float64(v)*float64(cos[t]) - float64(x[h+t+half])*float64(sin[t])
				case t < 2*half:
					want[i] = float64(v)*float64(cos[t-half]) + float64(x[h+t-half])*float64(sin[t-half])
				default:
					want[i] = float64(v)
				}
			}
			RotateHalf(x, cos, sin, heads, dim)
			near(t, fmt.Sprintf("dim=%d half=%d", dim, half), x, want, 5e-7)
		}
	}
	x := make([]float32, 6)
	mustPanic(t, "too many pairs", func() { RotateHalf(x, x[:2], x[:2], 2, 3) })
	mustPanic(t, "sin", func() { RotateHalf(x, x[:1], x[:2], 2, 3) })
}

func TestMinMax(t *testing.T) { eachTier(t, testMinMax) }

func testMinMax(t *testing.T) {
	rng := newRand(15)
	for _, dim := range sizes {
		for _, rows := range []int{0, 1, 2, 16, 33} {
			x := normals(rng, rows*dim)
			lo, hi := filled(dim, 7), filled(dim, 7)
			MinMax(lo, hi, x, rows, dim)
			for t0 := range dim {
				low, high := inf, ninf
				for r := range rows {
					low, high = min(low, x[r*dim+t0]), max(high, x[r*dim+t0])
				}
				if lo[t0] != low || hi[t0] != high {
					t.Fatalf("rows=%d dim=%d: channel %d in [%v, %v], want [%v, %v]", rows, dim, t0, lo[t0], hi[t0], low, high)
				}
			}
		}
	}
	lo, hi := make([]float32, 2), make([]float32, 2)
	MinMax(lo, hi, []float32{nan, nan, 3, nan, nan, nan}, 3, 2)
	sameBits(t, "lo with NaN", lo, []float32{3, inf})
	sameBits(t, "hi with NaN", hi, []float32{3, ninf})
	mustPanic(t, "lo", func() { MinMax(lo[:1], hi, nil, 0, 2) })
}
