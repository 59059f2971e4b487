package kernels

// A panel is sixteen rows of w by up to wideChunk columns, panelStride apart: not a power of two, so that its rows
// do not share cache sets.
const (
	panelRows   = 16
	wideChunk   = 512
	panelStride = wideChunk + 16
)

func matmulBlock(out, x []float32, w *Matrix, r0, r1, c0, c1 int) {
	switch {
	case active == tierGo:
		matmulBlockGo(out, x, w, r0, r1, c0, c1)
	case w.f32 != nil && r1-r0 < 8 || w.bf16 != nil && r1-r0 < 4:
		matmulInPlace(out, x, w, r0, r1, c0, c1) // too few rows of x to share the cost of a copy
	default:
		matmulPanels(out, x, w, r0, r1, c0, c1)
	}
}

// matmulInPlace computes out[r0:r1, c0:c1] row by row from the weight as it is stored, F32 or BF16.
func matmulInPlace(out, x []float32, w *Matrix, r0, r1, c0, c1 int) {
	for c := c0; c < c1; c += panelRows {
		n := min(panelRows, c1-c)
		for k := 0; k < w.Cols; k += wideChunk {
			width, at := min(wideChunk, w.Cols-k), c*w.Cols+k
			for r := r0; r < r1; r++ {
				if w.f32 != nil {
					dotNEON(&out[r*w.Rows+c], &x[r*w.Cols+k], &w.f32[at], w.Cols, width, n, k)
				} else {
					dotBF16NEON(&out[r*w.Rows+c], &x[r*w.Cols+k], &w.bf16[at], w.Cols, width, n, k)
				}
			}
		}
	}
}

// matmulPanels computes out[r0:r1, c0:c1] from panels widened or copied to scratch, four rows of x at a time while
// there are four, and four columns at a time.
func matmulPanels(out, x []float32, w *Matrix, r0, r1, c0, c1 int) {
	var panel [panelRows * panelStride]float32
	for c := c0; c < c1; c += panelRows {
		n := min(panelRows, c1-c)
		fours := n &^ 3
		for k := 0; k < w.Cols; k += wideChunk {
			width := min(wideChunk, w.Cols-k)
			for i := range n {
				w.widen(panel[i*panelStride:][:width], c+i, k)
			}
			r := r0
			for ; r+4 <= r1; r += 4 {
				if fours > 0 {
					dot4NEON(&out[r*w.Rows+c], w.Rows, &x[r*w.Cols+k], w.Cols, &panel[0], panelStride, width, fours, k)
				}
				for i := r; i < r+4 && fours < n; i++ {
					dotNEON(&out[i*w.Rows+c+fours], &x[i*w.Cols+k], &panel[fours*panelStride], panelStride, width, n-fours, k)
				}
			}
			for ; r < r1; r++ {
				dotNEON(&out[r*w.Rows+c], &x[r*w.Cols+k], &panel[0], panelStride, width, n, k)
			}
		}
	}
}
