package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// quantised is the result of one quantisation and of the way back.
type quantised struct {
	codes         []uint32
	scale, lo, x2 []float32
}

func quantKeys(x []float32, params DType, bits, groups, dim int) quantised {
	q := quantised{make([]uint32, groups*bits*dim), filled(groups*dim, nan), filled(groups*dim, nan), filled(len(x), nan)}
	QuantizeKeys(q.codes, q.scale, q.lo, x, params, bits, groups, dim)
	DequantizeKeys(q.x2, q.codes, q.scale, q.lo, bits, groups, dim)
	return q
}

func quantValues(x []float32, params DType, bits, rows, dim int) quantised {
	groups := rows * dim / QuantGroup
	q := quantised{make([]uint32, groups*bits), filled(groups, nan), filled(groups, nan), filled(len(x), nan)}
	QuantizeValues(q.codes, q.scale, q.lo, x, params, bits, rows, dim)
	DequantizeValues(q.x2, q.codes, q.scale, q.lo, bits, rows, dim)
	return q
}

// transpose turns x [rows, cols] into [cols, rows].
func transpose(x []float32, rows, cols int) []float32 {
	y := make([]float32, len(x))
	for r := range rows {
		for c := range cols {
			y[c*rows+r] = x[r*cols+c]
		}
	}
	return y
}

// quantOracle quantises the groups of consecutive values of x by the definition.
func quantOracle(x []float32, bits int) (codes []uint32, scale, lo, x2 []float32) {
	top := float32(int(1)<<bits - 1)
	for ; len(x) > 0; x = x[QuantGroup:] {
		g := x[:QuantGroup]
		l := slices.Min(g)
		s := (slices.Max(g) - l) / top
		scale, lo = append(scale, s), append(lo, l)
		for _, v := range g {
			c := 0.0
			if s != 0 {
				c = math.RoundToEven(float64(min(max((v-l)/s, 0), top)))
			}
			codes = append(codes, uint32(c))
			x2 = append(x2, float32(float32(c)*s)+l)
		}
	}
	return codes, scale, lo, x2
}

// unpack lists the codes of words.
func unpack(words []uint32, bits int) (codes []uint32) {
	for _, w := range words {
		for j := 0; j < 32; j += bits {
			codes = append(codes, w>>j&(1<<bits-1))
		}
	}
	return codes
}

func TestQuantize(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		rng := newRand(50)
		for _, bits := range []int{2, 4, 8} {
			for _, dim := range []int{1, 8, 16, 17, 40, 64, 128, 130, 300} {
				const groups = 2
				x := normals(rng, groups*QuantGroup*dim)
				for i := range x { // an equal channel, and ties
					switch i % dim {
					case 3:
						x[i] = 1.25
					case 5, 6:
						x[i] = float32(math.Round(float64(x[i]*2))) / 2
					}
				}
				what := fmt.Sprintf("keys of %d bits, dim %d", bits, dim)
				got := quantKeys(x, F32, bits, groups, dim)
				for g := range groups {
					at := g * QuantGroup * dim
					codes, scale, lo, x2 := quantOracle(transpose(x[at:][:QuantGroup*dim], QuantGroup, dim), bits)
					sameBits(t, what, got.scale[g*dim:][:dim], scale)
					sameBits(t, what, got.lo[g*dim:][:dim], lo)
					sameBits(t, what, transpose(got.x2[at:][:QuantGroup*dim], QuantGroup, dim), x2)
					for c := range dim {
						var words []uint32
						for w := range bits {
							words = append(words, got.codes[(g*bits+w)*dim+c])
						}
						if !slices.Equal(unpack(words, bits), codes[c*QuantGroup:][:QuantGroup]) {
							t.Fatalf("%s: channel %d of group %d: codes %v, want %v", what, c, g, unpack(words, bits), codes[c*QuantGroup:][:QuantGroup])
						}
					}
				}
				if dim%QuantGroup != 0 {
					continue
				}
				what = fmt.Sprintf("values of %d bits, dim %d", bits, dim)
				copy(x[32:64], filled(32, -2))
				got = quantValues(x, F32, bits, groups*QuantGroup, dim)
				codes, scale, lo, x2 := quantOracle(x, bits)
				sameBits(t, what, got.scale, scale)
				sameBits(t, what, got.lo, lo)
				sameBits(t, what, got.x2, x2)
				if !slices.Equal(unpack(got.codes, bits), codes) {
					t.Fatalf("%s: wrong codes", what)
				}
			}
		}
	})
}

