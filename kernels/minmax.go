package kernels

import "math"

// MinMax writes the smallest and the largest value of each channel of x[rows, dim] to lo[dim] and hi[dim]. NaN is
// passed over; a channel without a number, as with no rows, gets +Inf and -Inf. All tiers agree bit for bit.
func MinMax(lo, hi, x []float32, rows, dim int) {
	checkLen("MinMax", "lo", len(lo), 1, dim)
	checkLen("MinMax", "hi", len(hi), 1, dim)
	checkLen("MinMax", "x", len(x), rows, dim)
	for t := range lo {
		lo[t], hi[t] = float32(math.Inf(1)), float32(math.Inf(-1))
	}
	minMax(lo, hi, x, rows, dim)
}

// minMaxGo is the portable twin for the columns from on. It widens the bounds that lo and hi hold already.
func minMaxGo(lo, hi, x []float32, rows, dim, from int) {
	if from == dim {
		return
	}
	lo, hi = lo[from:dim], hi[from:dim]
	for r := range rows {
		for t, v := range x[r*dim+from:][:len(lo)] {
			if v < lo[t] {
				lo[t] = v
			}
			if v > hi[t] {
				hi[t] = v
			}
		}
	}
}
