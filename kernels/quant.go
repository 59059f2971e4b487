package kernels

import (
	"fmt"
	"math"
)

// QuantGroup is the number of values that share a scale and a minimum.
const QuantGroup = 32

// Quantised numbers are KIVI's (Liu et al. 2024, arXiv:2402.02750): a group of QuantGroup values has its minimum lo and a
// scale (max-lo)/(2^bits-1), and a value the code round((x-lo)/scale), ties to even; it comes back as code·scale+lo.
// bits is 2, 4 or 8. Codes lie in words of 32/bits codes, the first one in the lowest bits. Keys are grouped along
// tokens, channel by channel, because their outliers are channels; values along the channels of a token.
// Same as the reference, code for code, but for a group of equal values, which has scale 0 and codes 0 (the reference
// divides 0 by 0). Values are finite: a group with an infinity comes back as NaN. All tiers agree bit for bit.

// QuantizeKeys quantises x [groups·QuantGroup, dim] along its rows. Word w of channel c of group g, codes[g, w, c],
// has the tokens from w·32/bits on: codes is [groups, bits, dim], scale and lo are [groups, dim]. If params is F16,
// scales and minima are rounded to values of that type before the codes are chosen, so that Narrow stores them
// without loss; F32 leaves them as they are.
func QuantizeKeys(codes []uint32, scale, lo, x []float32, params DType, bits, groups, dim int) {
	checkQuant("QuantizeKeys", codes, scale, lo, x, bits, groups, dim)
	for g := range groups {
		c, s, l := codes[g*bits*dim:][:bits*dim], scale[g*dim:][:dim], lo[g*dim:][:dim]
		quantizeKeys(c, s, l, x[g*QuantGroup*dim:][:QuantGroup*dim], params, bits, dim)
	}
}

// DequantizeKeys is the way back: x [groups·QuantGroup, dim].
func DequantizeKeys(x []float32, codes []uint32, scale, lo []float32, bits, groups, dim int) {
	checkQuant("DequantizeKeys", codes, scale, lo, x, bits, groups, dim)
	for g := range groups {
		c, s, l := codes[g*bits*dim:][:bits*dim], scale[g*dim:][:dim], lo[g*dim:][:dim]
		dequantizeKeys(x[g*QuantGroup*dim:][:QuantGroup*dim], c, s, l, bits, dim)
	}
}

// QuantizeValues quantises x [rows, dim] along its columns; QuantGroup divides dim. codes is [rows, dim·bits/32],
// scale and lo are [rows, dim/QuantGroup]. See QuantizeKeys for params.
func QuantizeValues(codes []uint32, scale, lo, x []float32, params DType, bits, rows, dim int) {
	groups := checkQuantValues("QuantizeValues", codes, scale, lo, x, bits, rows, dim)
	quantizeValues(codes, scale, lo, x, params, bits, groups)
}

// DequantizeValues is the way back: x [rows, dim].
func DequantizeValues(x []float32, codes []uint32, scale, lo []float32, bits, rows, dim int) {
	groups := checkQuantValues("DequantizeValues", codes, scale, lo, x, bits, rows, dim)
	dequantizeValues(x, codes, scale, lo, bits, groups)
}

// checkQuantValues returns the number of groups.
func checkQuantValues(kernel string, codes []uint32, scale, lo, x []float32, bits, rows, dim int) int {
	if dim%QuantGroup != 0 {
		panic(fmt.Sprintf("kernels: %s: rows of %d values are not whole groups of %d", kernel, dim, QuantGroup))
	}
	checkQuant(kernel, codes, scale, lo, x, bits, rows, dim/QuantGroup)
	return rows * dim / QuantGroup
}

func checkQuant(kernel string, codes []uint32, scale, lo, x []float32, bits, groups, dim int) {
	if bits != 2 && bits != 4 && bits != 8 {
		panic(fmt.Sprintf("kernels: %s: codes of %d bits; they have 2, 4 or 8", kernel, bits))
	}
	checkLen(kernel, "codes", len(codes), groups, bits*dim)
	checkLen(kernel, "scale", len(scale), groups, dim)
	checkLen(kernel, "lo", len(lo), groups, dim)
	checkLen(kernel, "x", len(x), groups, QuantGroup*dim)
}

// quantScale turns a group's bounds into its scale and minimum, and says what to divide by: where the scale is 0,
// infinity, which makes every code 0. A minimum of 0 is +0: which of two zeros is the smaller one is for each tier's
// instructions to say, and what comes back is +0 in either case.
func quantScale(lo, hi float32, params DType, bits int) (scale, base, divisor float32) {
	if params == F16 {
		lo = float16(uint32(toF16(lo)))
	}
	lo += 0 // turns -0 into +0
	scale = (hi - lo) / float32(int(1)<<bits-1)
	if params == F16 {
		scale = float16(uint32(toF16(scale)))
	}
	if scale == 0 {
		return 0, lo, float32(math.Inf(1))
	}
	return scale, lo, scale
}

// quantCode is the code of x under a minimum and a divisor.
func quantCode(x, lo, divisor, limit float32) uint32 {
	t := (x - lo) / divisor
	if !(t > 0) {
		return 0
	}
	const round = 3 << 22 // adding it rounds to an integer, ties to even, in the low bits
	return math.Float32bits(min(t, limit)+round) & 0xff
}

// quantizeKeysGo is the portable twin for the channels from on of one group.
func quantizeKeysGo(codes []uint32, scale, lo, x []float32, params DType, bits, dim, from int) {
	per, limit := 32/bits, float32(int(1)<<bits-1)
	for c := from; c < dim; c++ {
		least, most := x[c], x[c]
		for t := 1; t < QuantGroup; t++ {
			least, most = min(least, x[t*dim+c]), max(most, x[t*dim+c])
		}
		var divisor float32
		scale[c], lo[c], divisor = quantScale(least, most, params, bits)
		for w := range bits {
			var word uint32
			for j := range per {
				word |= quantCode(x[(w*per+j)*dim+c], lo[c], divisor, limit) << (bits * j)
			}
			codes[w*dim+c] = word
		}
	}
}

// dequantizeKeysGo is the portable twin for the channels from on of one group.
func dequantizeKeysGo(x []float32, codes []uint32, scale, lo []float32, bits, dim, from int) {
	per, mask := 32/bits, uint32(1)<<bits-1
	for t := range QuantGroup {
		words, shift := codes[t/per*dim:][:dim], t%per*bits
		for c := from; c < dim; c++ {
			x[t*dim+c] = float32(float32(words[c]>>shift&mask)*scale[c]) + lo[c]
		}
	}
}

// quantizeValuesGo is the portable twin.
func quantizeValuesGo(codes []uint32, scale, lo, x []float32, params DType, bits, groups int) {
	for g := range groups {
		quantizeKeysGo(codes[g*bits:][:bits], scale[g:][:1], lo[g:][:1], x[g*QuantGroup:][:QuantGroup], params, bits, 1, 0)
	}
}

// dequantizeValuesGo is the portable twin.
func dequantizeValuesGo(x []float32, codes []uint32, scale, lo []float32, bits, groups int) {
	for g := range groups {
		dequantizeKeysGo(x[g*QuantGroup:][:QuantGroup], codes[g*bits:][:bits], scale[g:][:1], lo[g:][:1], bits, 1, 0)
	}
}
