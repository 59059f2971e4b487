package kernels

import (
	"bytes"
	"fmt"
	"math"
	"testing"
)

// packedAs is a weight of random values, and rows of x set to it.
func packedAs(t testing.TB, p Precision, w *Matrix, x []float32, m int) (*Weight, *Rows) {
	t.Helper()
	packed, rows := w.Pack(nil, p), new(Rows)
	t.Cleanup(packed.Close)
	rows.Set(nil, p, x, m, w.Cols)
	return packed, rows
}

// productOracle is Product in float64 on operands rounded to the precision, and the sum of the absolute products.
func productOracle(p Precision, x []float32, w *Matrix, m int, e Epilogue, old []float32) (out, size []float64) {
	round := func(v float32) float64 {
		if p == PrecisionBF16 {
			v = fromBF16(nearestBF16(v))
		}
		return float64(v)
	}
	row := make([]float32, w.Cols)
	out, size = make([]float64, m*w.Rows), make([]float64, m*w.Rows)
	for c := range w.Rows {
		w.Row(row, c)
		for r := range m {
			at := r*w.Rows + c
			for k, v := range row {
				product := round(x[r*w.Cols+k]) * round(v)
				out[at] += product
				size[at] += math.Abs(product)
			}
			if e.Bias != nil {
				out[at] += float64(e.Bias[c])
			}
			if e.Add {
				out[at] += float64(old[at])
			}
		}
	}
	return out, size
}

// checkProduct holds the error of every element against the bound of a float32 sum in any order, half a unit for
// each of k additions, which is what is left after the operands' own rounding.
func checkProduct(t *testing.T, p Precision, dt DType, m, n, k, offset int, bias, add bool) {
	t.Helper()
	rng := newRand(uint64(m*1000003 + n*1009 + k))
	w, x, old := randomMatrix(t, rng, dt, n, k, offset), normals(rng, m*k), normals(rng, m*n)
	e := Epilogue{Add: add}
	if bias {
		e.Bias = normals(rng, n)
	}
	packed, rows := packedAs(t, p, w, x, m)
	out := append([]float32(nil), old...)
	if !add {
		out = filled(m*n, nan)
	}
	Product(nil, out, rows, packed, e)
	want, size := productOracle(p, x, w, m, e, old)
	for i := range out {
		bound := 6e-8 * (float64(k) + 8) * (size[i] + 8)
		if diff := math.Abs(float64(out[i]) - want[i]); !(diff <= bound) {
			t.Fatalf("%v %v m=%d n=%d k=%d offset=%d bias=%v add=%v: [%d] = %v, want %v ± %v",
				p, dt, m, n, k, offset, bias, add, i, out[i], want[i], bound)
		}
	}
}

func TestProduct(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for p := range precisionNames {
			p := Precision(p)
			for i, size := range sizes {
				dt, bias, add := DType(i%3), i%2 == 0, i%3 == 0
				checkProduct(t, p, dt, 3, 13, size, i%4, bias, add)
				checkProduct(t, p, dt, 2, size, 35, i%4, bias, !add)
				checkProduct(t, p, dt, size, 11, 19, i%4, !bias, add)
			}
			checkProduct(t, p, BF16, 70, 33, 1030, 0, true, true)
			checkProduct(t, p, BF16, 0, 33, 40, 0, true, true)
			checkProduct(t, p, F32, 5, 33, 0, 0, true, true)
			checkProduct(t, p, F32, 5, 0, 33, 0, false, true)
			if active != tierGo {
				checkProduct(t, p, BF16, 300, 70, 2100, 1, true, true)
			}
		}
	})
}

// TestProductTwin: a sum's order is the processor's, so the twin has its bits.
func TestProductTwin(t *testing.T) {
	requireAMX(t)
	rng := newRand(41)
	for _, s := range [][3]int{{1, 1, 1}, {1, 32, 32}, {5, 40, 100}, {16, 64, 64}, {17, 33, 65}, {33, 31, 800}, {70, 65, 2200}, {290, 40, 900}} {
		m, n, k := s[0], s[1], s[2]
		w, x := randomMatrix(t, rng, BF16, n, k, 0), normals(rng, m*k)
		packed, rows := packedAs(t, PrecisionBF16, w, x, m)
		e := Epilogue{Bias: normals(rng, n), Add: true}
		got := normals(rng, m*n)
		want := append([]float32(nil), got...)
		Product(nil, got, rows, packed, e)
		for b := range ceilDiv(m, rows.packed.block) {
			productBlockGo(want, rows, packed, &e, b, 0, ceilDiv(n, panelCols))
		}
		sameBits(t, fmt.Sprintf("m=%d n=%d k=%d", m, n, k), got, want)
	}
}

