package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
)

// TestWidenAll16 checks all 65536 values of both half types, by the definition of the formats.
func TestWidenAll16(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		src := make([]byte, 2<<16)
		for h := range 1 << 16 {
			binary.LittleEndian.PutUint16(src[2*h:], uint16(h))
		}
		got := make([]float32, 1<<16)
		Widen(got, BF16, src)
		for h, v := range got {
			if u := math.Float32bits(v); u != uint32(h)<<16 {
				t.Fatalf("bf16 %#x = %#x", h, u)
			}
		}
		Widen(got, F16, src)
		for h, v := range got {
			if u := math.Float32bits(v); u != math.Float32bits(half(uint16(h))) {
				t.Fatalf("f16 %#x = %v (%#x), want %v", h, v, u, half(uint16(h)))
			}
		}
	})
}

// half is binary16 by its definition.
func half(h uint16) float32 {
	sign, e, f := uint32(h>>15)<<31, int(h>>10&31), uint32(h&1023)
	if e == 31 {
		return math.Float32frombits(sign | 0xff<<23 | f<<13)
	}
	v := math.Ldexp(float64(f), -24)
	if e > 0 {
		v = math.Ldexp(float64(f+1024), e-25)
	}
	return math.Float32frombits(sign | math.Float32bits(float32(v)))
}

func TestWidenSizes(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		rng := newRand(1)
		for _, dt := range []DType{F32, BF16, F16} {
			for _, n := range sizes {
				x := normals(rng, n)
				for offset := range 4 {
					src := encode(dt, x, offset)
					got := filled(n+1, 7)
					Widen(got[:n], dt, src)
					for i := range n {
						if want := decode(dt, src, i); got[i] != want {
							t.Fatalf("%v n=%d offset=%d: [%d] = %v, want %v", dt, n, offset, i, got[i], want)
						}
					}
					if got[n] != 7 {
						t.Fatalf("%v n=%d: wrote past the end", dt, n)
					}
				}
			}
		}
	})
}

func decode(dt DType, src []byte, i int) float32 {
	switch dt {
	case F32:
		return math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	case BF16:
		return math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
	return half(binary.LittleEndian.Uint16(src[2*i:]))
}

func TestMatrixRow(t *testing.T) {
	rng := newRand(2)
	for _, dt := range []DType{F32, BF16, F16} {
		for _, offset := range []int{0, 1, 2} {
			w := randomMatrix(t, rng, dt, 5, 33, offset)
			row := make([]float32, 33)
			for i := range 5 {
				w.Row(row, i)
				for c, v := range row {
					if want := decode(dt, w.data, i*33+c); v != want {
						t.Fatalf("%v offset %d: (%d, %d) = %v, want %v", dt, offset, i, c, v, want)
					}
				}
			}
			mustPanic(t, "row 5 of 5", func() { w.Row(row, 5) })
			mustPanic(t, "row -1", func() { w.Row(row, -1) })
			mustPanic(t, "short dst", func() { w.Row(row[:32], 0) })
		}
	}
}

func TestNewMatrixErrors(t *testing.T) {
	for _, c := range []struct {
		dt         DType
		size       int
		rows, cols int
		ok         bool
	}{
		{F32, 24, 2, 3, true}, {BF16, 12, 2, 3, true}, {F16, 0, 0, 3, true}, {F32, 0, math.MaxInt, 0, true},
		{F32, 23, 2, 3, false}, {BF16, 24, 2, 3, false}, {3, 24, 2, 3, false}, {F32, 24, -2, -3, false},
		{F32, 0, math.MaxInt/2 + 1, 4, false}, {F32, 0, math.MaxInt/2 + 1, 1, false}, {BF16, 0, math.MaxInt, math.MaxInt, false},
	} {
		_, err := NewMatrix(c.dt, make([]byte, c.size), c.rows, c.cols)
		if (err == nil) != c.ok {
			t.Errorf("%+v: error %v", c, err)
		}
	}
}

func TestDType(t *testing.T) {
	for dt, want := range map[DType]string{F32: "f32 4", BF16: "bf16 2", F16: "f16 2", 9: "DType(9) 0"} {
		if got := fmt.Sprint(dt, " ", dt.Size()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	mustPanic(t, "unknown type", func() { Widen(nil, 9, nil) })
	mustPanic(t, "odd bytes", func() { Widen(make([]float32, 2), BF16, make([]byte, 3)) })
}

func BenchmarkWiden(b *testing.B) {
	for _, dt := range []DType{F32, BF16, F16} {
		b.Run(dt.String(), func(b *testing.B) {
			src, dst := encode(dt, normals(newRand(3), 4096), 0), make([]float32, 4096)
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				Widen(dst, dt, src)
			}
		})
	}
}
