package kernels

// scoreRun is the number of rows per call of the assembly, some ten microseconds of work.
const scoreRun = 512

func dotRows(dst, q, k []float32, scale float32) {
	d := len(q)
	if active == tierGo || d == 0 {
		dotRowsGo(dst, q, k, scale)
		return
	}
	for i := 0; i < len(dst); i += scoreRun {
		dotNEON(&dst[i], &q[0], &k[i*d], d, d, min(scoreRun, len(dst)-i), 0)
	}
	scaleBy(dst, scale)
}

func upperBounds(dst, q, lo, hi []float32) {
	d := len(q)
	if active == tierGo || d == 0 || d%4 != 0 {
		upperBoundsGo(dst, q, lo, hi)
		return
	}
	for i := 0; i < len(dst); i += scoreRun {
		upperBoundsNEON(&dst[i], &q[0], &lo[i*d], &hi[i*d], d, min(scoreRun, len(dst)-i))
	}
}

// upperBoundsNEON bounds the products with rows > 0 groups, one sum of four lanes each; d is a positive multiple of 4.
//
//go:noescape
func upperBoundsNEON(dst, q, lo, hi *float32, d, rows int)
