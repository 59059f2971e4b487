package kernels

// storeBF16 runs the assembly for whole blocks of sixteen slots and dimensions.
func storeBF16(keys, vals []uint16, k, v []float32, n, d int) {
	if active < tierAVX512 || d%16 != 0 || n < 16 {
		storeBF16Go(keys, vals, k, v, n, d)
		return
	}
	i := 0
	for ; i+16 <= n; i += 16 {
		largest := uint32(0)
		if active == tierAMX {
			pageKeysAMX(&keys[i*d], &k[i*d], 16*d)
			largest = pageValuesAMX(&vals[i], &v[i*d], d)
		} else {
			pageKeysAVX512(&keys[i*d], &k[i*d], 16*d)
			largest = pageValuesAVX512(&vals[i], &v[i*d], d)
		}
		const large = 0x7f7f8000 // rounds to infinity, as all above it that is not NaN
		if largest >= large {
			storeBF16Go(keys[i*d:], vals[i:], k[i*d:], v[i*d:], 16, d)
		}
	}
	if i < n {
		storeBF16Go(keys[i*d:], vals[i:], k[i*d:], v[i*d:], n-i, d)
	}
}

// pageScores takes sixteen keys at a time; those beyond len(dst) are in the page too, and their scores are dropped.
func pageScores(f PageFormat, dst []float32, page []byte, q []float32, scale float32) {
	d := len(q)
	if active == tierGo || d == 0 || d%8 != 0 {
		pageScoresGo(f, dst, page, q, scale)
		return
	}
	var sums [16]float32
	for i := 0; i < len(dst); i += 16 {
		if f == PageF32 {
			k, _ := pageF32(page, d)
			dot1x16(&sums, &q[0], &k[i*d], d, d)
		} else {
			k, _ := pageBF16(page, d)
			dot1x16BF16(&sums, &q[0], &k[i*d], d, d)
		}
		for j := range dst[i:min(i+16, len(dst))] {
			dst[i+j] = scale * sums[j]
		}
	}
}

// pageKeysAMX rounds n values to bf16; n is a positive multiple of 32.
//
//go:noescape
func pageKeysAMX(dst *uint16, src *float32, n int)

// pageValuesAMX rounds src[16, d] to bf16 and stores its transpose in d rows PageTokens apart; d is a positive
// multiple of 16. It returns the largest number of src, without its sign, as bits: NaN is the largest.
//
//go:noescape
func pageValuesAMX(dst *uint16, src *float32, d int) uint32

// pageKeysAVX512 is pageKeysAMX, pageValuesAVX512 is pageValuesAMX.
//
//go:noescape
func pageKeysAVX512(dst *uint16, src *float32, n int)

//go:noescape
func pageValuesAVX512(dst *uint16, src *float32, d int) uint32
