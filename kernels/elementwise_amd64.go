package kernels

// maxRun is the number of values in one call of the assembly, which cannot be preempted: some ten microseconds.
const maxRun = 1 << 14

// whole is the part of n values that the assembly takes: a multiple of sixteen, nothing on the portable tier.
func whole(n int) int {
	if active == tierGo {
		return 0
	}
	return n &^ 15
}

// rest is the padded copy of the last few values of a slice. Where a value's bits depend on the code that computes it,
// the tail must go through the same code as the rest, or a row would change with the batch it is in.
type rest [16]float32

func restOf(x []float32) (r rest) {
	copy(r[:], x)
	return r
}

func add(dst, src []float32) {
	for n := whole(len(dst)); n > 0; n = whole(len(dst)) {
		n = min(n, maxRun)
		if active >= tierAVX512 {
			addAVX512(&dst[0], &src[0], n)
		} else {
			addAVX2(&dst[0], &src[0], n)
		}
		dst, src = dst[n:], src[n:]
	}
	addGo(dst, src)
}

func scaleBy(x []float32, f float32) {
	for n := whole(len(x)); n > 0; n = whole(len(x)) {
		n = min(n, maxRun)
		if active >= tierAVX512 {
			scaleByAVX512(&x[0], f, n)
		} else {
			scaleByAVX2(&x[0], f, n)
		}
		x = x[n:]
	}
	scaleByGo(x, f)
}

func addScaled(dst, src []float32, f float32) {
	for n := whole(len(dst)); n > 0; n = whole(len(dst)) {
		n = min(n, maxRun)
		if active >= tierAVX512 {
			addScaledAVX512(&dst[0], &src[0], f, n)
		} else {
			addScaledAVX2(&dst[0], &src[0], f, n)
		}
		dst, src = dst[n:], src[n:]
	}
	addScaledGo(dst, src, f)
}

func siluMul(gate, up []float32) {
	if active == tierGo {
		siluMulGo(gate, up)
		return
	}
	for n := whole(len(gate)); n > 0; n = whole(len(gate)) {
		n = min(n, maxRun)
		siluMulRun(&gate[0], &up[0], n)
		gate, up = gate[n:], up[n:]
	}
	if len(gate) > 0 {
		g, u := restOf(gate), restOf(up)
		siluMulRun(&g[0], &u[0], len(g))
		copy(gate, g[:])
	}
}

func siluMulRun(gate, up *float32, n int) {
	if active >= tierAVX512 {
		siluMulAVX512(gate, up, n)
	} else {
		siluMulAVX2(gate, up, n)
	}
}

func sumSquares(x []float32) float64 {
	n := whole(len(x))
	var sum float64
	switch {
	case n == 0:
	case active >= tierAVX512:
		sum = sumSquaresAVX512(&x[0], n)
	default:
		sum = sumSquaresAVX2(&x[0], n)
	}
	return sum + sumSquaresGo(x[n:])
}

func normalize(out, x, weight []float32, scale float32) {
	n := whole(len(x))
	switch {
	case n == 0:
	case active >= tierAVX512:
		normalizeAVX512(&out[0], &x[0], &weight[0], scale, n)
	default:
		normalizeAVX2(&out[0], &x[0], &weight[0], scale, n)
	}
	normalizeGo(out[n:], x[n:], weight[n:], scale)
}

func rotate(x, cos, sin []float32, rows, heads, dim, half int) {
	if active == tierGo || half%8 != 0 || len(x) == 0 || half == 0 {
		rotateGo(x, cos, sin, rows, heads, dim, half)
		return
	}
	for each := max(1, maxRun/(heads*dim)); rows > 0; rows -= each {
		n := min(each, rows)
		if active >= tierAVX512 && half%16 == 0 {
			rotateAVX512(&x[0], &cos[0], &sin[0], n, heads, dim, half)
		} else {
			rotateAVX2(&x[0], &cos[0], &sin[0], n, heads, dim, half)
		}
		x, cos, sin = x[n*heads*dim:], cos[n*half:], sin[n*half:]
	}
}

func minMax(lo, hi, x []float32, rows, dim int) {
	n := whole(dim)
	if n == 0 {
		minMaxGo(lo, hi, x, rows, dim, 0)
		return
	}
	for each := max(1, maxRun/dim); rows > 0; rows -= each {
		r := min(each, rows)
		if active >= tierAVX512 {
			minMaxAVX512(&lo[0], &hi[0], &x[0], r, dim, n)
		} else {
			minMaxAVX2(&lo[0], &hi[0], &x[0], r, dim, n)
		}
		minMaxGo(lo, hi, x, r, dim, n)
		x = x[r*dim:]
	}
}

// n is a positive multiple of sixteen in all of the following; elementwise_amd64.h has their contracts.

//go:noescape
func addAVX512(dst, src *float32, n int)

//go:noescape
func scaleByAVX512(x *float32, f float32, n int)

//go:noescape
func addScaledAVX512(dst, src *float32, f float32, n int)

//go:noescape
func siluMulAVX512(gate, up *float32, n int)

//go:noescape
func sumSquaresAVX512(x *float32, n int) float64

//go:noescape
func normalizeAVX512(out, x, weight *float32, scale float32, n int)

//go:noescape
func rotateAVX512(x, cos, sin *float32, rows, heads, dim, half int)

//go:noescape
func minMaxAVX512(lo, hi, x *float32, rows, dim, n int)

//go:noescape
func addAVX2(dst, src *float32, n int)

//go:noescape
func scaleByAVX2(x *float32, f float32, n int)

//go:noescape
func addScaledAVX2(dst, src *float32, f float32, n int)

//go:noescape
func siluMulAVX2(gate, up *float32, n int)

//go:noescape
func sumSquaresAVX2(x *float32, n int) float64

//go:noescape
func normalizeAVX2(out, x, weight *float32, scale float32, n int)

//go:noescape
func rotateAVX2(x, cos, sin *float32, rows, heads, dim, half int)

//go:noescape
func minMaxAVX2(lo, hi, x *float32, rows, dim, n int)
