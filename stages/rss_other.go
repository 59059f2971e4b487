//go:build !unix

package stages

// CPUSeconds is not known here.
func CPUSeconds() float64 { return 0 }

// PeakRSS is not known here.
func PeakRSS() int64 { return 0 }