// TestProductBatch: a row alone and the same row in a batch have the same bits, on any number of threads.
func TestProductBatch(t *testing.T) {
	pools := []*Pool{nil, NewPool(3)}
	defer pools[1].Close()
	eachTier(t, func(t *testing.T) {
		for _, p := range Precisions() {
			for i, shape := range [][2]int{{45, 333}, {64, 256}, {7, 16}, {70, 2300}} {
				n, k := shape[0], shape[1]
				rng := newRand(5)
				const most = 600
				w, x := randomMatrix(t, rng, DType(i%3), n, k, i&1), normals(rng, most*k)
				bias := normals(rng, n)
				packed := w.Pack(nil, p)
				defer packed.Close()
				all := make([]float32, most*n)
				var rows Rows
				batches := []int{1, 2, 8, 15, 16, 17, 31, 32, 33, 64, 100, 256, 257, 300, most}
				if active == tierGo {
					batches = []int{1, 5, 16, 17, 40}
				}
				for r := range min(most, batches[len(batches)-1]) {
					rows.Set(nil, p, x[r*k:][:k], 1, k)
					Product(nil, all[r*n:][:n], &rows, packed, Epilogue{Bias: bias})
				}
				for _, m := range batches {
					for _, pool := range pools {
						out := filled(m*n, nan)
						rows.Set(pool, p, x[:m*k], m, k)
						Product(pool, out, &rows, packed, Epilogue{Bias: bias})
						sameBits(t, fmt.Sprintf("%v m=%d n=%d k=%d threads=%d", p, m, n, k, pool.Threads()), out, all[:m*n])
					}
				}
			}
		}
	})
}

// TestRows: the fused producers round what the plain kernels make.
func TestRows(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	eachTier(t, func(t *testing.T) {
		for _, p := range Precisions() {
			for _, s := range [][2]int{{1, 64}, {5, 33}, {19, 100}, {40, 257}} {
				m, k := s[0], s[1]
				rng := newRand(6)
				x, up, weight := normals(rng, m*k), normals(rng, m*k), normals(rng, k)
				normed, gated := make([]float32, m*k), append([]float32(nil), x...)
				RMSNorm(normed, x, weight, 1e-5, m, k)
				SiLUMul(gated, up)
				var want, got Rows
				want.Set(nil, p, normed, m, k)
				got.SetRMSNorm(pool, p, x, weight, 1e-5, m, k)
				sameRows(t, fmt.Sprintf("norm %v %d %d", p, m, k), &got, &want)
				want.Set(nil, p, gated, m, k)
				got.SetSiLUMul(pool, p, x, up, m, k)
				sameRows(t, fmt.Sprintf("gate %v %d %d", p, m, k), &got, &want)
			}
		}
	})
}

// sameRows compares by what a product sees: the rows times the identity.
func sameRows(t *testing.T, what string, got, want *Rows) {
	t.Helper()
	one := make([]float32, want.k*want.k)
	for i := range want.k {
		one[i*want.k+i] = 1
	}
	w, err := NewMatrix(F32, encode(F32, one, 0), want.k, want.k)
	if err != nil {
		t.Fatal(err)
	}
	packed := w.Pack(nil, want.precision)
	defer packed.Close()
	a, b := make([]float32, want.m*want.k), make([]float32, want.m*want.k)
	Product(nil, a, got, packed, Epilogue{})
	Product(nil, b, want, packed, Epilogue{})
	sameBits(t, what, a, b)
}

