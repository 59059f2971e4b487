package kernels

// inRuns calls f for runs [i, i+n) of the length values that the assembly takes: whole multiples of sixteen, none on
// the portable tier. It returns how many those are. A call cannot be preempted, so it gets some ten microseconds' work.
func inRuns(length int, f func(i, n int)) int {
	const run = 1 << 14
	if active == tierGo {
		return 0
	}
	whole := length &^ 15
	for i := 0; i < whole; i += run {
		f(i, min(run, whole-i))
	}
	return whole
}

// lastSixteen is a copy of the last few values of a slice, filled up. Where a value's bits depend on the code that
// computes it, the tail must go through the same code as the rest, or a row would change with the batch it is in.
func lastSixteen(x []float32, fill float32) (all [16]float32) {
	for i := copy(all[:], x); i < len(all); i++ {
		all[i] = fill
	}
	return all
}

func add(dst, src []float32) {
	n := inRuns(len(dst), func(i, n int) { addNEON(&dst[i], &src[i], n) })
	addGo(dst[n:], src[n:])
}

func scaleBy(x []float32, f float32) {
	n := inRuns(len(x), func(i, n int) { scaleByNEON(&x[i], f, n) })
	scaleByGo(x[n:], f)
}

func addScaled(dst, src []float32, f float32) {
	n := inRuns(len(dst), func(i, n int) { addScaledNEON(&dst[i], &src[i], f, n) })
	addScaledGo(dst[n:], src[n:], f)
}

func siluMul(gate, up []float32) {
	if active == tierGo {
		siluMulGo(gate, up)
		return
	}
	n := inRuns(len(gate), func(i, n int) { siluMulNEON(&gate[i], &up[i], n) })
	if n < len(gate) {
		g, u := lastSixteen(gate[n:], 0), lastSixteen(up[n:], 0)
		siluMulNEON(&g[0], &u[0], len(g))
		copy(gate[n:], g[:])
	}
}

func sumSquares(x []float32) float64 {
	var sum float64
	n := inRuns(len(x), func(i, n int) { sum += sumSquaresNEON(&x[i], n) })
	return sum + sumSquaresGo(x[n:])
}

func normalize(out, x, weight []float32, scale float32) {
	n := inRuns(len(x), func(i, n int) { normalizeNEON(&out[i], &x[i], &weight[i], scale, n) })
	normalizeGo(out[n:], x[n:], weight[n:], scale)
}

// someRows is how many rows of a matrix one call of the assembly takes.
func someRows(width int) int { return max(1, 1<<14/width) }

func rotate(x, cos, sin []float32, rows, heads, dim, half int) {
	if active == tierGo || half%4 != 0 || len(x) == 0 || half == 0 {
		rotateGo(x, cos, sin, rows, heads, dim, half)
		return
	}
	for each := someRows(heads * dim); rows > 0; rows -= each {
		n := min(each, rows)
		rotateNEON(&x[0], &cos[0], &sin[0], n, heads, dim, half)
		x, cos, sin = x[n*heads*dim:], cos[n*half:], sin[n*half:]
	}
}

func minMax(lo, hi, x []float32, rows, dim int) {
	n := dim &^ 15
	if active == tierGo || n == 0 {
		minMaxGo(lo, hi, x, rows, dim, 0)
		return
	}
	for each := someRows(dim); rows > 0; rows -= each {
		r := min(each, rows)
		minMaxNEON(&lo[0], &hi[0], &x[0], r, dim, n)
		minMaxGo(lo, hi, x, r, dim, n)
		x = x[r*dim:]
	}
}

// n is a positive multiple of sixteen in all of the following.

//go:noescape
func addNEON(dst, src *float32, n int)

//go:noescape
func scaleByNEON(x *float32, f float32, n int)

//go:noescape
func addScaledNEON(dst, src *float32, f float32, n int)

//go:noescape
func siluMulNEON(gate, up *float32, n int)

//go:noescape
func sumSquaresNEON(x *float32, n int) float64

//go:noescape
func normalizeNEON(out, x, weight *float32, scale float32, n int)

//go:noescape
func rotateNEON(x, cos, sin *float32, rows, heads, dim, half int)

//go:noescape
func minMaxNEON(lo, hi, x *float32, rows, dim, n int)
