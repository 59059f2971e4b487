package kernels

// Add adds src to dst, element by element.
func Add(dst, src []float32) {
	checkLen("Add", "src", len(src), 1, len(dst))
	src = src[:len(dst)]
	for i := range dst {
		dst[i] += src[i]
	}
}

// AddBias adds bias[dim] to each of the rows of x[rows, dim].
func AddBias(x, bias []float32, rows int) {
	checkLen("AddBias", "x", len(x), rows, len(bias))
	for r := range rows {
		Add(x[r*len(bias):][:len(bias)], bias)
	}
}

// SiLUMul is the gate of a gated MLP: gate = silu(gate)·up, with silu(x) = x/(1+e^-x).
func SiLUMul(gate, up []float32) {
	checkLen("SiLUMul", "up", len(up), 1, len(gate))
	up = up[:len(gate)]
	for i, x := range gate {
		// The exponent is never positive, so nothing overflows.
		var s float32
		if x >= 0 {
			s = 1 / (1 + expNeg(-x))
		} else {
			e := expNeg(x)
			s = e / (1 + e)
		}
		gate[i] = x * s * up[i]
	}
}
