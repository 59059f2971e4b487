//go:build !amd64 && !arm64

package kernels

func attendRows(o, m, l, q, k, v []float32, mask []uint64, rows, d int) {
	attendRowsGo(o, m, l, q, k, v, mask, rows, d)
}
