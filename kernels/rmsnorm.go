package kernels

import (
	"fmt"
	"math"
)

// RMSNorm computes out = weight·x/√(mean(x²)+eps) for each of the rows of x[rows, dim]; weight[dim]. The mean is
// accumulated in float64. out may be x.
func RMSNorm(out, x, weight []float32, eps float32, rows, dim int) {
	checkLen("RMSNorm", "out", len(out), rows, dim)
	checkLen("RMSNorm", "x", len(x), rows, dim)
	checkLen("RMSNorm", "weight", len(weight), 1, dim)
	for r := range rows {
		rmsNorm(out[r*dim:][:dim], x[r*dim:][:dim], weight, eps)
	}
}

func rmsNorm(out, x, weight []float32, eps float32) {
	normalize(out, x, weight, float32(1/math.Sqrt(sumSquares(x)/float64(len(x))+float64(eps))))
}

// GatedRMSNorm is the norm at the end of a Mamba-2 mixer: gate = RMSNorm(x·silu(gate)), the mean taken over each
// run of group channels on its own. gate and x are [rows, dim], weight [dim]; group divides dim.
// Same as the reference (state-spaces/mamba, norm_before_gate false): the gate comes first.
func GatedRMSNorm(gate, x, weight []float32, eps float32, rows, dim, group int) {
	checkLen("GatedRMSNorm", "gate", len(gate), rows, dim)
	checkLen("GatedRMSNorm", "weight", len(weight), 1, dim)
	if group <= 0 || dim%group != 0 {
		panic(fmt.Sprintf("kernels: GatedRMSNorm: groups of %d in %d channels", group, dim))
	}
	SiLUMul(gate, x)
	for at := 0; at < len(gate); at += group {
		row := gate[at:][:group]
		rmsNorm(row, row, weight[at%dim:][:group], eps)
	}
}

// sumSquaresGo adds in four interleaved sums. The squares of float32 are exact in float64, fused or not.
func sumSquaresGo(x []float32) float64 {
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

func normalizeGo(out, x, weight []float32, scale float32) {
	out, x = out[:len(weight)], x[:len(weight)]
	for i, w := range weight {
		out[i] = w * (x[i] * scale)
	}
}
