//go:build !amd64 && !arm64

package kernels

func maxOf(x []float32) float32 { return maxOfGo(x) }

func expSum(dst, x []float32, m float32) float64 { return expSumGo(dst, x, m) }

func normalizeSum(x []float32, sum float64) { normalizeSumGo(x, sum) }

func find(x []float32, v float32) int { return findGo(x, v) }
