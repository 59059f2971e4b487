//go:build !amd64 && !arm64

package kernels

func gemmInPlace(*Weight, []float32, []float32, int, []byte, int) bool { return false }

func gemmRows(sums, x, panel, _ []float32, stride int, _ *Weight, _ []byte) {
	gemmRowsGo(sums, x, panel, stride)
}

func gemmFinish(out, sums []float32, w *Weight, e *Epilogue, p int) {
	gemmFinishGo(out, sums, w, e, p)
}
