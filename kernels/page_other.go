//go:build !amd64 && !arm64

package kernels

func storeBF16(keys, vals []uint16, k, v []float32, n, d int) { storeBF16Go(keys, vals, k, v, n, d) }

func pageScores(f PageFormat, dst []float32, page []byte, q []float32, scale float32) {
	pageScoresGo(f, dst, page, q, scale)
}
