package kernels

import "math"

// Argmax returns the index of the largest value, the lowest one on a tie. NaN never wins; the result is -1 if x
// is empty or all NaN.
func Argmax(x []float32) int {
	best := -1
	for i, v := range x {
		if best < 0 {
			if v == v {
				best = i
			}
		} else if v > x[best] {
			best = i
		}
	}
	return best
}

// Softmax replaces x by e^x/Σe^x. Scores of -Inf become 0; if all of them are, or one is NaN or +Inf, the result
// is NaN, as in PyTorch.
func Softmax(x []float32) {
	m := maxOf(x)
	var sum float64
	for i, v := range x {
		e := expNeg(v - m)
		x[i] = e
		sum += float64(e)
	}
	for i, e := range x {
		x[i] = float32(float64(e) / sum)
	}
}

// LogSumExp returns ln Σe^x, so that x[i] - LogSumExp(x) is the logarithm of Softmax(x)[i]. It is -Inf if x is
// empty, and NaN where Softmax is.
func LogSumExp(x []float32) float64 {
	if len(x) == 0 {
		return math.Inf(-1)
	}
	m := maxOf(x)
	var sum float64
	for _, v := range x {
		sum += float64(expNeg(v - m))
	}
	if sum != sum {
		return sum
	}
	return float64(m) + log(sum)
}

// maxOf returns the largest value, -Inf if there is none. NaN is passed over.
func maxOf(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}
