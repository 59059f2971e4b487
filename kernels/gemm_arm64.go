package kernels

import "unsafe"

func gemmInPlace(*Weight, []float32, []float32, int, []byte, int) bool { return false }

// gemmRows adds to sums[rows][48] the products of x[rows][k], rows stride values apart, with panel[k][48].
func gemmRows(sums, x, panel, _ []float32, stride int, _ *Weight, _ []byte) {
	if active == tierGo {
		gemmRowsGo(sums, x, panel, stride)
		return
	}
	k, rows := len(panel)/gemmCols, len(sums)/gemmCols
	_ = x[(rows-1)*stride+k-1]
	call := gemmCall{stride: 4 * stride, w: pointer(panel), k: k}
	for r := 0; r < rows; r += 2 {
		call.x, call.sums = unsafe.Pointer(&x[r*stride]), unsafe.Pointer(&sums[r*gemmCols])
		if r+1 < rows {
			gemm2NEON(&call)
		} else {
			gemm1NEON(&call)
		}
	}
}

// gemmFinish writes a panel's part of out, row by row.
func gemmFinish(out, sums []float32, w *Weight, e *Epilogue, p int) {
	if active == tierGo {
		gemmFinishGo(out, sums, w, e, p)
		return
	}
	c := p * gemmCols
	n := min(gemmCols, w.Rows-c)
	for r := range len(sums) / gemmCols {
		s, to := sums[r*gemmCols:][:n], out[r*w.Rows:][:n]
		if e.Bias != nil {
			Add(s, e.Bias[c:][:n])
		}
		if e.Add {
			Add(s, to)
		}
		copy(to, s)
	}
}

// gemm2NEON is for two rows of x.
//
//go:noescape
func gemm2NEON(call *gemmCall)

//go:noescape
func gemm1NEON(call *gemmCall)
