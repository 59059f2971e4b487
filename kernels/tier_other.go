//go:build !amd64 && !arm64

package kernels

// available reports whether this build has the tier's kernels and this machine can run them.
func available(t tier) bool { return t == tierGo }
