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
	const work = 1 << 18 // multiply-adds
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

// matmulBlockGo is the portable twin: out[r0:r1, c0:c1], eight columns at a time.
func matmulBlockGo(out, x []float32, w *Matrix, r0, r1, c0, c1 int) {
	var scratch [8 * matmulChunk]float32
	for c := c0; c < c1; c += 8 {
		n := min(8, c1-c)
		for k := 0; k < w.Cols; k += matmulChunk {
			width := min(matmulChunk, w.Cols-k)
			panel := w.panel(&scratch, c, n, k, width)
			for r := r0; r < r1; r++ {
				sums := [8]float32{}
				sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7] = dot8(x[r*w.Cols+k:][:width],
					panel[0], panel[1], panel[2], panel[3], panel[4], panel[5], panel[6], panel[7])
				store(out[r*w.Rows+c:][:n], &sums, k == 0)
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

// panel returns the columns [k, k+width) of the n ≤ 8 rows from c on as float32: views of the weight where it is
// float32, else widened into scratch. Rows that are missing repeat the last one, and their sums are not stored.
func (w *Matrix) panel(scratch *[8 * matmulChunk]float32, c, n, k, width int) (rows [8][]float32) {
	for i := range rows {
		switch {
		case i >= n:
			rows[i] = rows[n-1]
		case w.f32 != nil:
			rows[i] = w.f32[(c+i)*w.Cols+k:][:width]
		default:
			rows[i] = scratch[i*matmulChunk:][:width]
			w.widen(rows[i], c+i, k)
		}
	}
	return rows
}