// TestQuantizeF16 wants parameters that a binary16 holds, errors of half a step, and the same bits on all tiers.
func TestQuantizeF16(t *testing.T) {
	rng := newRand(51)
	const rows, dim = 2 * QuantGroup, 64
	x := normals(rng, rows*dim)
	for i := range x {
		x[i] += float32(i%dim) * 3
	}
	for _, bits := range []int{2, 4, 8} {
		for name, run := range map[string]func() quantised{
			"keys":   func() quantised { return quantKeys(x, F16, bits, rows/QuantGroup, dim) },
			"values": func() quantised { return quantValues(x, F16, bits, rows, dim) },
		} {
			var want quantised
			eachTier(t, func(t *testing.T) {
				got := run()
				if Tier() == "go" {
					want = got
				}
				sameBits(t, name, got.x2, want.x2)
				for _, p := range [][]float32{got.scale, got.lo} {
					half, back := make([]byte, 2*len(p)), make([]float32, len(p))
					Narrow(half, F16, p)
					Widen(back, F16, half)
					sameBits(t, name+" parameters", back, p)
				}
				for i, v := range got.x2 {
					s := got.scale[i/QuantGroup]
					lo := got.lo[i/QuantGroup]
					if name == "keys" {
						s, lo = got.scale[i/(QuantGroup*dim)*dim+i%dim], got.lo[i/(QuantGroup*dim)*dim+i%dim]
					}
					// Half a step, and what rounding the parameters may cut off at either end.
					if diff := math.Abs(float64(v - x[i])); diff > float64(s)/2+math.Abs(float64(lo))/1024+float64(s)*float64(int(1)<<bits)/1024 {
						t.Fatalf("%s of %d bits: [%d] = %v, want %v ± %v", name, bits, i, v, x[i], s/2)
					}
				}
			})
		}
	}
}

func TestQuantizeShapes(t *testing.T) {
	x, p, c := make([]float32, 64), make([]float32, 2), make([]uint32, 4)
	QuantizeKeys(c, p, p, x, F32, 2, 1, 2)
	QuantizeValues(c, p, p, x, F32, 2, 1, 64)
	mustPanic(t, "bits", func() { QuantizeKeys(c, p, p, x, F32, 3, 1, 2) })
	mustPanic(t, "codes", func() { QuantizeKeys(c, p, p, x, F32, 4, 1, 2) })
	mustPanic(t, "x", func() { DequantizeKeys(x[:63], c, p, p, 2, 1, 2) })
	mustPanic(t, "dim", func() { QuantizeValues(c, p, p, x, F32, 2, 2, 31) })
	mustPanic(t, "lo", func() { DequantizeValues(x, c, p, p[:1], 2, 1, 64) })
}

// BenchmarkQuantize counts the float32 side.
func BenchmarkQuantize(b *testing.B) {
	const rows, dim = 8 * QuantGroup, 128
	const n = rows * dim
	x := normals(newRand(52), n)
	for _, bits := range []int{2, 4, 8} {
		k, v := quantKeys(x, F32, bits, rows/QuantGroup, dim), quantValues(x, F32, bits, rows, dim)
		for name, f := range map[string]func(){
			"keys":        func() { QuantizeKeys(k.codes, k.scale, k.lo, x, F32, bits, rows/QuantGroup, dim) },
			"values":      func() { QuantizeValues(v.codes, v.scale, v.lo, x, F32, bits, rows, dim) },
			"keys back":   func() { DequantizeKeys(k.x2, k.codes, k.scale, k.lo, bits, rows/QuantGroup, dim) },
			"values back": func() { DequantizeValues(v.x2, v.codes, v.scale, v.lo, bits, rows, dim) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, bits), func(b *testing.B) { eachBench(b, 4*n, f) })
		}
	}
}

// TestQuantizeZeros: groups whose minimum is 0 of either sign have the same parameters and codes on every tier, and a minimum of +0,
// wherever their zeros stand.
func TestQuantizeZeros(t *testing.T) {
	const rows, dim = QuantGroup, 32
	minus := float32(math.Copysign(0, -1))
	for i, params := range []DType{F32, F16, F32, F16} {
		least := []float32{minus, -1e-9}[i/2] // the latter is -0 in binary16
		for _, bits := range []int{2, 4, 8} {
			rng := newRand(53)
			x := make([]float32, rows*dim)
			for i := range x {
				x[i] = []float32{0, minus, 1, minus, 3}[rng.IntN(5)]
			}
			for i := range dim {
				x[3*dim+i], x[i*dim+3] = minus, minus // a row and a channel of one zero
			}
			for i := range dim {
				x[5*dim+i], x[i*dim+5] = least, least
			}
			var keys, vals quantised
			eachTier(t, func(t *testing.T) {
				k, v := quantKeys(x, params, bits, 1, dim), quantValues(x, params, bits, rows, dim)
				if Tier() == "go" {
					keys, vals = k, v
				}
				for _, c := range []struct {
					what      string
					got, want quantised
				}{{"keys", k, keys}, {"values", v, vals}} {
					what := fmt.Sprintf("%s of %d bits, %v parameters, minimum %v", c.what, bits, params, least)
					sameBits(t, what+": minima", c.got.lo, c.want.lo)
					sameBits(t, what+": scales", c.got.scale, c.want.scale)
					sameBits(t, what+": numbers", c.got.x2, c.want.x2)
					if !slices.Equal(c.got.codes, c.want.codes) {
						t.Errorf("%s: other codes", what)
					}
					for i, lo := range c.got.lo {
						if lo == 0 && math.Signbit(float64(lo)) {
							t.Errorf("%s: minimum %d is -0", what, i)
						}
					}
				}
			})
		}
	}
}
