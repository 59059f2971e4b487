package kernels

import "fmt"

// RotateHalf applies a rotary position embedding to one token: in each head of x[heads, dim] the pairs
// (t, t+len(cos)) turn by the angle whose cosine and sine are cos[t] and sin[t]. The first 2·len(cos) ≤ dim
// dimensions turn, the rest stay.
func RotateHalf(x, cos, sin []float32, heads, dim int) {
	checkRotate("RotateHalf", x, cos, sin, 1, heads, dim, len(cos))
	rotate(x, cos, sin, 1, heads, dim, len(cos))
}

// Rotate is RotateHalf for many tokens, with the same result: x is [rows, heads, dim], cos and sin are [rows, half].
func Rotate(x, cos, sin []float32, rows, heads, dim, half int) {
	checkRotate("Rotate", x, cos, sin, rows, heads, dim, half)
	rotate(x, cos, sin, rows, heads, dim, half)
}

// RotatePairs is Rotate with other pairs: in each head dimensions 2t and 2t+1 turn by angle t, as in GLM. It is the same on all tiers.
func RotatePairs(x, cos, sin []float32, rows, heads, dim, half int) {
	checkRotate("RotatePairs", x, cos, sin, rows, heads, dim, half)
	for r := range rows {
		c, s := cos[r*half:][:half], sin[r*half:][:half]
		for h := range heads {
			head := x[(r*heads+h)*dim:][:2*half]
			for t, c := range c {
				u, v := head[2*t], head[2*t+1]
				head[2*t] = float32(u*c) - float32(v*s[t])
				head[2*t+1] = float32(v*c) + float32(u*s[t])
			}
		}
	}
}

func checkRotate(kernel string, x, cos, sin []float32, rows, heads, dim, half int) {
	checkLen(kernel, "x", len(x), rows, heads*dim)
	checkLen(kernel, "cos", len(cos), rows, half)
	checkLen(kernel, "sin", len(sin), rows, half)
	if 2*half > dim {
		panic(fmt.Sprintf("kernels: %s: %d pairs in heads of %d dimensions", kernel, half, dim))
	}
}

// rotateGo is the portable twin. All tiers round each product, and so agree bit for bit.
func rotateGo(x, cos, sin []float32, rows, heads, dim, half int) {
	for r := range rows {
		c, s := cos[r*half:][:half], sin[r*half:][:half]
		for h := range heads {
			from := (r*heads + h) * dim
			a, b := x[from:][:half], x[from+half:][:half]
			for t, c := range c {
				u, v := a[t], b[t]
				a[t] = float32(u*c) - float32(v*s[t])
				b[t] = float32(v*c) + float32(u*s[t])
			}
		}
	}
}
