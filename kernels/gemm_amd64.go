package kernels

import "unsafe"

// gemmInPlace does the work of so few rows with a panel of BF16 that widening it first is dearer, or nothing.
func gemmInPlace(w *Weight, sums, x []float32, stride int, data []byte, k int) bool {
	rows := len(sums) / gemmCols
	if w.stored != BF16 || active == tierGo || gemmGroup(rows) > 1 {
		return false
	}
	for r := range rows {
		call := gemmCall{x: unsafe.Pointer(&x[r*stride:][:k][0]), w: pointer(data), k: k, sums: unsafe.Pointer(&sums[r*gemmCols])}
		if active < tierAVX512 {
			gemm1BF16AVX2(&call)
		} else {
			gemm1BF16AVX512(&call)
		}
	}
	return true
}

// gemmRows adds to sums[rows][48] the products of x[rows][k], rows stride values apart, with panel[k][48], and fetches
// meanwhile as much of next.
func gemmRows(sums, x, panel, out []float32, stride int, w *Weight, next []byte) {
	if active == tierGo {
		gemmRowsGo(sums, x, panel, stride)
		return
	}
	k, rows := len(panel)/gemmCols, len(sums)/gemmCols
	_ = x[(rows-1)*stride+k-1]
	call := gemmCall{stride: 4 * stride, w: pointer(panel), k: k, outStride: 4 * w.Rows}
	size := k * gemmCols * w.stored.Size()
	for r := 0; r < rows; {
		n := gemmGroup(rows - r)
		call.x, call.sums = unsafe.Pointer(&x[r*stride]), unsafe.Pointer(&sums[r*gemmCols])
		call.fetch, call.ahead = pointer(panel), 0
		// Asking for memory that is not there costs a walk of the page tables for every line.
		if lines := k * lineSize; len(next) >= lines && size > 0 {
			call.fetch, call.ahead = pointer(next), lineSize
			next, size = next[lines:], size-lines
		}
		if out != nil {
			call.out, call.rows = unsafe.Pointer(&out[r*w.Rows]), n
		}
		gemmKernel(n, &call)
		r += n
	}
}

// gemmGroup is how many of the rows that are left a kernel takes.
func gemmGroup(rows int) int {
	switch {
	case active < tierAVX512:
		return min(rows, 2)
	case rows >= 8:
		return 8
	case rows >= 4:
		return 4
	}
	return 1
}

func gemmKernel(rows int, call *gemmCall) {
	switch {
	case active < tierAVX512 && rows == 2:
		gemm2AVX2(call)
	case active < tierAVX512:
		gemm1AVX2(call)
	case rows == 8:
		gemm8AVX512(call)
	case rows == 4:
		gemm4AVX512(call)
	default:
		gemm1AVX512(call)
	}
}

// gemmFinish writes a panel's part of out.
func gemmFinish(out, sums []float32, w *Weight, e *Epilogue, p int) {
	if w.Rows-p*gemmCols < gemmCols || active == tierGo {
		gemmFinishGo(out, sums, w, e, p)
		return
	}
	bias, add, rows := noBias[:], 0, len(sums)/gemmCols
	if e.Bias != nil {
		bias = e.Bias[p*gemmCols:][:gemmCols]
	}
	if e.Add {
		add = 1
	}
	_ = out[(rows-1)*w.Rows+gemmCols-1]
	if active < tierAVX512 {
		gemmFinishAVX2(&out[0], 4*w.Rows, &sums[0], &bias[0], rows, add)
	} else {
		gemmFinishAVX512(&out[0], 4*w.Rows, &sums[0], &bias[0], rows, add)
	}
}

// gemm8AVX512 is for eight rows of x.
//
//go:noescape
func gemm8AVX512(call *gemmCall)

//go:noescape
func gemm4AVX512(call *gemmCall)

//go:noescape
func gemm1AVX512(call *gemmCall)

// gemmFinishAVX512 writes out[rows][48] = (sums + bias) + out, or without out if add is 0; rows of out are stride bytes
// apart.
//
//go:noescape
func gemmFinishAVX512(out *float32, stride int, sums, bias *float32, rows, add int)

//go:noescape
func gemm2AVX2(call *gemmCall)

//go:noescape
func gemm1AVX2(call *gemmCall)

//go:noescape
func gemm1BF16AVX2(call *gemmCall)

//go:noescape
func gemmFinishAVX2(out *float32, stride int, sums, bias *float32, rows, add int)

// gemm1BF16AVX512 is gemm1AVX512 for a panel of BF16, with the same result as widening it first.
//
//go:noescape
func gemm1BF16AVX512(call *gemmCall)
