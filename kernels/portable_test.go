package kernels

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"testing"
)

// TestPortableBits pins the bits of the "go" tier, which are to be the same on every architecture: a product fused
// into a sum, or a library function with an assembly twin, would show here. A change of a kernel's order of
// summation changes the constant, and with it every published number of the tier.
func TestPortableBits(t *testing.T) {
	before := Tier()
	defer selectTier(t, before)
	selectTier(t, "go")
	rng := newRand(30)
	draw := func(n int) []float32 { // uniform and exact, unlike the standard normal generator
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(int32(rng.Uint32())) / (1 << 30)
		}
		return x
	}
	h := fnv.New64a()
	add := func(x ...float32) {
		for _, v := range x {
			h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
		}
	}

	const m, n, k = 7, 21, 301
	for _, dt := range []DType{F32, BF16, F16} {
		w, err := NewMatrix(dt, encode(dt, draw(n*k), 0), n, k)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float32, m*n)
		packed := w.Pack(nil, PrecisionF32)
		times(nil, out, draw(m*k), packed, m)
		packed.Close()
		add(out...)
	}
	const rows, d = 3, 37
	o, top, l, q := make([]float32, rows*d), filled(rows, ninf), make([]float32, rows), draw(rows*d)
	o2, top2, l2 := make([]float32, rows*d), filled(rows, ninf), make([]float32, rows)
	for range 3 {
		mask := []uint64{rng.Uint64(), rng.Uint64(), ^uint64(0)}
		AttendPage(o, top, l, q, draw(PageTokens*d), draw(PageTokens*d), mask, rows, d)
		AttendPage(o2, top2, l2, q, draw(PageTokens*d), draw(PageTokens*d), mask, rows, d)
	}
	MergePartial(o, top, l, o2, top2, l2, rows, d)
	AttendFinish(o, l, rows, d)
	add(o...)
	add(top...)
	add(l...)

	x := draw(rows * d)
	RMSNorm(x, x, draw(d), 1e-6, rows, d)
	AddBias(x, draw(d), rows)
	RotateHalf(x, draw(d/2), draw(d/2), rows, d)
	SiLUMul(x, draw(rows*d))
	Add(x, draw(rows*d))
	add(float32(LogSumExp(x)))
	Softmax(x)
	add(x...)

	if got, want := h.Sum64(), uint64(0x91e79244cce80fd8); got != want {
		t.Errorf("the bits of the portable tier have changed: %#x, want %#x", got, want)
	}
}
