//go:build !linux

package kernels

import "time"

var processStart = time.Now()

// threadTime is the time that passes, where the thread's own is not known.
func threadTime() time.Duration { return time.Since(processStart) }
