package kernels

import (
	"syscall"
	"unsafe"
)

// hugePage is the size and alignment of what the processor can translate in one step.
const hugePage = 2 << 20

// hugeBytes returns n zero bytes outside the Go heap, on huge pages where there are enough of them to fill one,
// and what gives them back. Where the system refuses, they come from the heap.
func hugeBytes(n int) (data []byte, free func()) {
	room := n
	if n >= hugePage {
		room += hugePage
	}
	all, err := syscall.Mmap(-1, 0, room, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if n == 0 || err != nil {
		return alignedBytes(n), func() {}
	}
	data = all
	if n >= hugePage {
		skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(all))) % hugePage)
		data = all[skip:]
		// Only advice: with small pages everything is the same, and slower.
		_ = syscall.Madvise(data[:n&^(hugePage-1)], syscall.MADV_HUGEPAGE)
	}
	return data[:n:n], func() { _ = syscall.Munmap(all) }
}
