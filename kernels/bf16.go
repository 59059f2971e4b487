package kernels

import "math"

// roundBF16Go is the portable twin: it rounds to bf16, to nearest even. Subnormals become zeros of their sign, as
// AMX takes them, and a NaN stays one, quiet.
func roundBF16Go(dst []uint16, src []float32) {
	src = src[:len(dst)]
	for i, v := range src {
		dst[i] = nearestBF16(v)
	}
}

func nearestBF16(v float32) uint16 {
	u := math.Float32bits(v)
	switch exponent := u & 0x7f800000; {
	case exponent == 0:
		return uint16(u >> 16 & 0x8000)
	case exponent == 0x7f800000 && u&0x7fffff != 0:
		return uint16(u>>16 | 0x40)
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

// upperHalf is v as bf16 where it has no more bits than that.
func upperHalf(v float32) uint16 { return uint16(math.Float32bits(v) >> 16) }

// fromBF16 widens exactly.
func fromBF16(u uint16) float32 { return math.Float32frombits(uint32(u) << 16) }
