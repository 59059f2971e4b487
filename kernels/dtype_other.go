//go:build !amd64 && !arm64

package kernels

func widen(dst []float32, dt DType, src []byte) { widenGo(dst, dt, src) }

func narrow(dst []byte, dt DType, src []float32) { narrowGo(dst, dt, src) }
