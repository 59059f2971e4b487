//go:build !amd64 && !arm64

package kernels

func add(dst, src []float32) { addGo(dst, src) }

func scaleBy(x []float32, f float32) { scaleByGo(x, f) }

func addScaled(dst, src []float32, f float32) { addScaledGo(dst, src, f) }

func siluMul(gate, up []float32) { siluMulGo(gate, up) }

func sumSquares(x []float32) float64 { return sumSquaresGo(x) }

func normalize(out, x, weight []float32, scale float32) { normalizeGo(out, x, weight, scale) }

func rotate(x, cos, sin []float32, rows, heads, dim, half int) {
	rotateGo(x, cos, sin, rows, heads, dim, half)
}

func minMax(lo, hi, x []float32, rows, dim int) { minMaxGo(lo, hi, x, rows, dim, 0) }
