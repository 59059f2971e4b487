package kv

import (
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// OffHeap is an Arrow allocator whose memory lies outside the Go heap, in huge pages where the system has them:
// the garbage collector neither scans nor doubles it. Blocks are page-aligned and zeroed. It panics when the
// system refuses memory; Store.limit is there so that it is not asked for too much.
type OffHeap struct{ used atomic.Int64 }

var _ memory.Allocator = (*OffHeap)(nil)

// Allocate returns size zeroed bytes.
func (o *OffHeap) Allocate(size int) []byte {
	if size == 0 {
		return nil
	}
	o.used.Add(int64(size))
	return mapBytes(size)
}

// Reallocate returns size bytes that begin as b did; b is no longer valid.
func (o *OffHeap) Reallocate(size int, b []byte) []byte {
	if size == len(b) {
		return b
	}
	n := o.Allocate(size)
	copy(n, b)
	o.Free(b)
	return n
}

// Free gives b, as Allocate returned it, back to the system. Reading it afterwards is a fault, not garbage.
func (o *OffHeap) Free(b []byte) {
	if len(b) == 0 {
		return
	}
	o.used.Add(-int64(len(b)))
	unmapBytes(b)
}

// Used is the number of bytes allocated and not yet freed.
func (o *OffHeap) Used() int64 { return o.used.Load() }
