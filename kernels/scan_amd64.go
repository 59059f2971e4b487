package kernels

// lanes is the number of values in a vector of the tier in use.
func lanes() int {
	if active >= tierAVX512 {
		return 16
	}
	return 8
}

func softplus(x, bias []float32) {
	n := whole(len(x))
	switch {
	case n == 0:
	case active >= tierAVX512:
		softplusAVX512(&x[0], &bias[0], n)
	default:
		softplusAVX2(&x[0], &bias[0], n)
	}
	softplusGo(x[n:], bias[n:])
}

func convRows(out, in, weight, bias []float32, tokens, channels, stride, width int) {
	n := whole(len(bias))
	const each = 32 // rows per call, some ten microseconds
	for t := 0; n > 0 && t < tokens; t += each {
		rows := min(each, tokens-t)
		if active >= tierAVX512 {
			convAVX512(&out[t*channels], &in[t*stride], &weight[0], &bias[0], rows, channels, stride, width, n)
		} else {
			convAVX2(&out[t*channels], &in[t*stride], &weight[0], &bias[0], rows, channels, stride, width, n)
		}
	}
	if n < len(bias) {
		convRowsGo(out, in, weight, bias, tokens, channels, stride, width, n)
	}
}

// scanStates is the largest number of states whose rows fit the scan's local copy.
const scanStates = 64

// block computes the channels [from, to). Over several tokens the rows of state and a, which often lie a power of two
// apart and so share cache sets, are copied together; a single token reads them where they are.
func (s *scanCall) block(from, to int) {
	n := from + whole(to-from)
	if s.n == 0 || s.n > scanStates || s.tokens == 0 {
		n = from
	}
	var h, a [scanStates * 16]float32
	for c := from; c < n; c += 16 {
		if s.tokens == 1 {
			s.vectors(c, s.state[c:], s.a[c:], s.channels)
			continue
		}
		for k := range s.n {
			copy(h[k*16:][:16], s.state[k*s.channels+c:])
			copy(a[k*16:][:16], s.a[k*s.channels+c:])
		}
		s.vectors(c, h[:], a[:], 16)
		for k := range s.n {
			copy(s.state[k*s.channels+c:], h[k*16:][:16])
		}
	}
	if n < to {
		s.blockGo(n, to)
	}
}

// vectors computes sixteen channels from c on; their h and a have rows stride apart.
func (s *scanCall) vectors(c int, h, a []float32, stride int) {
	const each = 256 // tokens per call, some ten microseconds
	for t := 0; t < s.tokens; t += each {
		rows, at := min(each, s.tokens-t), t*s.channels+c
		if active >= tierAVX512 {
			selectiveScanAVX512(&s.y[at], &h[0], &s.x[at], &s.dt[at], &a[0], &s.b[t*s.n], &s.c[t*s.n], &s.skip[c], rows, s.channels, stride, s.n)
			continue
		}
		for i := 0; i < 16; i += 8 {
			selectiveScanAVX2(&s.y[at+i], &h[i], &s.x[at+i], &s.dt[at+i], &a[i], &s.b[t*s.n], &s.c[t*s.n], &s.skip[c+i], rows, s.channels, stride, s.n)
		}
	}
}

func ssdScan(y, h, x, b, c, step, decay []float32, skip float32, ys, us, states, dim int) {
	n := len(step)
	if active == tierGo || dim%32 != 0 || dim == 0 || states == 0 || n == 0 {
		ssdScanGo(y, h, x, b, c, step, decay, skip, ys, us, states, dim)
		return
	}
	wide := active >= tierAVX512 && dim%64 == 0
	for p := 0; p < dim && n > 1; {
		if wide {
			ssdScan2AVX512(&y[p], &h[p], &x[p], &b[0], &c[0], &step[0], &decay[0], skip, n/2, ys, us, states, dim)
			p += 32
		} else {
			ssdScan2AVX2(&y[p], &h[p], &x[p], &b[0], &c[0], &step[0], &decay[0], skip, n/2, ys, us, states, dim)
			p += 16
		}
	}
	t := n - 1
	for p := 0; p < dim && n%2 == 1; {
		if wide {
			ssdScanAVX512(&y[t*ys+p], &h[p], &x[t*us+p], &b[t*us], &c[t*us], &step[t], &decay[t], skip, 1, ys, us, states, dim)
			p += 64
		} else {
			ssdScanAVX2(&y[t*ys+p], &h[p], &x[t*us+p], &b[t*us], &c[t*us], &step[t], &decay[t], skip, 1, ys, us, states, dim)
			p += 32
		}
	}
}

