package kernels

import "math/bits"

// SoftCap bounds x softly: x = limit·tanh(x/limit), to within 2e-7 of limit. limit is above 0.
func SoftCap(x []float32, limit float32) {
	by := 2 / limit
	for i, v := range x {
		// With e = e^-2|v|/limit the tangent is (1-e)/(1+e), and nothing overflows.
		if v < 0 {
			e := expNeg(v * by)
			x[i] = limit * ((e - 1) / (1 + e))
		} else {
			e := expNeg(-v * by)
			x[i] = limit * ((1 - e) / (1 + e))
		}
	}
}

// attendCapped is attendRows for a page of the Attention's format, with scores that are bounded softly. union is what any row sees.
// Products are the tier's vector kernels, for each row on its own; the bounding is portable. Pages of PageBF16 are widened first.
func (a *Attention) attendCapped(page []byte, mask []uint64, union uint64) {
	var k, v []float32
	if a.format == PageF32 {
		k, v = pageF32(page, a.d)
	} else {
		k, v = a.widened(page, union)
	}
	var all, p, weights [PageTokens]float32
	var at [PageTokens]int
	a.sums = resize(a.sums, a.d)
	for r := range a.rows {
		if mask[r] == 0 {
			continue
		}
		dotRows(all[:], a.q[r*a.d:][:a.d], k, 1)
		n := visible(&at, mask[r], 1)
		for i, j := range at[:n] {
			p[i] = all[j]
		}
		SoftCap(p[:n], a.limit)
		var fade, sum float32
		a.m[r], fade, sum = weigh(p[:n], a.m[r])
		a.l[r] = float32(a.l[r]*fade) + sum
		out := a.o[r*a.d:][:a.d]
		if fade != 1 {
			scaleBy(out, fade)
		}
		if a.format == PageF32 {
			for i, j := range at[:n] {
				addScaled(out, v[j*a.d:][:a.d], p[i])
			}
			continue
		}
		clear(weights[:])
		for i, j := range at[:n] {
			weights[j] = p[i]
		}
		dotRows(a.sums, weights[:], v, 1) // values are transposed
		add(out, a.sums)
	}
}

// widened returns the keys [PageTokens, d] and values [d, PageTokens] of a page of PageBF16, values that nobody sees as zeros.
func (a *Attention) widened(page []byte, union uint64) (k, v []float32) {
	n := PageTokens * a.d
	a.wide = resize(a.wide, 2*n)
	Widen(a.wide, BF16, page[:4*n])
	k, v = a.wide[:n], a.wide[n:]
	for hidden := ^union; hidden != 0; hidden &= hidden - 1 {
		j := bits.TrailingZeros64(hidden)
		for t := range a.d {
			v[t*PageTokens+j] = 0
		}
	}
	return k, v
}
