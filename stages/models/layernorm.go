package models

import (
	"math"

	"scbench/kernels"
)

// layerNorm centres rows, scales them to a variance of 1, and applies a weight and a bias.
type layerNorm struct{ weight, bias []float32 }

// layerNorm reads prefix.weight and prefix.bias, [n].
func (r *reader) layerNorm(prefix string, n int) layerNorm {
	return layerNorm{r.vector(prefix+".weight", n), r.vector(prefix+".bias", n)}
}

// apply normalises the rows of x in place. Sums are float64.
func (l layerNorm) apply(p *kernels.Pool, x []float32, eps float32) {
	n := len(l.weight)
	kernels.Split(p, len(x)/n, n, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			l.row(x[r*n:(r+1)*n], eps)
		}
	})
}

func (l layerNorm) row(x []float32, eps float32) {
	var sum, squares float64
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		squares += (float64(v) - mean) * (float64(v) - mean)
	}
	scale := 1 / math.Sqrt(squares/float64(len(x))+float64(eps))
	for i, v := range x {
		x[i] = float32((float64(v)-mean)*scale)*l.weight[i] + l.bias[i]
	}
}

// gelu is x·Φ(x) with the normal distribution Φ itself, not one of its approximations by tanh.
func gelu(x []float32) {
	for i, v := range x {
		x[i] = 0.5 * v * (1 + erf(v*(1/math.Sqrt2)))
	}
}

// erf is the error function to within 5e-7: the rational function that Eigen uses, x·P(x²)/Q(x²), and 1 in size from 4 on.
func erf(x float32) float32 {
	if x >= 4 {
		return 1
	}
	if x <= -4 {
		return -1
	}
	y := x * x
	p := ((((((-2.72614225801306e-10*y+2.77068142495902e-08)*y-2.10102402082508e-06)*y-5.69250639462346e-05)*y-7.34990630326855e-04)*y-2.95459980854025e-03)*y - 1.60960333262415e-02)
	q := ((((-1.45660718464996e-05*y-2.13374055278905e-04)*y-1.68282697438203e-03)*y-7.37332916720468e-03)*y - 1.42647390514189e-02)
	return x * p / q
}
