package gguf

import (
	"encoding/binary"
	"math"
	"testing"

	"scbench/stages/models/safetensors"
)

// TestDecode holds every quantised type against what llama.cpp decodes, bit for bit: see testdata/blocks.py.
func TestDecode(t *testing.T) {
	vectors, err := safetensors.Open("testdata/blocks.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer vectors.Close()
	for kind, info := range types {
		if !kind.Quantised() {
			continue
		}
		blocks, ok1 := vectors.Tensor(info.name + ".blocks")
		want, ok2 := vectors.Tensor(info.name + ".values")
		if !ok1 || !ok2 {
			t.Errorf("no vectors of %s; write them with blocks.py", info.name)
			continue
		}
		got := make([]float32, want.Len())
		Decode(got, kind, blocks.Data)
		for i, v := range got {
			if w := binary.LittleEndian.Uint32(want.Data[4*i:]); math.Float32bits(v) != w {
				t.Errorf("%s: number %d is %v, llama.cpp has %v", info.name, i, v, math.Float32frombits(w))
				break
			}
		}
	}
}

// TestHalf checks all 65536 numbers of a scale by the definition of the format.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		got := half(binary.LittleEndian.AppendUint16(nil, uint16(h)))
		e, f, sign := h>>10&31, float64(h&1023), 1-2*float64(h>>15)
		want := sign * math.Ldexp(f, -24)
		switch {
		case e == 31 && f == 0:
			want = math.Inf(int(sign))
		case e == 31:
			want = math.NaN()
		case e > 0:
			want = sign * math.Ldexp(f+1024, e-25)
		}
		if math.IsNaN(want) != math.IsNaN(float64(got)) || !math.IsNaN(want) && (float64(got) != want || math.Signbit(float64(got)) != (sign < 0)) {
			t.Fatalf("%#x is %v, want %v", h, got, want)
		}
	}
}
