package kernels

import "sync"

// scratchPool keeps the buffers of tasks between them.
var scratchPool = sync.Pool{New: func() any { return new([]byte) }}

// scratchBytes takes a buffer of at least n bytes, on a cache line, from scratchPool. Put it back after use.
func scratchBytes(n int) *[]byte {
	b := scratchPool.Get().(*[]byte)
	if len(*b) < n {
		*b = alignedBytes(n)
	}
	return b
}
