package kernels

import "math"

// RMSNorm computes out = weight·x/√(mean(x²)+eps) for each of the rows of x[rows, dim]; weight[dim]. The mean is
// accumulated in float64. out may be x.
func RMSNorm(out, x, weight []float32, eps float32, rows, dim int) {
	checkLen("RMSNorm", "out", len(out), rows, dim)
	checkLen("RMSNorm", "x", len(x), rows, dim)
	checkLen("RMSNorm", "weight", len(weight), 1, dim)
	for r := range rows {
		from, to := x[r*dim:][:dim], out[r*dim:][:dim]
		scale := float32(1 / math.Sqrt(sumSquares(from)/float64(dim)+float64(eps)))
		for i, w := range weight {
			to[i] = w * (from[i] * scale)
		}
	}
}

// sumSquares adds in four interleaved sums. The squares of float32 are exact in float64, fused or not.
func sumSquares(x []float32) float64 {
	var s0, s1, s2, s3 float64
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d := float64(x[0]), float64(x[1]), float64(x[2]), float64(x[3])
		s0, s1, s2, s3 = s0+a*a, s1+b*b, s2+c*c, s3+d*d
	}
	for _, v := range x {
		s0 += float64(v) * float64(v)
	}
	return (s0 + s1) + (s2 + s3)
}
