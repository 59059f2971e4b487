package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Narrow converts float32 to little-endian values of type dt, rounding to nearest and ties to even: what overflows
// becomes infinite, NaN stays NaN (quiet, with the upper bits of its payload). dst holds len(src) values, at any
// alignment. All tiers agree bit for bit.
func Narrow(dst []byte, dt DType, src []float32) {
	if dt.Size() == 0 {
		panic(fmt.Sprintf("kernels: Narrow: %v is no storage type", dt))
	}
	checkLen("Narrow", "dst (in bytes)", len(dst), len(src), dt.Size())
	narrow(dst, dt, src)
}

// narrowGo is the portable twin.
func narrowGo(dst []byte, dt DType, src []float32) {
	switch dt {
	case F32:
		for i, v := range src {
			binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(v))
		}
	case BF16:
		for i, v := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], toBF16(v))
		}
	case F16:
		for i, v := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], toF16(v))
		}
	}
}

// toBF16 is the nearest BF16.
func toBF16(v float32) uint16 {
	u := math.Float32bits(v)
	if v != v {
		return uint16(u>>16) | 0x40
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

// toF16 is the nearest binary16.
func toF16(v float32) uint16 {
	u := math.Float32bits(v)
	sign, rest := uint16(u>>16&0x8000), u&0x7fffffff
	switch {
	case rest > 0x7f800000: // NaN
		return sign | 0x7e00 | uint16(rest>>13&0x3ff)
	case rest >= 0x477ff000: // rounds to 2^16 or more
		return sign | 0x7c00
	case rest < 0x38800000: // below 2^-14: the sum's last bit is worth 2^-24, so the addition rounds
		return sign | uint16(math.Float32bits(math.Float32frombits(rest)+0.5))
	}
	return sign | uint16((rest-rebias+0xfff+rest>>13&1)>>13)
}