// tileProduct computes whole tiles of four rows: where rows is no multiple of 4 and c is longer, the memory behind the
// rows must hold numbers in a and may be overwritten in c.
func tileProduct(c []float32, cs int, a []float32, ar, ak int, b []float32, bs, n, cols, rows int, add bool) {
	if active == tierGo || n == 0 || cols == 0 || cols%(2*lanes()) != 0 || len(c) < ((rows+3)&^3-1)*cs+cols {
		tileProductGo(c, cs, a, ar, ak, b, bs, n, cols, rows, add)
		return
	}
	rows = (rows + 3) &^ 3
	_, _, _ = c[(rows-1)*cs+cols-1], a[(rows-1)*ar+(n-1)*ak], b[(n-1)*bs+cols-1]
	sum := 0
	if add {
		sum = 1
	}
	if active >= tierAVX512 {
		tileProductAVX512(&c[0], cs, &a[0], ar, ak, &b[0], bs, n, cols, rows, sum)
	} else {
		tileProductAVX2(&c[0], cs, &a[0], ar, ak, &b[0], bs, n, cols, rows, sum)
	}
}

func scaleRows(to []float32, ts int, from []float32, fs int, f []float32, n int) {
	switch {
	case whole(n) != n || n == 0 || active == tierGo:
		scaleRowsGo(to, ts, from, fs, f, n)
	case active >= tierAVX512:
		scaleRowsAVX512(&to[0], ts, &from[0], fs, &f[0], len(f), n)
	default:
		scaleRowsAVX2(&to[0], ts, &from[0], fs, &f[0], len(f), n)
	}
}

// decayRow may write up to the next multiple of sixteen, which all four have room for.
func decayRow(m, g, cum, step []float32, last float32, n int) {
	up := (n + 15) &^ 15
	_, _, _, _ = m[up-1], g[up-1], cum[up-1], step[up-1]
	switch {
	case active == tierGo:
		decayRowGo(m, g, cum, step, last, n)
	case active >= tierAVX512:
		decayRowAVX512(&m[0], &g[0], &cum[0], &step[0], last, up)
	default:
		decayRowAVX2(&m[0], &g[0], &cum[0], &step[0], last, up)
	}
}

// scan_amd64.h has the contracts of all of the following.

//go:noescape
func softplusAVX512(x, bias *float32, n int)

//go:noescape
func convAVX512(out, in, weight, bias *float32, tokens, channels, stride, width, n int)

//go:noescape
func selectiveScanAVX512(y, h, x, dt, a, b, c, skip *float32, tokens, channels, stride, n int)

//go:noescape
func ssdScanAVX512(y, h, x, b, c, step, decay *float32, skip float32, tokens, ys, us, states, dim int)

//go:noescape
func ssdScan2AVX512(y, h, x, b, c, step, decay *float32, skip float32, pairs, ys, us, states, dim int)

//go:noescape
func tileProductAVX512(c *float32, cs int, a *float32, ar, ak int, b *float32, bs, n, cols, rows, add int)

//go:noescape
func scaleRowsAVX512(to *float32, ts int, from *float32, fs int, f *float32, rows, n int)

//go:noescape
func decayRowAVX512(m, cb, cum, step *float32, last float32, n int)

//go:noescape
func softplusAVX2(x, bias *float32, n int)

//go:noescape
func convAVX2(out, in, weight, bias *float32, tokens, channels, stride, width, n int)

//go:noescape
func selectiveScanAVX2(y, h, x, dt, a, b, c, skip *float32, tokens, channels, stride, n int)

//go:noescape
func ssdScanAVX2(y, h, x, b, c, step, decay *float32, skip float32, tokens, ys, us, states, dim int)

//go:noescape
func ssdScan2AVX2(y, h, x, b, c, step, decay *float32, skip float32, pairs, ys, us, states, dim int)

//go:noescape
func tileProductAVX2(c *float32, cs int, a *float32, ar, ak int, b *float32, bs, n, cols, rows, add int)

//go:noescape
func scaleRowsAVX2(to *float32, ts int, from *float32, fs int, f *float32, rows, n int)

//go:noescape
func decayRowAVX2(m, cb, cum, step *float32, last float32, n int)
