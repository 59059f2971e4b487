//go:build !amd64 && !arm64

package kernels

func dotRows(dst, q, k []float32, scale float32) { dotRowsGo(dst, q, k, scale) }

func upperBounds(dst, q, lo, hi []float32) { upperBoundsGo(dst, q, lo, hi) }
