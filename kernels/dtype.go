package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
)

// DType is the storage type of a weight. Arithmetic is always float32.
type DType uint8

const (
	F32  DType = iota // IEEE 754 binary32
	BF16              // the upper half of an F32
	F16               // IEEE 754 binary16
)

// String is the name in lower case: "f32", "bf16", "f16".
func (t DType) String() string {
	switch t {
	case F32:
		return "f32"
	case BF16:
		return "bf16"
	case F16:
		return "f16"
	}
	return fmt.Sprintf("DType(%d)", uint8(t))
}

// Size is the number of bytes of one value; 0 for a type that is none of the three.
func (t DType) Size() int {
	switch t {
	case F32:
		return 4
	case BF16, F16:
		return 2
	}
	return 0
}

// Widen converts little-endian values of type dt to float32, exactly: subnormals, infinities and the payload of
// NaNs are kept. src holds len(dst) values, at any alignment.
func Widen(dst []float32, dt DType, src []byte) {
	if dt.Size() == 0 {
		panic(fmt.Sprintf("kernels: Widen: %v is no storage type", dt))
	}
	checkLen("Widen", "src (in bytes)", len(src), len(dst), dt.Size())
	switch dt {
	case F32:
		widenF32(dst, src)
	case BF16:
		widenBF16(dst, src)
	case F16:
		widenF16(dst, src)
	}
}

func widenF32(dst []float32, src []byte) {
	for ; len(dst) >= 2 && len(src) >= 8; dst, src = dst[2:], src[8:] {
		u := binary.LittleEndian.Uint64(src)
		dst[0] = math.Float32frombits(uint32(u))
		dst[1] = math.Float32frombits(uint32(u >> 32))
	}
	if len(dst) == 1 {
		dst[0] = math.Float32frombits(binary.LittleEndian.Uint32(src))
	}
}

func widenBF16(dst []float32, src []byte) {
	for ; len(dst) >= 4 && len(src) >= 8; dst, src = dst[4:], src[8:] {
		u := binary.LittleEndian.Uint64(src)
		dst[0] = math.Float32frombits(uint32(u) << 16)
		dst[1] = math.Float32frombits(uint32(u) & 0xffff0000)
		dst[2] = math.Float32frombits(uint32(u>>32) << 16)
		dst[3] = math.Float32frombits(uint32(u>>32) & 0xffff0000)
	}
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

func widenF16(dst []float32, src []byte) {
	for ; len(dst) >= 4 && len(src) >= 8; dst, src = dst[4:], src[8:] {
		u := binary.LittleEndian.Uint64(src)
		dst[0] = float16(uint32(u) & 0xffff)
		dst[1] = float16(uint32(u) >> 16)
		dst[2] = float16(uint32(u>>32) & 0xffff)
		dst[3] = float16(uint32(u >> 48))
	}
	for i := range dst {
		dst[i] = float16(uint32(binary.LittleEndian.Uint16(src[2*i:])))
	}
}

// float16 widens one binary16. The exponent's bias grows from 15 to 127; what is not a normal number is rare in
// weights and handled apart.
func float16(h uint32) float32 {
	const rebias = (127 - 15) << 23
	sign, rest := h&0x8000<<16, h&0x7fff<<13
	if e := h & 0x7c00; e-0x400 >= 0x7800 {
		return float16Special(sign, rest, e)
	}
	return math.Float32frombits(sign | (rest + rebias))
}

//go:noinline
func float16Special(sign, rest, e uint32) float32 {
	if e != 0 { // infinity or NaN: the largest exponent stays the largest
		return math.Float32frombits(sign | rest | 0x7f800000)
	}
	// Zero or subnormal: rest>>13 units of 2^-24, which float32 holds exactly as a normal number.
	v := float32(rest>>13) * (1.0 / (1 << 24))
	return math.Float32frombits(sign | math.Float32bits(v))
}
