package kernels

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"testing"
)

// TestPortableBitsOfScans pins the bits of the "go" tier of the kernels beyond a transformer's, as TestPortableBits
// does for the others.
func TestPortableBitsOfScans(t *testing.T) {
	before := Tier()
	defer selectTier(t, before)
	selectTier(t, "go")
	rng := newRand(90)
	draw := func(n int) []float32 {
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
	const tokens, channels, n = 70, 37, 5
	x, dt, a := draw(tokens*channels), draw(tokens*channels), draw(n*channels)
	Softplus(dt, draw(channels), tokens)
	add(dt...)
	for i, v := range a {
		a[i] = -v * v
	}
	y := make([]float32, len(x))
	CausalConvSiLU(nil, y, draw(3*channels), x, draw(4*channels), draw(channels), tokens, channels, channels, 4)
	add(y...)
	state := draw(n * channels)
	SelectiveScan(nil, y, state, y, dt, a, draw(tokens*n), draw(tokens*n), draw(channels), tokens, channels, n)
	add(y...)
	add(state...)
	s := SSDShape{Heads: 4, Dim: 8, Groups: 2, State: 6}
	for _, f := range []ssdKernel{SSD, SSDScan} {
		y, state := make([]float32, tokens*s.Heads*s.Dim), draw(s.Heads*s.State*s.Dim)
		f(nil, y, state, draw(tokens*s.Width()), dt[:tokens*s.Heads], a[:s.Heads], draw(s.Heads), s, tokens)
		add(y...)
		add(state...)
	}
	for _, params := range []DType{F32, F16} {
		k := quantKeys(draw(QuantGroup*channels), params, 4, 1, channels)
		add(k.x2...)
		add(quantValues(draw(3*QuantGroup), params, 2, 1, 3*QuantGroup).x2...)
	}
	gate := draw(2 * channels)
	GatedRMSNorm(gate, draw(2*channels), draw(channels), 1e-5, 2, channels, channels)
	add(gate...)
	if got, want := h.Sum64(), uint64(0xd006c5ae973a0cc9); got != want {
		t.Errorf("the bits of the portable tier have changed: %#x, want %#x", got, want)
	}
}
