package kernels

import "unsafe"

// A panel is sixteen rows of w by up to wideChunk columns, panelStride apart: not a power of two, so that its rows
// do not share cache sets.
const (
	panelRows   = 16
	wideChunk   = 512
	panelStride = wideChunk + 16
)

func matmulBlock(out, x []float32, w *Matrix, r0, r1, c0, c1 int) {
	if active == tierGo {
		matmulBlockGo(out, x, w, r0, r1, c0, c1)
		return
	}
	// Whole panels are read in place while too few rows of x would share the cost of a copy.
	whole := c0
	if w.f32 != nil && r1-r0 < 8 || w.bf16 != nil && r1-r0 < 4 && (w.Cols%8 == 0 || active >= tierAVX512) {
		whole = c0 + (c1-c0)/panelRows*panelRows
		matmulInPlace(out, x, w, r0, r1, c0, whole)
	}
	if whole < c1 {
		matmulPanels(out, x, w, r0, r1, whole, c1)
	}
}

// matmulInPlace computes out[r0:r1, c0:c1] row by row from the weight as it is stored, F32 or BF16; c1-c0 is a
// multiple of sixteen. A sum has as many lanes as a vector, added up by the same tree in all of these kernels.
func matmulInPlace(out, x []float32, w *Matrix, r0, r1, c0, c1 int) {
	var sums [16]float32
	for c := c0; c < c1; c += panelRows {
		for k := 0; k < w.Cols; k += wideChunk {
			width, at := min(wideChunk, w.Cols-k), c*w.Cols+k
			for r := r0; r < r1; r++ {
				if w.f32 != nil {
					dot1x16(&sums, &x[r*w.Cols+k], &w.f32[at], w.Cols, width)
				} else {
					dot1x16BF16(&sums, &x[r*w.Cols+k], &w.bf16[at], w.Cols, width)
				}
				store16(out[r*w.Rows+c:][:panelRows], &sums, k == 0)
			}
		}
	}
}

// matmulPanels computes out[r0:r1, c0:c1] from panels widened or copied to scratch, four rows of x at a time while
// there are four. Missing rows of the last panel hold anything, and their sums are not stored.
func matmulPanels(out, x []float32, w *Matrix, r0, r1, c0, c1 int) {
	var panel [panelRows * panelStride]float32
	var sums [4 * panelRows]float32
	for c := c0; c < c1; c += panelRows {
		n := min(panelRows, c1-c)
		for k := 0; k < w.Cols; k += wideChunk {
			width, add := min(wideChunk, w.Cols-k), min(k, 1)
			for i := range n {
				w.load(panel[i*panelStride:][:width], c+i, k)
			}
			r := r0
			for ; r+4 <= r1; r += 4 {
				if n == panelRows {
					dot4x16(&out[r*w.Rows+c], w.Rows, &x[r*w.Cols+k], w.Cols, &panel[0], panelStride, width, add)
					continue
				}
				dot4x16(&sums[0], panelRows, &x[r*w.Cols+k], w.Cols, &panel[0], panelStride, width, 0)
				for i := range 4 {
					store16(out[(r+i)*w.Rows+c:][:n], (*[16]float32)(sums[i*panelRows:]), k == 0)
				}
			}
			for ; r < r1; r++ {
				dot1x16((*[16]float32)(sums[:]), &x[r*w.Cols+k], &panel[0], panelStride, width)
				store16(out[r*w.Rows+c:][:n], (*[16]float32)(sums[:]), k == 0)
			}
		}
	}
}

func store16(out []float32, sums *[16]float32, first bool) {
	if first {
		copy(out, sums[:])
		return
	}
	for i := range out {
		out[i] += sums[i&15]
	}
}

// load is widen by the fastest means.
func (w *Matrix) load(dst []float32, i, c int) {
	at, n := i*w.Cols+c, 0
	switch w.Type {
	case F32:
		if w.f32 != nil {
			copy(dst, w.f32[at:])
			return
		}
	case BF16:
		if n = len(dst) &^ 15; n > 0 {
			wideBF16(&dst[0], &w.data[2*at], n)
		}
	}
	w.widen(dst[n:], i, c+n)
}

func dot4x16(sums *float32, sstride int, x *float32, xstride int, w *float32, stride, n, add int) {
	if active >= tierAVX512 {
		dot4x16AVX512(sums, sstride, x, xstride, w, stride, n, add)
		return
	}
	dot2x16AVX2(sums, sstride, x, xstride, w, stride, n, add)
	sums, x = advance(sums, 2*sstride), advance(x, 2*xstride)
	dot2x16AVX2(sums, sstride, x, xstride, w, stride, n, add)
}

func advance(p *float32, n int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*n)) }

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

func wideBF16(dst *float32, src *byte, n int) {
	if active >= tierAVX512 {
		widenBF16AVX512(dst, src, n)
	} else {
		widenBF16AVX2(dst, src, n)
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

// dot4x16AVX512 computes the inner products of four rows x[n], xstride apart, with sixteen rows w[n], stride
// apart. It stores them in four rows of sixteen, sstride apart, or adds them to what is there if add is not 0.
//
//go:noescape
func dot4x16AVX512(sums *float32, sstride int, x *float32, xstride int, w *float32, stride, n, add int)

// widenBF16AVX512 widens n values; n is a positive multiple of 16.
//
//go:noescape
func widenBF16AVX512(dst *float32, src *byte, n int)

// The AVX2 kernels do the same with half the lanes.

//go:noescape
func dot1x16AVX2(sums *[16]float32, x, w *float32, stride, n int)

// dot1x16BF16AVX2 needs n to be a positive multiple of 8.
//
//go:noescape
func dot1x16BF16AVX2(sums *[16]float32, x *float32, w *uint16, stride, n int)

// dot2x16AVX2 is for two rows of x.
//
//go:noescape
func dot2x16AVX2(sums *float32, sstride int, x *float32, xstride int, w *float32, stride, n, add int)

//go:noescape
func widenBF16AVX2(dst *float32, src *byte, n int)
