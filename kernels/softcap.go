package kernels

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

// attendCapped is attendRows with scores that are bounded softly. A page in PageBF16 is widened first. Products are the tier's vector
// kernels, for each row on its own; the bounding is portable.
func (a *Attention) attendCapped(page []byte, mask []uint64) {
	k, v := a.cappedPage(page)
	var all, p [PageTokens]float32
	var at [PageTokens]int
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
		for i, j := range at[:n] {
			addScaled(out, v[j*a.d:][:a.d], p[i])
		}
	}
}

// cappedPage returns the keys and values of a page, both [PageTokens, d].
func (a *Attention) cappedPage(page []byte) (k, v []float32) {
	if a.format == PageF32 {
		return pageF32(page, a.d)
	}
	k16, v16 := pageBF16(page, a.d)
	n := PageTokens * a.d
	a.wide = resize(a.wide, 2*n)
	k, v = a.wide[:n], a.wide[n:]
	for i, x := range k16 {
		k[i] = fromBF16(x)
	}
	for t := range a.d {
		for j, x := range v16[t*PageTokens:][:PageTokens] {
			v[j*a.d+t] = fromBF16(x)
		}
	}
	return k, v
}
