package kernels

import "math"

// Argmax returns the index of the largest value, the lowest one on a tie. NaN never wins; the result is -1 if x
// is empty or all NaN.
func Argmax(x []float32) int { return find(x, maxOf(x)) }

// Softmax replaces x by e^x/Σe^x. Scores of -Inf become 0; if all of them are, or one is NaN or +Inf, the result
// is NaN, as in PyTorch.
func Softmax(x []float32) {
	normalizeSum(x, expSum(x, x, maxOf(x)))
}

// LogSumExp returns ln Σe^x, so that x[i] - LogSumExp(x) is the logarithm of Softmax(x)[i]. It is -Inf if x is
// empty, and NaN where Softmax is.
func LogSumExp(x []float32) float64 {
	if len(x) == 0 {
		return math.Inf(-1)
	}
	m := maxOf(x)
	var e [256]float32 // the terms, which nobody needs
	var sum float64
	for at := 0; at < len(x); at += len(e) {
		part := x[at:min(at+len(e), len(x))]
		sum += expSum(e[:len(part)], part, m)
	}
	if sum != sum {
		return sum
	}
	return float64(m) + log(sum)
}

// expSumGo writes e^(x-m) to dst, which may be x, and returns the sum.
func expSumGo(dst, x []float32, m float32) float64 {
	dst = dst[:len(x)]
	var sum float64
	for i, v := range x {
		e := expNeg(v - m)
		dst[i] = e
		sum += float64(e)
	}
	return sum
}

func normalizeSumGo(x []float32, sum float64) {
	for i, e := range x {
		x[i] = float32(float64(e) / sum)
	}
}

// maxOfGo returns the largest value, -Inf if there is none. NaN is passed over.
func maxOfGo(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

// findGo returns the first index at which x is v, -1 if there is none.
func findGo(x []float32, v float32) int {
	for i, w := range x {
		if w == v {
			return i
		}
	}
	return -1
}
