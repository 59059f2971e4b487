package kernels

import "unsafe"

func widen(dst []float32, dt DType, src []byte) {
	if dt == F32 {
		copy(bytesOf(dst), src)
		return
	}
	for n := whole(len(dst)); n > 0; n = whole(len(dst)) {
		n = min(n, maxRun)
		switch {
		case dt == BF16 && active >= tierAVX512:
			wideBF16AVX512(&dst[0], &src[0], n)
		case dt == BF16:
			wideBF16AVX2(&dst[0], &src[0], n)
		case active >= tierAVX512:
			wideF16AVX512(&dst[0], &src[0], n)
		default:
			wideF16AVX2(&dst[0], &src[0], n)
		}
		dst, src = dst[n:], src[2*n:]
	}
	widenGo(dst, dt, src)
}

func narrow(dst []byte, dt DType, src []float32) {
	if dt == F32 {
		copy(dst, bytesOf(src))
		return
	}
	for n := whole(len(src)); n > 0; n = whole(len(src)) {
		n = min(n, maxRun)
		switch {
		case dt == BF16 && active >= tierAVX512:
			narrowBF16AVX512(&dst[0], &src[0], n)
		case dt == BF16:
			narrowBF16AVX2(&dst[0], &src[0], n)
		case active >= tierAVX512:
			narrowF16AVX512(&dst[0], &src[0], n)
		default: // AVX2 alone cannot, and does not imply F16C
			narrowGo(dst[:2*n], dt, src[:n])
		}
		dst, src = dst[2*n:], src[n:]
	}
	narrowGo(dst, dt, src)
}

// bytesOf views x as bytes, which on this architecture are in little-endian order.
func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// n is a positive multiple of sixteen in all of the following; dtype_amd64.h has their contracts.

//go:noescape
func wideBF16AVX512(dst *float32, src *byte, n int)

//go:noescape
func wideF16AVX512(dst *float32, src *byte, n int)

//go:noescape
func narrowBF16AVX512(dst *byte, src *float32, n int)

//go:noescape
func narrowF16AVX512(dst *byte, src *float32, n int)

//go:noescape
func wideBF16AVX2(dst *float32, src *byte, n int)

//go:noescape
func wideF16AVX2(dst *float32, src *byte, n int)

//go:noescape
func narrowBF16AVX2(dst *byte, src *float32, n int)
