package kernels

import (
	"sync"
	"syscall"

	"golang.org/x/sys/cpu"
)

// hasAMX reports whether the processor has AMX for bf16 and bytes, and Linux lets this process use it. The tile registers are
// 8 KB of state per thread, so the kernel grants them on request only: once, for all threads of the process. It
// refuses, and the tier with it, where a thread has a signal stack too small for them.
var hasAMX = sync.OnceValue(func() bool {
	x := &cpu.X86
	if !x.HasAMXTile || !x.HasAMXBF16 || !x.HasAMXInt8 || !x.HasAVX512VBMI || !x.HasAVX512BF16 || !x.HasAVX512BW || !x.HasAVX512VL || !x.HasAVX512DQ || !x.HasOSXSAVE {
		return false
	}
	const tileState = 3 << 17 // XTILECFG and XTILEDATA in XCR0
	if xcr0()&tileState != tileState {
		return false
	}
	const requestPermission, tileData = 0x1023, 18 // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
	_, _, failure := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return failure == 0
})

// xcr0 reads which registers the operating system saves; it needs OSXSAVE.
func xcr0() uint32
