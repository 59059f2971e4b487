package kernels

import "math"

func maxOf(x []float32) float32 {
	m := float32(math.Inf(-1))
	n := inRuns(len(x), func(i, n int) {
		if part := maxOfNEON(&x[i], n); part > m {
			m = part
		}
	})
	if part := maxOfGo(x[n:]); part > m {
		m = part
	}
	return m
}

func expSum(dst, x []float32, m float32) float64 {
	if active == tierGo {
		return expSumGo(dst, x, m)
	}
	var sum float64
	n := inRuns(len(x), func(i, n int) { sum += expSumNEON(&dst[i], &x[i], m, n) })
	if n < len(x) {
		last := lastSixteen(x[n:], float32(math.Inf(-1))) // which has the weight 0
		sum += expSumNEON(&last[0], &last[0], m, len(last))
		copy(dst[n:len(x)], last[:])
	}
	return sum
}

func normalizeSum(x []float32, sum float64) {
	if active == tierGo {
		normalizeSumGo(x, sum)
		return
	}
	scaleBy(x, float32(1/sum))
}

func find(x []float32, v float32) int {
	at := 0 // everything before is not v
	inRuns(len(x), func(i, n int) {
		if at == i {
			at += findNEON(&x[i], v, n)
		}
	})
	if i := findGo(x[at:], v); i >= 0 {
		return at + i
	}
	return -1
}

// n is a positive multiple of sixteen in all of the following.

//go:noescape
func maxOfNEON(x *float32, n int) float32

//go:noescape
func expSumNEON(dst, x *float32, m float32, n int) float64

//go:noescape
func findNEON(x *float32, v float32, n int) int
