package kernels

// matmulChunk is the number of columns summed in one run. A row's sum is the sum, in order, of its chunks' sums:
// that keeps a panel of the weight in the first-level cache and the rounding error of long rows small.
const matmulChunk = 256

// MatMul computes out[m, Rows] = x[m, Cols] · wᵀ in float32. Row i of out depends on row i of x alone, bit for
// bit. out must not overlap x.
func MatMul(p *Pool, out, x []float32, w *Matrix, m int) {
	checkLen("MatMul", "out", len(out), m, w.Rows)
	checkLen("MatMul", "x", len(x), m, w.Cols)
	if w.Cols == 0 {
		clear(out)
		return
	}
	rows, cols := matmulTile(m, w.Rows, w.Cols)
	down, across := ceilDiv(m, rows), ceilDiv(w.Rows, cols)
	p.Run(down*across, func(i int) {
		r, c := i/across*rows, i%across*cols
		matmulBlock(out, x, w, r, min(r+rows, m), c, min(c+cols, w.Rows))
	})
}

// matmulTile chooses the part of out that one task computes: at most 64 rows, which share the widening of the
// weight, and as many columns as make the task worth handing out. The choice affects the speed only.
func matmulTile(m, n, k int) (rows, cols int) {
	work := 1 << 16 // multiply-adds, some ten microseconds
	if active != tierGo {
		work = 1 << 19
	}
	rows = min(m, 64)
	cols = work / (max(rows, 1) * k)
	return rows, min(max(cols/16*16, 16), max(n, 1))
}

func ceilDiv(a, b int) int {
	if a == 0 {
		return 0
	}
	return (a + b - 1) / b
}

// fewRows is the number of rows of x up to which a weight of BF16 is read in place.
const fewRows = 4

// matmulBlockGo is the portable twin: out[r0:r1, c0:c1], eight columns at a time.
func matmulBlockGo(out, x []float32, w *Matrix, r0, r1, c0, c1 int) {
	var scratch [8 * matmulChunk]float32
	inPlace := w.bf16 != nil && r1-r0 <= fewRows
	for c := c0; c < c1; c += 8 {
		n := min(8, c1-c)
		for k := 0; k < w.Cols; k += matmulChunk {
			width := min(matmulChunk, w.Cols-k)
			var s [8]float32
			if inPlace {
				p := panel8(w.bf16, w.Cols, c, n, k, width)
				for r := r0; r < r1; r++ {
					s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = dot8bf16(x[r*w.Cols+k:][:width], p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7])
					store(out[r*w.Rows+c:][:n], &s, k == 0)
				}
				continue
			}
			p := w.panel(&scratch, c, n, k, width)
			for r := r0; r < r1; r++ {
				s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = dot8(x[r*w.Cols+k:][:width], p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7])
				store(out[r*w.Rows+c:][:n], &s, k == 0)
			}
		}
	}
}

// store writes the sums of the first chunk and adds those of the others.
func store(out []float32, sums *[8]float32, first bool) {
	if first {
		copy(out, sums[:])
		return
	}
	for i := range out {
		out[i] += sums[i&7]
	}
}

// panel returns the columns [k, k+width) of the n ≤ 8 rows of w from c on as float32: a view of the weight where
// it is float32, else widened into scratch.
func (w *Matrix) panel(scratch *[8 * matmulChunk]float32, c, n, k, width int) [8][]float32 {
	if w.f32 != nil {
		return panel8(w.f32, w.Cols, c, n, k, width)
	}
	for i := range n {
		w.widen(scratch[i*matmulChunk:][:width], c+i, k)
	}
	return panel8(scratch[:], matmulChunk, 0, n, 0, width)
}

// panel8 cuts the columns [k, k+width) of the n ≤ 8 rows from c on. Rows that are missing repeat the last one, and
// their sums are not stored.
func panel8[T float32 | uint16](data []T, cols, c, n, k, width int) (rows [8][]T) {
	for i := range rows {
		rows[i] = data[(c+min(i, n-1))*cols+k:][:width]
	}
	return rows
}
