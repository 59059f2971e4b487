package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Float64s decodes the tensor into float64. It is exact, or an error: F64, F32, F16, BF16, BOOL and integers of up to
// 32 bits are decoded, others refused.
func (t Tensor) Float64s() ([]float64, error) {
	switch t.DType {
	case "F64":
		return decode(t, 8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }), nil
	case "I32":
		return decode(t, 4, func(b []byte) float64 { return float64(int32(binary.LittleEndian.Uint32(b))) }), nil
	case "U32":
		return decode(t, 4, func(b []byte) float64 { return float64(binary.LittleEndian.Uint32(b)) }), nil
	}
	narrow, err := t.Float32s()
	if err != nil {
		return nil, fmt.Errorf("safetensors: tensor %q of dtype %s cannot be read as float64", t.Name, t.DType)
	}
	out := make([]float64, len(narrow))
	for i, v := range narrow {
		out[i] = float64(v)
	}
	return out, nil
}

// Float32s decodes the tensor into float32. It is exact, or an error: F32, F16, BF16, BOOL and integers of up to
// 16 bits are decoded, others refused.
func (t Tensor) Float32s() ([]float32, error) {
	switch t.DType {
	case "F32":
		return decode(t, 4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }), nil
	case "BF16":
		return decode(t, 2, func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) }), nil
	case "F16":
		return decode(t, 2, func(b []byte) float32 { return half(binary.LittleEndian.Uint16(b)) }), nil
	case "I16", "U16", "I8", "U8", "BOOL":
		ints, err := t.Int32s()
		out := make([]float32, len(ints))
		for i, v := range ints {
			out[i] = float32(v)
		}
		return out, err
	}
	return nil, fmt.Errorf("safetensors: tensor %q of dtype %s cannot be read as float32", t.Name, t.DType)
}

// Int32s decodes an integer tensor or a BOOL one (0 and 1). Values of wider types that do not fit are an error.
func (t Tensor) Int32s() ([]int32, error) {
	switch t.DType {
	case "I32":
		return decode(t, 4, func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) }), nil
	case "I16":
		return decode(t, 2, func(b []byte) int32 { return int32(int16(binary.LittleEndian.Uint16(b))) }), nil
	case "U16":
		return decode(t, 2, func(b []byte) int32 { return int32(binary.LittleEndian.Uint16(b)) }), nil
	case "I8":
		return decode(t, 1, func(b []byte) int32 { return int32(int8(b[0])) }), nil
	case "U8", "BOOL":
		return decode(t, 1, func(b []byte) int32 { return int32(b[0]) }), nil
	case "I64":
		wide := decode(t, 8, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) })
		out := make([]int32, len(wide))
		for i, v := range wide {
			if out[i] = int32(v); int64(out[i]) != v {
				return nil, fmt.Errorf("safetensors: tensor %q: element %d is %d, which does not fit int32", t.Name, i, v)
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("safetensors: tensor %q of dtype %s cannot be read as int32", t.Name, t.DType)
}

// Bools decodes a BOOL tensor; a byte other than 0 and 1 is an error.
func (t Tensor) Bools() ([]bool, error) {
	if t.DType != "BOOL" {
		return nil, fmt.Errorf("safetensors: tensor %q of dtype %s cannot be read as bool", t.Name, t.DType)
	}
	out := make([]bool, len(t.Data))
	for i, b := range t.Data {
		if b > 1 {
			return nil, fmt.Errorf("safetensors: tensor %q: element %d is %d, neither false nor true", t.Name, i, b)
		}
		out[i] = b == 1
	}
	return out, nil
}

func decode[T any](t Tensor, width int, one func([]byte) T) []T {
	out := make([]T, len(t.Data)/width)
	for i := range out {
		out[i] = one(t.Data[i*width:][:width])
	}
	return out
}

// half widens an IEEE 754 binary16 value.
func half(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch exp {
	case 0: // zero and subnormals: frac · 2⁻²⁴, exact in float32
		return math.Float32frombits(math.Float32bits(float32(frac)*0x1p-24) | sign)
	case 31: // infinities and NaN keep their payload
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}
