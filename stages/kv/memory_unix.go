//go:build unix

package kv

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// mapBytes maps size bytes of zeroed memory outside the Go heap.
func mapBytes(size int) []byte {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		panic(fmt.Errorf("kv: the system refused %d bytes of memory for the KV cache: %w", size, err))
	}
	adviseHuge(b)
	return b
}

func unmapBytes(b []byte) {
	if err := unix.Munmap(b); err != nil {
		panic(fmt.Errorf("kv: unmapping %d bytes: %w", len(b), err))
	}
}
