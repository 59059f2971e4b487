package kernels

func dot1x16(sums *[16]float32, x, w *float32, stride, n int) {
	if active >= tierAVX512 {
		dot1x16AVX512(sums, x, w, stride, n)
	} else {
		dot1x16AVX2(sums, x, w, stride, n)
	}
}

func dot1x16BF16(sums *[16]float32, x *float32, w *uint16, stride, n int) {
	if active >= tierAVX512 {
		dot1x16BF16AVX512(sums, x, w, stride, n)
	} else {
		dot1x16BF16AVX2(sums, x, w, stride, n)
	}
}

// dot1x16AVX512 computes the inner products of x[n] with sixteen rows w[n], stride values apart.
//
//go:noescape
func dot1x16AVX512(sums *[16]float32, x, w *float32, stride, n int)

// dot1x16BF16AVX512 is dot1x16AVX512 for rows of BF16, with the same result as widening them first.
//
//go:noescape
func dot1x16BF16AVX512(sums *[16]float32, x *float32, w *uint16, stride, n int)

// The AVX2 kernels do the same with half the lanes.

//go:noescape
func dot1x16AVX2(sums *[16]float32, x, w *float32, stride, n int)

// dot1x16BF16AVX2 needs n to be a positive multiple of 8.
//
//go:noescape
func dot1x16BF16AVX2(sums *[16]float32, x *float32, w *uint16, stride, n int)
