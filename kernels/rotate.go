package kernels

import "fmt"

// RotateHalf applies a rotary position embedding to one token: in each head of x[heads, dim] the pairs
// (t, t+len(cos)) turn by the angle whose cosine and sine are cos[t] and sin[t]. The first 2·len(cos) ≤ dim
// dimensions turn, the rest stay.
func RotateHalf(x, cos, sin []float32, heads, dim int) {
	half := len(cos)
	checkLen("RotateHalf", "x", len(x), heads, dim)
	checkLen("RotateHalf", "sin", len(sin), 1, half)
	if 2*half > dim {
		panic(fmt.Sprintf("kernels: RotateHalf: %d pairs in heads of %d dimensions", half, dim))
	}
	for h := range heads {
		a, b := x[h*dim:][:half], x[h*dim+half:][:half]
		s := sin[:half]
		for t, c := range cos {
			u, v := a[t], b[t]
			a[t] = float32(u*c) - float32(v*s[t])
			b[t] = float32(v*c) + float32(u*s[t])
		}
	}
}