// TestPacked: the packed bytes are the same on every tier, serve as a weight, and are checked.
func TestPacked(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	for _, s := range [][2]int{{1, 1}, {32, 32}, {45, 333}, {100, 1056}} {
		for _, dt := range []DType{F32, BF16, F16} {
			w := randomMatrix(t, newRand(9), dt, s[0], s[1], s[0]&1)
			var first []byte
			eachTier(t, func(t *testing.T) {
				packed := w.Pack(pool, PrecisionBF16)
				defer packed.Close()
				if first == nil {
					first = alignedBytes(len(packed.PackedBytes()))
					copy(first, packed.PackedBytes())
				}
				if !bytes.Equal(first, packed.PackedBytes()) {
					t.Errorf("%v %v: other bytes than on %s", dt, s, Tiers()[0])
				}
				view := alignedBytes(len(first))
				copy(view, first)
				again, err := WeightFromPacked(view, s[0], s[1])
				if err != nil {
					t.Fatal(err)
				}
				defer again.Close()
				x := normals(newRand(10), 3*s[1])
				got, want := make([]float32, 3*s[0]), make([]float32, 3*s[0])
				var rows Rows
				rows.Set(nil, PrecisionBF16, x, 3, s[1])
				Product(nil, got, &rows, again, Epilogue{})
				Product(nil, want, &rows, packed, Epilogue{})
				sameBits(t, fmt.Sprint(dt, s), got, want)
				again.Settle(pool)
				clear(view)
				Product(nil, got, &rows, again, Epilogue{})
				sameBits(t, fmt.Sprint(dt, s, " settled"), got, want)
			})
			if _, err := WeightFromPacked(first[1:], s[0], s[1]); err == nil {
				t.Error("a byte is missing: no error")
			}
			room := alignedBytes(len(first) + 8)
			if _, err := WeightFromPacked(room[8:], s[0], s[1]); err == nil {
				t.Error("off the line: no error")
			}
		}
	}
}

func TestRoundBF16(t *testing.T) {
	x := []float32{0, float32(math.Copysign(0, -1)), 1, 1 + 1.0/256, 1 + 3.0/256, -1 - 1.0/256, 1 + 1.0/257, math.MaxFloat32,
		inf, ninf, nan, 1e-40, -1e-40, math.Float32frombits(0x00800000), math.Float32frombits(0x7f800001)}
	want := []uint16{0, 0x8000, 0x3f80, 0x3f80, 0x3f82, 0xbf80, 0x3f80, 0x7f80, 0x7f80, 0xff80, 0x7fc0, 0, 0x8000, 0x0080, 0x7fc0}
	rng := newRand(12)
	eachTier(t, func(t *testing.T) {
		for range 2 {
			got := make([]uint16, len(x))
			roundBF16(got, x)
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("%v (%#x): %#x, want %#x", x[i], math.Float32bits(x[i]), got[i], want[i])
				}
			}
			for range 1000 { // once more at a length for vectors
				v := math.Float32frombits(rng.Uint32())
				x, want = append(x, v), append(want, nearestBF16(v))
			}
		}
	})
}

func TestPrecision(t *testing.T) {
	for p, name := range precisionNames {
		if got, err := ParsePrecision(name); err != nil || got != Precision(p) || got.String() != name {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	if _, err := ParsePrecision("fp8"); err == nil {
		t.Error("fp8: no error")
	}
}

func TestProductShapes(t *testing.T) {
	w := randomMatrix(t, newRand(7), F32, 3, 4, 0)
	packed, rows := packedAs(t, PrecisionBF16, w, make([]float32, 8), 2)
	_, other := packedAs(t, PrecisionF32, w, make([]float32, 8), 2)
	mustPanic(t, "out", func() { Product(nil, make([]float32, 5), rows, packed, Epilogue{}) })
	mustPanic(t, "bias", func() { Product(nil, make([]float32, 6), rows, packed, Epilogue{Bias: make([]float32, 2)}) })
	mustPanic(t, "precision", func() { Product(nil, make([]float32, 6), other, packed, Epilogue{}) })
	mustPanic(t, "x", func() { new(Rows).Set(nil, PrecisionBF16, make([]float32, 7), 2, 4) })
	mustPanic(t, "pack", func() { w.Pack(nil, 9) })
}

func requireAMX(t testing.TB) {
	t.Helper()
	if !available(tierAMX) {
		t.Skip("no AMX here")
	}
	before := Tier()
	selectTier(t, "amx")
	t.Cleanup(func() { selectTier(t, before) })
}
