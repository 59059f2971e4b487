package kernels

import "unsafe"

// lineSize is the alignment of everything that tiles are loaded from.
const lineSize = 64

// alignedBytes returns n zero bytes of the Go heap that start on a cache line.
func alignedBytes(n int) []byte {
	b := make([]byte, n+lineSize-1)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) % lineSize)
	return b[skip : skip+n : skip+n]
}

// grown returns *buf with n bytes on a cache line, reusing its memory; the bytes are whatever was there.
func grown(buf *[]byte, n int) []byte {
	if cap(*buf) < n {
		*buf = alignedBytes(n)
	}
	return (*buf)[:n]
}

// values views bytes of this package's own making, which are aligned, as values of type T.
func values[T float32 | uint16](b []byte) []T {
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(zero)))
}
