package kernels

import (
	"fmt"
	"testing"
)

// TestProductOrder: in f32 a sum adds up its products column by column. The products of values of bf16 are exact, so
// every tier has the bits of that loop, for any number of rows, with an epilogue, and whatever columns are beside it.
func TestProductOrder(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		rng := newRand(11)
		for i, shape := range [][2]int{{1, 1}, {47, 3}, {48, 127}, {49, 128}, {50, 129}, {97, 514}, {10, 4500}} {
			n, k := shape[0], shape[1]
			dt := DType(i % 2) // F32 and BF16
			most := 19
			if active != tierGo {
				most = 270
			}
			half := randomMatrix(t, rng, BF16, n, k, 1)
			x, bias, old, w := make([]float32, most*k), normals(rng, n), normals(rng, most*n), make([]float32, n*k)
			Widen(x, BF16, encode(BF16, normals(rng, most*k), 0))
			Widen(w, BF16, half.data)
			full, err := NewMatrix(F32, encode(F32, w, i%4), n, k)
			if err != nil {
				t.Fatal(err)
			}
			packed := map[DType]*Matrix{F32: full, BF16: half}[dt].Pack(nil, PrecisionF32)
			defer packed.Close()
			want := make([]float32, most*n)
			for r := range most {
				for c := range n {
					var sum float32
					for j := range k {
						sum = float32(float64(sum) + float64(x[r*k+j])*float64(w[c*k+j]))
					}
					want[r*n+c] = sum + bias[c]
					want[r*n+c] += old[r*n+c]
				}
			}
			for _, m := range []int{1, 2, 3, 4, 7, 8, 13, most} {
				var rows Rows
				rows.Set(nil, PrecisionF32, x[:m*k], m, k)
				out := append([]float32(nil), old[:m*n]...)
				Product(nil, out, &rows, packed, Epilogue{Bias: bias, Add: true})
				sameBits(t, fmt.Sprintf("%v m=%d n=%d k=%d", dt, m, n, k), out, want[:m*n])
			}
		}
	})
}

// TestProductStorage: the storage type and alignment change nothing but the weights' rounding.
func TestProductStorage(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		rng := newRand(6)
		const n, k = 37, 515
		for _, m := range []int{1, 5, 64} {
			for _, dt := range []DType{BF16, F16} {
				half, x := randomMatrix(t, rng, dt, n, k, 1), normals(rng, m*k)
				wide := make([]float32, n*k)
				Widen(wide, dt, half.data)
				want, got := make([]float32, m*n), make([]float32, m*n)
				packed := half.Pack(nil, PrecisionF32)
				times(nil, want, x, packed, m)
				packed.Close()
				for offset := range 4 {
					full, err := NewMatrix(F32, encode(F32, wide, offset), n, k)
					if err != nil {
						t.Fatal(err)
					}
					packed := full.Pack(nil, PrecisionF32)
					times(nil, got, x, packed, m)
					packed.Close()
					sameBits(t, fmt.Sprint(dt, " m=", m, ", f32 at offset ", offset), got, want)
				}
			}
		}
	})
}

// TestProductTwinF32: the kernels and their twin agree within the rounding of the products.
func TestProductTwinF32(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		rng := newRand(13)
		for _, m := range []int{1, 2, 5, 12} {
			const k, stride = 77, 80
			sums, x, panel := normals(rng, m*gemmCols), normals(rng, m*stride), normals(rng, k*gemmCols)
			twin := append([]float32(nil), sums...)
			gemmRowsGo(twin, x, panel, stride)
			gemmRows(sums, x, panel, nil, stride, &Weight{Rows: gemmCols}, nil)
			near(t, fmt.Sprint("m=", m), sums, doubles(twin), 1e-5)
		}
	})
}
