package kernels

import "math"

func maxOf(x []float32) float32 {
	n := whole(len(x))
	m := maxOfGo(x[n:])
	for x = x[:n]; len(x) > 0; {
		n := min(len(x), maxRun)
		var part float32
		if active >= tierAVX512 {
			part = maxOfAVX512(&x[0], n)
		} else {
			part = maxOfAVX2(&x[0], n)
		}
		if part > m {
			m = part
		}
		x = x[n:]
	}
	return m
}

func expSum(dst, x []float32, m float32) float64 {
	if active == tierGo {
		return expSumGo(dst, x, m)
	}
	var sum float64
	for n := whole(len(x)); n > 0; n = whole(len(x)) {
		n = min(n, maxRun)
		sum += expSumRun(&dst[0], &x[0], m, n)
		dst, x = dst[n:], x[n:]
	}
	if len(x) > 0 {
		var r rest
		for i := range r {
			r[i] = float32(math.Inf(-1)) // has the weight 0
		}
		copy(r[:], x)
		sum += expSumRun(&r[0], &r[0], m, len(r))
		copy(dst, r[:])
	}
	return sum
}

func expSumRun(dst, x *float32, m float32, n int) float64 {
	if active >= tierAVX512 {
		return expSumAVX512(dst, x, m, n)
	}
	return expSumAVX2(dst, x, m, n)
}

func normalizeSum(x []float32, sum float64) {
	if active == tierGo {
		normalizeSumGo(x, sum)
		return
	}
	scaleBy(x, float32(1/sum))
}

func find(x []float32, v float32) int {
	at := 0
	for n := whole(len(x)); at < n; {
		run := min(n-at, maxRun)
		var i int
		if active >= tierAVX512 {
			i = findAVX512(&x[at], v, run)
		} else {
			i = findAVX2(&x[at], v, run)
		}
		at += i
		if i < run {
			return at
		}
	}
	if i := findGo(x[at:], v); i >= 0 {
		return at + i
	}
	return -1
}

// n is a positive multiple of sixteen in all of the following; softmax_amd64.h has their contracts.

//go:noescape
func maxOfAVX512(x *float32, n int) float32

//go:noescape
func expSumAVX512(dst, x *float32, m float32, n int) float64

//go:noescape
func findAVX512(x *float32, v float32, n int) int

//go:noescape
func maxOfAVX2(x *float32, n int) float32

//go:noescape
func expSumAVX2(dst, x *float32, m float32, n int) float64

//go:noescape
func findAVX2(x *float32, v float32, n int) int
