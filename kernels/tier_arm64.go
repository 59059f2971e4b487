package kernels

// available reports whether this build has the tier's kernels; every arm64 machine that Go runs on has NEON.
func available(t tier) bool { return t == tierGo || t == tierNEON }
