package kernels

import "unsafe"

// In float32 a packed weight is cut into panels of 48 output features, each [Cols][48] of the type that the matrix is
// stored in, little-endian; what is missing from the last is zero. The kernels take a few rows of x with a chunk of a
// panel at a time and keep 48 sums a row, which wait in memory from one chunk to the next. That rounds nothing: a
// sum adds up its products in the order of the columns, on to one number, however it is cut.
const (
	gemmCols  = 48
	gemmChunk = 128 // a chunk of a panel, 24 KB, leaves room in the first-level cache for the rows
	gemmBlock = 256 // rows that share the widening and reading of a panel
)

// gemmCall is one call of a kernel: sums[rows][48] += x[rows][k]·w[k][48]. The assembly knows its fields by name.
type gemmCall struct {
	x         unsafe.Pointer
	stride    int            // bytes from one row of x to the next
	w         unsafe.Pointer // float32
	k         int            // at least 1
	sums      unsafe.Pointer
	fetch     unsafe.Pointer // what to fetch into the second-level cache meanwhile
	ahead     int            // 64, to fetch a line of it every step, or 0
	rows      int            // of out, to be fetched too, or 0
	out       unsafe.Pointer
	outStride int
}

// productF32 is Product in float32.
func productF32(pool *Pool, out []float32, x *Rows, w *Weight, e *Epilogue) {
	panels := ceilDiv(w.Rows, gemmCols)
	each := w.gemmPanels(min(x.m, gemmBlock))
	across := ceilDiv(panels, each)
	pool.Run(ceilDiv(x.m, gemmBlock)*across, func(i int) {
		r, first := i/across*gemmBlock, i%across*each
		gemmTask(out, x, w, e, r, min(r+gemmBlock, x.m), first, min(first+each, panels))
	})
}

// gemmPanels is the number of panels that one task computes for a block of rows: enough to be worth handing out, and few
// enough to leave something to others where reading the weight is the work.
func (w *Weight) gemmPanels(rows int) int {
	const read = 128 << 10 // bytes, some 8 µs
	work := 1 << 19        // multiply-adds, some 6 µs of AVX-512
	if active == tierGo {
		work = 1 << 16
	}
	panel := max(w.Cols, 1) * gemmCols
	return max(min(work/(max(rows, 1)*panel), read/(panel*w.stored.Size())), 1)
}

// gemmTask computes the rows [r0, r1) with the panels [p0, p1).
func gemmTask(out []float32, x *Rows, w *Weight, e *Epilogue, r0, r1, p0, p1 int) {
	size := (r1 - r0) * gemmCols
	scratch := scratchBytes(4 * (size + gemmCols*gemmChunk))
	defer scratchPool.Put(scratch)
	all := values[float32](*scratch)
	wide, sums := all[:gemmCols*gemmChunk], all[gemmCols*gemmChunk:][:size]
	for p := p0; p < p1; p++ {
		clear(sums)
		to := out[r0*w.Rows+p*gemmCols:]
		for k0 := 0; k0 < w.Cols; k0 += gemmChunk {
			k1 := min(k0+gemmChunk, w.Cols)
			var soon []float32 // what the sums are going to be written to
			if k1 == w.Cols {
				soon = to
			}
			w.gemm(sums, x.f32[r0*x.stride+k0:], x.stride, wide, soon, p, k0, k1)
		}
		gemmFinish(to, sums, w, e, p)
	}
}

// gemm adds to sums[rows][48] the products of the columns [k0, k1) of panel p.
func (w *Weight) gemm(sums, x []float32, stride int, wide, out []float32, p, k0, k1 int) {
	data, next := w.gemmChunk(p, k0, k1)
	if gemmInPlace(w, sums, x, stride, data, k1-k0) {
		return
	}
	var panel []float32
	if w.stored == F32 {
		panel = view[float32](data)
	}
	if panel == nil {
		panel = wide[:(k1-k0)*gemmCols]
		Widen(panel, w.stored, data)
	}
	gemmRows(sums, x, panel, out, stride, w, next)
}

// gemmChunk returns the columns [k0, k1) of panel p, and what follows them.
func (w *Weight) gemmChunk(p, k0, k1 int) (data, next []byte) {
	size := gemmCols * w.stored.Size()
	at := p * w.Cols
	return w.packed[(at+k0)*size : (at+k1)*size], w.packed[(at+k1)*size:]
}

// gemmFinishGo is the portable twin: it writes out[rows][48 of Rows] = (sums + bias) + out for panel p,
// out being where that part starts.
func gemmFinishGo(out, sums []float32, w *Weight, e *Epilogue, p int) {
	c := p * gemmCols
	n := min(gemmCols, w.Rows-c)
	for ; len(sums) > 0; sums = sums[gemmCols:] {
		s := sums[:n]
		if e.Bias != nil {
			for i, v := range e.Bias[c:][:n] {
				s[i] += v
			}
		}
		to := out[:n]
		if e.Add {
			for i, v := range to {
				s[i] += v
			}
		}
		copy(to, s)
		out = out[min(w.Rows, len(out)):]
	}
}

// gemmRowsGo is the portable twin of the kernels, eight sums at a time: sums[rows][48] += x[rows][k]·panel[k][48].
func gemmRowsGo(sums, x, panel []float32, stride int) {
	k := len(panel) / gemmCols
	for ; len(sums) > 0; sums = sums[gemmCols:] {
		row := x[:k]
		for c := 0; c < gemmCols; c += 8 {
			s := (*[8]float32)(sums[c:])
			s0, s1, s2, s3, s4, s5, s6, s7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
			at := panel[c:]
			for i, v := range row {
				w := (*[8]float32)(at[i*gemmCols:])
				s0 += float32(v * w[0])
				s1 += float32(v * w[1])
				s2 += float32(v * w[2])
				s3 += float32(v * w[3])
				s4 += float32(v * w[4])
				s5 += float32(v * w[5])
				s6 += float32(v * w[6])
				s7 += float32(v * w[7])
			}
			*s = [8]float32{s0, s1, s2, s3, s4, s5, s6, s7}
		}
		x = x[min(stride, len(x)):]
	}
}
