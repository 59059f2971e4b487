package kernels

// Add adds src to dst, element by element.
func Add(dst, src []float32) {
	checkLen("Add", "src", len(src), 1, len(dst))
	add(dst, src)
}

func addGo(dst, src []float32) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] += src[i]
	}
}

func scaleByGo(x []float32, f float32) {
	for i := range x {
		x[i] *= f
	}
}

// addScaledGo adds f·src to dst. All tiers round the product, and so agree bit for bit.
func addScaledGo(dst, src []float32, f float32) {
	src = src[:len(dst)]
	for i, v := range src {
		dst[i] += float32(f * v)
	}
}

// AddBias adds bias[dim] to each of the rows of x[rows, dim].
func AddBias(x, bias []float32, rows int) {
	checkLen("AddBias", "x", len(x), rows, len(bias))
	for r := range rows {
		add(x[r*len(bias):][:len(bias)], bias)
	}
}

// SiLUMul is the gate of a gated MLP: gate = silu(gate)·up, with silu(x) = x/(1+e^-x).
func SiLUMul(gate, up []float32) {
	checkLen("SiLUMul", "up", len(up), 1, len(gate))
	siluMul(gate, up)
}

// GELUMul is the gate of a gated MLP with GELU by tanh: gate = gelu(gate)·up, with gelu(x) = x/2·(1 + tanh(√(2/π)·(x + 0.044715x³))). up
// is overwritten.
func GELUMul(gate, up []float32) {
	checkLen("GELUMul", "up", len(up), 1, len(gate))
	// With y = 2·√(2/π)·x·(1 + 0.044715x²) it is x/(1+e^-y), which is silu(y)·x/y.
	const root, cube = 2 * 0.7978845608028654, 0.044715
	up = up[:len(gate)]
	for i, x := range gate {
		f := root * (1 + float32(cube*x)*x)
		gate[i] = x * f
		up[i] /= f
	}
	siluMul(gate, up)
}

// Scale multiplies x by f.
func Scale(x []float32, f float32) { scaleBy(x, f) }

func siluMulGo(gate, up []float32) {
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

// Split calls f for consecutive blocks [lo, hi) of the rows 0 … rows-1 on the pool's threads; a row has width
// values. It is how element-wise kernels, which take no pool, use all threads: f runs one or several of them on its
// rows while they are in the cache. The blocks depend on the shape alone.
func Split(p *Pool, rows, width int, f func(lo, hi int)) {
	const block = 1 << 14 // values: 64 KB, some ten microseconds
	each := max(1, block/max(width, 1))
	p.Run(ceilDiv(rows, each), func(i int) { f(i*each, min((i+1)*each, rows)) })
}
