package kernels

import "unsafe"

// Buffer is memory for numbers that one user after the other needs: it grows to the largest size asked for and stays. What is large
// lies outside the Go heap, in huge pages where the system has them, so that the collector neither counts nor doubles it. The zero
// value is empty; Close gives the memory back. A Buffer is for one goroutine at a time.
type Buffer struct {
	data []float32
	free func()
}

// heapBytes is the size up to which the Go heap is as good.
const heapBytes = 1 << 16

// Floats returns n numbers, whatever was there, which are the buffer's until the next call or Close.
func (b *Buffer) Floats(n int) []float32 {
	if n <= cap(b.data) {
		return b.data[:n]
	}
	b.Close()
	if 4*n <= heapBytes {
		b.data = make([]float32, n)
		return b.data
	}
	raw, free := hugeBytes(4 * n)
	b.data, b.free = unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(raw))), n), free
	return b.data
}

// Close gives the memory back. The buffer is empty afterwards, and may be used again.
func (b *Buffer) Close() {
	if b.free != nil {
		b.free()
	}
	*b = Buffer{}
}
