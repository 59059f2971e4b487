package kernels

import "golang.org/x/sys/cpu"

// available reports whether this build has the tier's kernels and this machine can run them. x/sys/cpu also asks
// whether the operating system saves the registers.
func available(t tier) bool {
	avx2 := cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasBMI1
	switch t {
	case tierGo:
		return true
	case tierAVX2:
		return avx2
	case tierAVX512:
		return avx2 && cpu.X86.HasAVX512F
	case tierAMX:
		return avx2 && hasAMX()
	}
	return false
}
