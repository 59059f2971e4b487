//go:build !amd64

package kernels

func convRows(out, in, weight, bias []float32, tokens, channels, stride, width int) {
	convRowsGo(out, in, weight, bias, tokens, channels, stride, width, 0)
}

func softplus(x, bias []float32) { softplusGo(x, bias) }

func (s *scanCall) block(from, to int) { s.blockGo(from, to) }

func ssdScan(y, h, x, b, c, step, decay []float32, skip float32, ys, us, states, dim int) {
	ssdScanGo(y, h, x, b, c, step, decay, skip, ys, us, states, dim)
}

func tileProduct(c []float32, cs int, a []float32, ar, ak int, b []float32, bs, n, cols, rows int, add bool) {
	tileProductGo(c, cs, a, ar, ak, b, bs, n, cols, rows, add)
}

func scaleRows(to []float32, ts int, from []float32, fs int, f []float32, n int) {
	scaleRowsGo(to, ts, from, fs, f, n)
}

func decayRow(m, g, cum, step []float32, last float32, n int) { decayRowGo(m, g, cum, step, last, n) }
