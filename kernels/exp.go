package kernels

import "math"

// expMin is the logarithm of the smallest normal float32; below it expNeg is 0.
const expMin = -87.33654

// expNeg returns e^x for x ≤ 0, within 2e-7 of the exact value relatively; 0 below expMin, 1 at 0, NaN for NaN.
// e^x = 2^n·e^f with n = round(x/ln 2); ln 2 is subtracted in two parts, the first of which n times is exact, and
// e^f is the minimax polynomial of Cephes' expf.
func expNeg(x float32) float32 {
	if x < expMin {
		return 0
	}
	const (
		round = 3 << 22 // adding it leaves an integer in the low bits
		ln2hi = 0.693359375
		ln2lo = -2.12194440e-4
	)
	z := float32(x*math.Log2E) + round
	n := z - round
	f := x - float32(n*ln2hi)
	f -= float32(n * ln2lo)
	y := float32(1.9875691500e-4*f) + 1.3981999507e-3
	y = float32(y*f) + 8.3334519073e-3
	y = float32(y*f) + 4.1665795894e-2
	y = float32(y*f) + 1.6666665459e-1
	y = float32(y*f) + 5.0000001201e-1
	y = float32(y*float32(f*f)) + f + 1
	return y * math.Float32frombits(math.Float32bits(z)<<23+0x3f800000)
}

// log returns the natural logarithm of a positive, finite, normal x, within 1e-15 relatively or absolutely. It
// stands in for math.Log, which is not the same code on every architecture.
// x = 2^n·m with m around 1; ln m = 2·artanh(s), s = (m-1)/(m+1), |s| < 0.1716.
func log(x float64) float64 {
	m, n := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, n = 2*m, n-1
	}
	s := (m - 1) / (m + 1)
	q := s * s
	sum := 0.0
	for odd := 21; odd >= 1; odd -= 2 {
		sum = float64(sum*q) + 1/float64(odd)
	}
	return float64(float64(n)*math.Ln2) + float64(2*s*sum)
}
