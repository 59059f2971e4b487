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
	widen(dst, dt, src)
}

// widenGo is the portable twin. All tiers agree bit for bit.
func widenGo(dst []float32, dt DType, src []byte) {
	switch dt {
	case F32:
		widenF32Go(dst, src)
	case BF16:
		widenBF16Go(dst, src)
	case F16:
		widenF16Go(dst, src)
	}
}

func widenF32Go(dst []float32, src []byte) {
	for ; len(dst) >= 2 && len(src) >= 8; dst, src = dst[2:], src[8:] {
		u := binary.LittleEndian.Uint64(src)
		dst[0] = math.Float32frombits(uint32(u))
		dst[1] = math.Float32frombits(uint32(u >> 32))
	}
	if len(dst) == 1 {
		dst[0] = math.Float32frombits(binary.LittleEndian.Uint32(src))
	}
}

func widenBF16Go(dst []float32, src []byte) {
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		d, s := (*[8]float32)(dst[i:]), (*[16]byte)(src[2*i:])
		u, v := binary.LittleEndian.Uint64(s[:8]), binary.LittleEndian.Uint64(s[8:])
		d[0] = math.Float32frombits(uint32(u) << 16)
		d[1] = math.Float32frombits(uint32(u) & 0xffff0000)
		d[2] = math.Float32frombits(uint32(u>>32) << 16)
		d[3] = math.Float32frombits(uint32(u>>32) & 0xffff0000)
		d[4] = math.Float32frombits(uint32(v) << 16)
		d[5] = math.Float32frombits(uint32(v) & 0xffff0000)
		d[6] = math.Float32frombits(uint32(v>>32) << 16)
		d[7] = math.Float32frombits(uint32(v>>32) & 0xffff0000)
	}
	for ; i < len(dst); i++ {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

// rebias moves the exponent of a binary16 to that of a binary32: its bias grows from 15 to 127.
const rebias = (127 - 15) << 23

func widenF16Go(dst []float32, src []byte) {
	i := 0
	for ; i+4 <= len(dst); i += 4 {
		d, u := (*[4]float32)(dst[i:]), binary.LittleEndian.Uint64(src[2*i:])
		if !normals16(u) {
			for j := range d {
				d[j] = float16(uint32(u >> (16 * j) & 0xffff))
			}
			continue
		}
		a, b := uint32(u), uint32(u>>32)
		d[0] = math.Float32frombits(a&0x8000<<16 | (a&0x7fff<<13 + rebias))
		d[1] = math.Float32frombits(a&0x80000000 | (a>>3&(0x7fff<<13) + rebias))
		d[2] = math.Float32frombits(b&0x8000<<16 | (b&0x7fff<<13 + rebias))
		d[3] = math.Float32frombits(b&0x80000000 | (b>>3&(0x7fff<<13) + rebias))
	}
	for ; i < len(dst); i++ {
		dst[i] = float16(uint32(binary.LittleEndian.Uint16(src[2*i:])))
	}
}

// normals16 reports whether all four binary16 in u are normal numbers: no exponent is 0 or 31. The additions stay
// inside their 16 bits; the first reaches the top bit unless the exponent is 0, the second only if it is 31.
func normals16(u uint64) bool {
	const each = 0x0001000100010001
	e := u & (0x7c00 * each)
	return (e+0x7c00*each)&^(e+0x0400*each)&(0x8000*each) == 0x8000*each
}

// float16 widens one binary16 of any kind.
func float16(h uint32) float32 {
	sign, rest := h&0x8000<<16, h&0x7fff<<13
	switch h & 0x7c00 {
	case 0: // zero or subnormal: units of 2^-24, which are normal numbers in float32
		return math.Float32frombits(sign | math.Float32bits(float32(rest>>13)*(1.0/(1<<24))))
	case 0x7c00: // infinity or NaN: the largest exponent stays the largest
		return math.Float32frombits(sign | rest | 0x7f800000)
	}
	return math.Float32frombits(sign | (rest + rebias))
}
