package kv

import "golang.org/x/sys/unix"

// adviseHuge asks for huge pages; where the kernel has none the memory is as good, only slower to walk.
func adviseHuge(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }
