//go:build !amd64

package kernels

func productBlock(out []float32, x *Rows, w *Weight, e *Epilogue, b, p0, p1 int) {
	productBlockGo(out, x, w, e, b, p0, p1)
}

func roundSteps(to []uint16, from []float32, n, stride int) { roundStepsGo(to, from, n, stride) }

func roundBF16(dst []uint16, src []float32) { roundBF16Go(dst, src) }

func packTiles(to, from []uint16, stride, steps int) { packTilesGo(to, from, stride, steps) }
