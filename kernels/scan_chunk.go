package kernels

// ssdChunk is the number of tokens of a chunk: its matrices stay in the second-level cache.
const ssdChunk = 64

// decayMin is the logarithm below which a decay inside a chunk counts as 0: what it would add is far below any rounding,
// and its products would be subnormal, which costs processors a hundred times more than numbers.
const decayMin = -60

// ssdScratch is one task's memory; all matrices are row-major.
type ssdScratch struct {
	c, bt       []float32 // [ssdChunk, State] C, and the transpose of B
	g           []float32 // [ssdChunk, ssdChunk] C·Bᵀ, shared by the heads of a group
	m           []float32 // [ssdChunk, ssdChunk] g with one head's decays, dt and skip
	x, xw, y    []float32 // [ssdChunk, Dim] x, dt·x decayed to the end of the chunk, and the output
	cum         [ssdChunk]float32
	fade, carry [ssdChunk]float32 // decays from the chunk's start to t, and from t to its end
	step        [ssdChunk]float32
}

func newSSDScratch(s SSDShape) *ssdScratch {
	cut := make([]float32, ssdChunk*(2*s.State+3*s.Dim+2*ssdChunk))
	take := func(n int) []float32 {
		part := cut[: ssdChunk*n : ssdChunk*n]
		cut = cut[ssdChunk*n:]
		return part
	}
	return &ssdScratch{
		c: take(s.State), bt: take(s.State), g: take(ssdChunk), m: take(ssdChunk),
		x: take(s.Dim), xw: take(s.Dim), y: take(s.Dim),
	}
}

// chunks runs the heads [first, end) of one group over all tokens.
func (c *ssdCall) chunks(first, end int) {
	w := newSSDScratch(c.SSDShape)
	_, _, b, cc := c.head(first)
	n := c.State
	for from := 0; from < c.tokens; from += ssdChunk {
		q := min(ssdChunk, c.tokens-from)
		if q < ssdChunk { // the rows that fill up the last tile must hold numbers
			clear(w.c[q*n:])
			clear(w.x[q*c.Dim:])
		}
		for t := range q {
			row := c.u[(from+t)*c.Width():]
			copy(w.c[t*n:][:n], row[cc:])
			for k, v := range row[b:][:n] {
				w.bt[k*ssdChunk+t] = v
			}
		}
		tileProduct(w.g, ssdChunk, w.c, n, 1, w.bt, ssdChunk, n, ssdChunk, q, false)
		for i := first; i < end; i++ {
			c.chunk(w, i, from, q)
		}
	}
}

// chunk runs head i over the q tokens from from on, whose C·Bᵀ is in w.
func (c *ssdCall) chunk(w *ssdScratch, i, from, q int) {
	h, x, _, _ := c.head(i)
	d, n := c.Dim, c.State
	var sum float32
	for t := range q {
		w.step[t] = c.dt[(from+t)*c.Heads+i]
		sum += float32(w.step[t] * c.a[i])
		w.cum[t] = sum
	}
	for t := range q {
		w.carry[t] = sum - w.cum[t]
	}
	decays(w.fade[:q], w.cum[:q])
	decays(w.carry[:q], w.carry[:q])
	for t, v := range w.step[:q] {
		w.carry[t] *= v
		copy(w.x[t*d:][:d], c.u[(from+t)*c.Width()+x:])
	}
	scaleRows(w.xw, d, w.x, d, w.carry[:q], d)

	// y = fade·C·h + (g ∘ decay·dt + skip·1)·x, row t of the latter from the tokens up to t; four rows at a time.
	tileProduct(w.y, d, w.c, n, 1, h, d, n, d, q, false)
	scaleRows(w.y, d, w.y, d, w.fade[:q], d)
	for t := 0; t < q; t += 4 {
		upTo := min(t+4, q)
		for r := t; r < upTo; r++ {
			row := w.m[r*ssdChunk:][:ssdChunk]
			decayRow(row, w.g[r*ssdChunk:][:ssdChunk], w.cum[:], w.step[:], w.cum[r], r+1)
			row[r] += c.skip[i]
			clear(row[r+1 : t+4])
		}
		tileProduct(w.y[t*d:], d, w.m[t*ssdChunk:], ssdChunk, 1, w.x, d, min(t+4, ssdChunk), d, upTo-t, true)
	}
	for t := range q {
		copy(c.y[((from+t)*c.Heads+i)*d:][:d], w.y[t*d:])
	}
	// h = fade·h + Bᵀ·xw.
	scaleBy(h, w.fade[q-1])
	tileProduct(h, d, w.bt, ssdChunk, 1, w.xw, d, q, d, n, true)
}

// decays writes e^x to dst, which may be x.
func decays(dst, x []float32) {
	for i, v := range x {
		if v < decayMin {
			v = expMin * 2
		}
		dst[i] = v
	}
	expSum(dst, dst, 0)
}

// tileProductGo is the portable twin of tileProduct: c[r, j] = Σ_k a[r·ar + k·ak]·b[k, j], or added to c, for rows rows and
// cols columns; cs and bs are the distances of rows. The sum runs in order over k.
func tileProductGo(c []float32, cs int, a []float32, ar, ak int, b []float32, bs, n, cols, rows int, add bool) {
	for r := range rows {
		out := c[r*cs:][:cols]
		if !add {
			clear(out)
		}
		for k := range n {
			f := a[r*ar+k*ak]
			for j, v := range b[k*bs:][:cols] {
				out[j] += float32(f * v)
			}
		}
	}
}

// scaleRowsGo is the portable twin of scaleRows: row r of to is f[r] times row r of from; rows are ts and fs apart and
// have n values.
func scaleRowsGo(to []float32, ts int, from []float32, fs int, f []float32, n int) {
	for r, v := range f {
		out := to[r*ts:][:n]
		for i, u := range from[r*fs:][:n] {
			out[i] = v * u
		}
	}
}

// decayRowGo is the portable twin of decayRow: m[s] = g[s]·e^(last-cum[s])·step[s] for s < n.
func decayRowGo(m, g, cum, step []float32, last float32, n int) {
	for s := range n {
		var decay float32
		if x := min(last-cum[s], 0); !(x < decayMin) {
			decay = expNeg(x)
		}
		m[s] = g[s] * decay * step[s]
	}
}
