package gguf

import (
	"encoding/binary"
	"math"
)

// half reads a binary16.
func half(b []byte) float32 {
	h := uint32(binary.LittleEndian.Uint16(b))
	sign, exponent, rest := h>>15<<31, h>>10&31, h&1023
	switch exponent {
	case 0: // zero or subnormal: units of 2^-24, which are normal numbers in float32
		return math.Float32frombits(sign | math.Float32bits(float32(rest)*(1.0/(1<<24))))
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | rest<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | rest<<13)
}

// decodeQ80: a scale and 32 signed bytes.
func decodeQ80(dst []float32, b []byte) {
	d, to, from := half(b), (*[32]float32)(dst), (*[32]byte)(b[2:])
	for i, q := range from {
		to[i] = float32(int8(q)) * d
	}
}

// decodeQ40: a scale and 32 numbers of 4 bits, less 8. The low halves of the bytes are the first sixteen.
func decodeQ40(dst []float32, b []byte) {
	d := half(b)
	for i, q := range b[2:] {
		dst[i], dst[i+16] = float32(int(q&15)-8)*d, float32(int(q>>4)-8)*d
	}
}

// decodeQ41: a scale, a least number, and 32 numbers of 4 bits.
func decodeQ41(dst []float32, b []byte) {
	d, least := half(b), half(b[2:])
	for i, q := range b[4:] {
		dst[i] = float32(float32(q&15)*d) + least
		dst[i+16] = float32(float32(q>>4)*d) + least
	}
}

// decodeQ50: a scale, the fifth bits, and 32 numbers of 4 bits; less 16.
func decodeQ50(dst []float32, b []byte) {
	d, high := half(b), binary.LittleEndian.Uint32(b[2:])
	for i, q := range b[6:] {
		dst[i] = float32(fifth(q&15, high, i)-16) * d
		dst[i+16] = float32(fifth(q>>4, high, i+16)-16) * d
	}
}

// decodeQ51: a scale, a least number, the fifth bits, and 32 numbers of 4 bits.
func decodeQ51(dst []float32, b []byte) {
	d, least, high := half(b), half(b[2:]), binary.LittleEndian.Uint32(b[4:])
	for i, q := range b[8:] {
		dst[i] = float32(float32(fifth(q&15, high, i))*d) + least
		dst[i+16] = float32(float32(fifth(q>>4, high, i+16))*d) + least
	}
}

// fifth is a number of five bits, of which bit i of high is the highest.
func fifth(low byte, high uint32, i int) int { return int(low) | int(high>>i&1)<<4 }
