//go:build !amd64 && !arm64

package kernels

func matmulBlock(out, x []float32, w *Matrix, r0, r1, c0, c1 int) {
	matmulBlockGo(out, x, w, r0, r1, c0, c1)
}
