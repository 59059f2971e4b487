package kernels

import (
	"testing"
	"unsafe"
)

// TestBuffer wants memory to be kept as long as it suffices, to be as large as asked for, and to start on cache lines where it matters.
func TestBuffer(t *testing.T) {
	var b Buffer
	for _, n := range []int{0, 10, 5, heapBytes, heapBytes / 4, 3 << 20, 100} {
		before := cap(b.data)
		x := b.Floats(n)
		if len(x) != n {
			t.Fatalf("%d numbers, want %d", len(x), n)
		}
		if n <= before && cap(b.data) != before {
			t.Errorf("%d numbers of a buffer of %d: it was not kept", n, before)
		}
		if n > heapBytes/4 && uintptr(unsafe.Pointer(&x[0]))%lineSize != 0 {
			t.Errorf("%d numbers do not start on a cache line", n)
		}
		for i := range x {
			x[i] = float32(i)
		}
	}
	b.Close()
	b.Close()
	if len(b.Floats(3)) != 3 {
		t.Error("a closed buffer is of no use")
	}
}
