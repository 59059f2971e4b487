package kernels

// scoreRun is the number of rows per call of the assembly, some ten microseconds of work.
const scoreRun = 512

func dotRows(dst, q, k []float32, scale float32) {
	d := len(q)
	switch {
	case active >= tierAVX512 && d > 0 && d%16 == 0:
		for len(dst) >= 16 {
			n := min(len(dst)&^15, scoreRun)
			dotRowsAVX512(&dst[0], &q[0], &k[0], scale, d, n/16)
			dst, k = dst[n:], k[n*d:]
		}
		for i := range dst {
			dst[i] = dotRowAVX512(&q[0], &k[i*d], scale, d)
		}
	case active != tierGo && d > 0 && d%8 == 0:
		for len(dst) >= 8 {
			n := min(len(dst)&^7, scoreRun)
			dotRowsAVX2(&dst[0], &q[0], &k[0], scale, d, n/8)
			dst, k = dst[n:], k[n*d:]
		}
		for i := range dst {
			dst[i] = dotRowAVX2(&q[0], &k[i*d], scale, d)
		}
	default:
		dotRowsGo(dst, q, k, scale)
	}
}

func upperBounds(dst, q, lo, hi []float32) {
	d := len(q)
	switch {
	case active >= tierAVX512 && d > 0 && d%16 == 0:
		for len(dst) >= 16 {
			n := min(len(dst)&^15, scoreRun)
			upperBoundsAVX512(&dst[0], &q[0], &lo[0], &hi[0], d, n/16)
			dst, lo, hi = dst[n:], lo[n*d:], hi[n*d:]
		}
		for i := range dst {
			dst[i] = upperBoundAVX512(&q[0], &lo[i*d], &hi[i*d], d)
		}
	case active != tierGo && d > 0 && d%8 == 0:
		for len(dst) >= 8 {
			n := min(len(dst)&^7, scoreRun)
			upperBoundsAVX2(&dst[0], &q[0], &lo[0], &hi[0], d, n/8)
			dst, lo, hi = dst[n:], lo[n*d:], hi[n*d:]
		}
		for i := range dst {
			dst[i] = upperBoundAVX2(&q[0], &lo[i*d], &hi[i*d], d)
		}
	default:
		upperBoundsGo(dst, q, lo, hi)
	}
}

// dotRowsAVX512 scores sixteen keys per group; d is a positive multiple of 16. Its sums have sixteen lanes, added
// up by one tree, as has dotRowAVX512's one.
//
//go:noescape
func dotRowsAVX512(dst, q, k *float32, scale float32, d, groups int)

//go:noescape
func dotRowAVX512(q, k *float32, scale float32, d int) float32

// upperBoundsAVX512 bounds sixteen times groups rows of lo and hi in the same way.
//
//go:noescape
func upperBoundsAVX512(dst, q, lo, hi *float32, d, groups int)

//go:noescape
func upperBoundAVX512(q, lo, hi *float32, d int) float32

// The AVX2 kernels do the same with eight rows in a group and eight lanes; d is a positive multiple of 8.

//go:noescape
func dotRowsAVX2(dst, q, k *float32, scale float32, d, groups int)

//go:noescape
func dotRowAVX2(q, k *float32, scale float32, d int) float32

//go:noescape
func upperBoundsAVX2(dst, q, lo, hi *float32, d, groups int)

//go:noescape
func upperBoundAVX2(q, lo, hi *float32, d int) float32
