package kernels

import "unsafe"

func widen(dst []float32, dt DType, src []byte) {
	if dt == F32 {
		// Little-endian is this architecture's order.
		copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(dst))), 4*len(dst)), src)
		return
	}
	n := inRuns(len(dst), func(i, n int) {
		if dt == BF16 {
			widenBF16NEON(&dst[i], &src[2*i], n)
		} else {
			widenF16NEON(&dst[i], &src[2*i], n)
		}
	})
	widenGo(dst[n:], dt, src[2*n:])
}

func narrow(dst []byte, dt DType, src []float32) { narrowGo(dst, dt, src) }

// n is a positive multiple of sixteen in both.

//go:noescape
func widenBF16NEON(dst *float32, src *byte, n int)

//go:noescape
func widenF16NEON(dst *float32, src *byte, n int)
