//go:build !linux

package kernels

// hugeBytes returns n zero bytes and what gives them back.
func hugeBytes(n int) (data []byte, free func()) { return alignedBytes(n), func() {} }
