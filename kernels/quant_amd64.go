package kernels

import "math"

// quantRun is the number of channels or groups that one call of the assembly takes.
const quantRun = 128

func quantizeKeys(codes []uint32, scale, lo, x []float32, params DType, bits, dim int) {
	n := whole(dim)
	var hi, divisor [quantRun]float32
	for c := 0; c < n; c += quantRun {
		w := min(quantRun, n-c)
		for i := range w {
			lo[c+i], hi[i] = float32(math.Inf(1)), float32(math.Inf(-1))
		}
		minMaxAVX2(&lo[c], &hi[0], &x[c], QuantGroup, dim, w)
		for i := range w {
			scale[c+i], lo[c+i], divisor[i] = quantScale(lo[c+i], hi[i], params, bits)
		}
		quantKeysAVX2(&codes[c], &x[c], &lo[c], &divisor[0], dim, w, bits)
	}
	quantizeKeysGo(codes, scale, lo, x, params, bits, dim, n)
}

func dequantizeKeys(x []float32, codes []uint32, scale, lo []float32, bits, dim int) {
	n := whole(dim)
	if n > 0 {
		dequantKeysAVX2(&x[0], &codes[0], &scale[0], &lo[0], dim, n, bits)
	}
	dequantizeKeysGo(x, codes, scale, lo, bits, dim, n)
}

func quantizeValues(codes []uint32, scale, lo, x []float32, params DType, bits, groups int) {
	if active == tierGo {
		quantizeValuesGo(codes, scale, lo, x, params, bits, groups)
		return
	}
	var hi, divisor [quantRun]float32
	for g := 0; g < groups; g += quantRun {
		n := min(quantRun, groups-g)
		minMaxGroupsAVX2(&lo[g], &hi[0], &x[g*QuantGroup], n)
		for i := range n {
			scale[g+i], lo[g+i], divisor[i] = quantScale(lo[g+i], hi[i], params, bits)
		}
		quantValuesAVX2(&codes[g*bits], &x[g*QuantGroup], &lo[g], &divisor[0], n, bits)
	}
}

func dequantizeValues(x []float32, codes []uint32, scale, lo []float32, bits, groups int) {
	if active == tierGo {
		dequantizeValuesGo(x, codes, scale, lo, bits, groups)
		return
	}
	for g := 0; g < groups; g += quantRun {
		dequantValuesAVX2(&x[g*QuantGroup], &codes[g*bits], &scale[g], &lo[g], min(quantRun, groups-g), bits)
	}
}

// The divider is no faster with wider vectors, and the way back is bound by its stores, so AVX2 serves all tiers.

// quantKeysAVX2 packs the codes of n channels of one group, a positive multiple of 8; rows are dim values apart.
//
//go:noescape
func quantKeysAVX2(codes *uint32, x, lo, divisor *float32, dim, n, bits int)

//go:noescape
func dequantKeysAVX2(x *float32, codes *uint32, scale, lo *float32, dim, n, bits int)

// minMaxGroupsAVX2 finds the bounds of n > 0 groups of consecutive values.
//
//go:noescape
func minMaxGroupsAVX2(lo, hi, x *float32, n int)

//go:noescape
func quantValuesAVX2(codes *uint32, x, lo, divisor *float32, n, bits int)

//go:noescape
func dequantValuesAVX2(x *float32, codes *uint32, scale, lo *float32, n, bits int)
