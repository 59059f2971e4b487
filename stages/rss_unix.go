//go:build unix

package stages

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// PeakRSS is the largest resident size of the process so far, in bytes.
func PeakRSS() int64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return u.Maxrss
	}
	return u.Maxrss * 1024
}
