package safetensors

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func le[T any](values ...T) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, values)
	if err != nil {
		panic(err)
	}
	return b
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		dtype string
		data  []byte
		want  []float64
		f32   bool // exact in float32
		i32   bool
	}{
		{"F64", le(1.5, -math.MaxFloat64), []float64{1.5, -math.MaxFloat64}, false, false},
		{"F32", le[float32](1.5, -0.1), []float64{1.5, float64(float32(-0.1))}, true, false},
		{"BF16", le[uint16](0x3fc0, 0xff80, 0x0001), []float64{1.5, math.Inf(-1), 0x1p-133}, true, false},
		{"F16", le[uint16](0x3e00, 0x7c00, 0x0001, 0x83ff, 0x0400, 0x7bff), []float64{1.5, math.Inf(1), 0x1p-24, -1023 * 0x1p-24, 0x1p-14, 65504}, true, false},
		{"I32", le[int32](math.MaxInt32, math.MinInt32), []float64{math.MaxInt32, math.MinInt32}, false, true},
		{"U32", le[uint32](math.MaxUint32), []float64{math.MaxUint32}, false, false},
		{"I16", le[int16](-7, 7), []float64{-7, 7}, true, true},
		{"U16", le[uint16](65535), []float64{65535}, true, true},
		{"I8", le[int8](-1), []float64{-1}, true, true},
		{"U8", le[uint8](255), []float64{255}, true, true},
		{"BOOL", le[uint8](1, 0), []float64{1, 0}, true, true},
	} {
		x := Tensor{Name: "t", DType: c.dtype, Data: c.data}
		got, err := x.Float64s()
		if err != nil || !cmp.Equal(got, c.want) {
			t.Errorf("%s: Float64s = %v, %v; want %v", c.dtype, got, err, c.want)
		}
		narrow, err := x.Float32s()
		if (err == nil) != c.f32 {
			t.Errorf("%s: Float32s: %v", c.dtype, err)
		}
		for i, v := range narrow {
			if float64(v) != c.want[i] {
				t.Errorf("%s: Float32s[%d] = %v, want %v", c.dtype, i, v, c.want[i])
			}
		}
		ints, err := x.Int32s()
		if (err == nil) != c.i32 {
			t.Errorf("%s: Int32s: %v", c.dtype, err)
		}
		for i, v := range ints {
			if float64(v) != c.want[i] {
				t.Errorf("%s: Int32s[%d] = %v, want %v", c.dtype, i, v, c.want[i])
			}
		}
	}
}

func TestDecodeWide(t *testing.T) {
	fits := Tensor{Name: "t", DType: "I64", Data: le[int64](-5, math.MaxInt32)}
	if got, err := fits.Int32s(); err != nil || !cmp.Equal(got, []int32{-5, math.MaxInt32}) {
		t.Errorf("%v, %v", got, err)
	}
	over := Tensor{Name: "t", DType: "I64", Data: le[int64](math.MaxInt32 + 1)}
	if _, err := over.Int32s(); err == nil {
		t.Error("an int64 that does not fit was accepted")
	}
	if _, err := over.Float64s(); err == nil {
		t.Error("int64 was widened to float64, which is not exact")
	}
}

func TestBools(t *testing.T) {
	if got, err := (Tensor{DType: "BOOL", Data: []byte{0, 1}}).Bools(); err != nil || !cmp.Equal(got, []bool{false, true}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []Tensor{{DType: "BOOL", Data: []byte{2}}, {DType: "U8", Data: []byte{1}}} {
		if _, err := bad.Bools(); err == nil {
			t.Errorf("%+v was read as bools", bad)
		}
	}
}

// Every half that is a number must come out as its definition says.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		exp, frac := h>>10&31, float64(h&1023)
		want := math.Ldexp(1+frac/1024, exp-15)
		switch {
		case exp == 0:
			want = math.Ldexp(frac, -24)
		case exp == 31 && frac == 0:
			want = math.Inf(1)
		case exp == 31:
			want = math.NaN()
		}
		if h>>15 == 1 {
			want = -want
		}
		got := float64(half(uint16(h)))
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) || math.Signbit(got) != math.Signbit(want) && !math.IsNaN(want) {
			t.Fatalf("half(%#04x) = %v, want %v", h, got, want)
		}
	}
}
