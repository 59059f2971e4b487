package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"testing"
)

// TestNarrow checks rounding against a search among all values of the type.
func TestNarrow(t *testing.T) {
	rng := newRand(44)
	for _, dt := range []DType{BF16, F16} {
		finite := 0x7f80
		if dt == F16 {
			finite = 0x7c00
		}
		values := make([]float64, finite+1) // by their bits; the last would be the next power of two
		for h := range finite {
			values[h] = float64(decode(dt, []byte{byte(h), byte(h >> 8)}, 0))
		}
		values[finite] = 2*values[finite-1] - values[finite-2]
		nearest := func(v float64) uint16 {
			i := sort.SearchFloat64s(values, v)
			switch {
			case i > finite:
				return uint16(finite)
			case i == 0 || values[i] == v:
				return uint16(i)
			}
			below, above := v-values[i-1], values[i]-v
			if below < above || below == above && i%2 == 1 {
				return uint16(i - 1)
			}
			return uint16(i)
		}
		var x []float32
		for h := 0; h < finite; h += 1 + rng.IntN(5) { // each value, the middle to the next, and their neighbours
			lower, middle := float32(values[h]), float32((values[h]+values[h+1])/2)
			for _, v := range []float32{lower, middle} {
				x = append(x, v, math.Nextafter32(v, inf), math.Nextafter32(v, 0))
			}
		}
		for range 5000 {
			if v := math.Float32frombits(rng.Uint32() &^ (1 << 31)); v == v {
				x = append(x, v)
			}
		}
		x = append(x, inf, 0, math.MaxFloat32, math.SmallestNonzeroFloat32)
		eachTier(t, func(t *testing.T) {
			for _, sign := range []float32{1, -1} {
				src := make([]float32, len(x))
				for i, v := range x {
					src[i] = sign * v
				}
				dst := make([]byte, 2*len(x))
				Narrow(dst, dt, src)
				for i, v := range x {
					want := nearest(float64(v)) | uint16(math.Float32bits(sign)>>16&0x8000)
					if got := binary.LittleEndian.Uint16(dst[2*i:]); got != want {
						t.Fatalf("%v: %v (%#x) becomes %#x, want %#x", dt, src[i], math.Float32bits(src[i]), got, want)
					}
				}
			}
		})
	}
}

func TestNarrowSizesAndNaN(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		rng := newRand(45)
		for _, dt := range []DType{F32, BF16, F16} {
			for _, n := range append(sizes, 1<<14+3) {
				x := normals(rng, n)
				dst := make([]byte, n*dt.Size()+1)
				dst[n*dt.Size()] = 7
				Narrow(dst[:n*dt.Size()], dt, x)
				back := make([]float32, n)
				Widen(back, dt, dst[:n*dt.Size()])
				near(t, fmt.Sprintf("%v n=%d", dt, n), back, doubles(x), 1.0/(1<<8))
				if dst[n*dt.Size()] != 7 {
					t.Fatalf("%v n=%d: wrote past the end", dt, n)
				}
			}
			for _, u := range []uint32{0x7fc00000, 0xffc12345, 0x7f800001, 0xff8fffff} {
				dst, back := make([]byte, 16*dt.Size()), make([]float32, 16)
				Narrow(dst, dt, filled(16, math.Float32frombits(u)))
				Widen(back, dt, dst)
				for i, v := range back {
					if v == v || math.Signbit(float64(v)) != (u>>31 == 1) {
						t.Fatalf("%v: NaN %#x becomes %v at %d", dt, u, v, i)
					}
				}
			}
		}
		mustPanic(t, "unknown type", func() { Narrow(nil, 9, nil) })
		mustPanic(t, "length", func() { Narrow(make([]byte, 3), BF16, make([]float32, 2)) })
	})
}
