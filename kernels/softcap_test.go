package kernels

import (
	"math"
	"slices"
	"testing"
)

func TestSoftCap(t *testing.T) {
	for _, limit := range []float32{1, 10, 50} {
		x := append(normals(newRand(1), 1000), 0, -0, 1e-8, 30, -30, 1e30, -1e30, float32(math.Inf(1)), float32(math.Inf(-1)))
		for i := range x {
			x[i] *= limit
		}
		got := slices.Clone(x)
		SoftCap(got, limit)
		for i, v := range x {
			if want := float64(limit) * math.Tanh(float64(v)/float64(limit)); !(math.Abs(float64(got[i])-want) <= 2e-7*float64(limit)) {
				t.Errorf("SoftCap(%g, %g) = %g, want %g", v, limit, got[i], want)
			}
		}
		if nan := []float32{float32(math.NaN())}; true {
			if SoftCap(nan, limit); nan[0] == nan[0] {
				t.Errorf("a NaN becomes %g", nan[0])
			}
		}
	}
}

// TestStartCapped holds attention with a bound against its definition, in pages of every format, and against itself in other calls.
func TestStartCapped(t *testing.T) {
	const rows, d, pages, limit = 21, 64, 3, 1.5
	eachTier(t, func(t *testing.T) {
		rng := newRand(7)
		q, k, v := normals(rng, rows*d), normals(rng, pages*PageTokens*d), normals(rng, pages*PageTokens*d)
		for i := range v { // bf16 holds them exactly
			k[i], v[i] = fromBF16(nearestBF16(k[i])), fromBF16(nearestBF16(v[i]))
		}
		mask := make([][]uint64, pages)
		for p := range mask {
			for range rows {
				mask[p] = append(mask[p], (rng.Uint64()|1)&^(1<<7))
			}
		}
		scale := float32(1 / math.Sqrt(d))
		for _, format := range []PageFormat{PageF32, PageBF16, PageQ8} {
			own := format
			if format == PageQ8 {
				own = PageBF16
			}
			var views []PageView
			keys, values := slices.Clone(k), slices.Clone(v)
			for p := range pages {
				data := alignedBytes(PageBytes(own, d))
				for j := range data {
					data[j] = 0xff // NaN where nobody looks
				}
				for j := range PageTokens {
					if format == own && j == 7 {
						continue
					}
					at := (p*PageTokens + j) * d
					StoreSlot(own, data, j, k[at:at+d], v[at:at+d], d)
				}
				if format != own {
					packed := alignedBytes(PageBytes(format, d))
					QuantizePage(format, packed, own, data, d)
					data = packed
					for j := range PageTokens {
						at := (p*PageTokens + j) * d
						LoadK(format, keys[at:at+d], data, j)
						LoadV(format, values[at:at+d], data, j)
					}
				}
				views = append(views, PageView{Data: data, Mask: mask[p], Format: format})
			}
			var a Attention
			a.StartCapped(own, q, scale, limit, rows, d)
			a.Pages(views)
			got := make([]float32, rows*d)
			a.Finish(got)
			for r := range rows {
				want, sum := make([]float64, d), 0.0
				for i := range pages * PageTokens {
					if mask[i/PageTokens][r]>>(i%PageTokens)&1 == 0 {
						continue
					}
					s := 0.0
					for c := range d {
						s += float64(q[r*d+c]) * float64(keys[i*d+c]) * float64(scale)
					}
					w := math.Exp(limit * math.Tanh(s/limit))
					sum += w
					for c := range d {
						want[c] += w * float64(values[i*d+c])
					}
				}
				for c := range d {
					tol := 1e-5
					if format == PageQ8 {
						tol = 1e-2 // dequantised numbers are rounded to bf16
					}
					if !(math.Abs(float64(got[r*d+c])-want[c]/sum) < tol) {
						t.Fatalf("%v row %d channel %d is %g, want %g", format, r, c, got[r*d+c], want[c]/sum)
					}
				}
			}
			a.StartCapped(own, q[5*d:6*d], scale, limit, 1, d)
			for p := range views {
				one := views[p]
				one.Mask = one.Mask[5:6]
				a.Pages([]PageView{one})
			}
			alone := make([]float32, d)
			if a.Finish(alone); !slices.Equal(alone, got[5*d:6*d]) {
				t.Errorf("%v: a row alone, a page at a time, has other bits", format)
			}
		}
	})
}

func TestGELUMul(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		gate := append(normals(newRand(2), 500), 0, 10, -10, 100, -100)
		up := normals(newRand(3), len(gate))
		got, spent := slices.Clone(gate), slices.Clone(up)
		GELUMul(got, spent)
		for i, v := range gate {
			x := float64(v)
			want := x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) * float64(up[i])
			if !(math.Abs(float64(got[i])-want) <= 1e-6*(1+math.Abs(want))) {
				t.Errorf("gelu(%g)·%g = %g, want %g", v, up[i], got[i], want)
			}
		}
	})
}

// TestRotatePairs compares with Rotate of dimensions put in its order.
func TestRotatePairs(t *testing.T) {
	const rows, heads, dim, half = 3, 2, 10, 4
	rng := newRand(4)
	x, cos, sin := normals(rng, rows*heads*dim), normals(rng, rows*half), normals(rng, rows*half)
	place := func(c int) int { // of dimension c in the order of Rotate
		if c >= 2*half {
			return c
		}
		return c%2*half + c/2
	}
	moved := make([]float32, len(x))
	for i, v := range x {
		moved[i/dim*dim+place(i%dim)] = v
	}
	Rotate(moved, cos, sin, rows, heads, dim, half)
	RotatePairs(x, cos, sin, rows, heads, dim, half)
	for i, v := range x {
		if moved[i/dim*dim+place(i%dim)] != v {
			t.Errorf("number %d is %g, want %g", i, v, moved[i/dim*dim+place(i%dim)])
		}
	}
}

func TestMatrixSlice(t *testing.T) {
	m, err := NewMatrix(BF16, []byte{0x80, 0x3f, 0, 0x40, 0x40, 0x40, 0x80, 0x40, 0xa0, 0x40, 0xc0, 0x40}, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	part, row := m.Slice(1, 3), make([]float32, 2)
	if part.Row(row, 1); part.Rows != 2 || row[0] != 5 || row[1] != 6 {
		t.Errorf("%d rows, the last %v", part.Rows, row)
	}
}
