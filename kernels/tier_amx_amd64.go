//go:build !linux

package kernels

// hasAMX is false where nobody has tried how the operating system grants the tile registers.
func hasAMX() bool { return false }
