package kernels

// KeyScores writes scale·(q·k) for the first len(dst) rows of k [rows, len(q)]. A key's score does not depend on
// the keys around it, bit for bit.
func KeyScores(dst, q, k []float32, scale float32) {
	checkLen("KeyScores", "k", len(k[:len(dst)*len(q)]), len(dst), len(q))
	dotRows(dst, q, k, scale)
}

// dotRowsGo is the portable twin.
func dotRowsGo(dst, q, k []float32, scale float32) {
	d := len(q)
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		r := k[i*d : (i+8)*d]
		s0, s1, s2, s3, s4, s5, s6, s7 := dot8(q, r, r[d:], r[2*d:], r[3*d:], r[4*d:], r[5*d:], r[6*d:], r[7*d:])
		o := (*[8]float32)(dst[i:])
		o[0], o[1], o[2], o[3] = scale*s0, scale*s1, scale*s2, scale*s3
		o[4], o[5], o[6], o[7] = scale*s4, scale*s5, scale*s6, scale*s7
	}
	for ; i < len(dst); i++ {
		var s float32
		for j, v := range k[i*d : (i+1)*d] {
			s += float32(q[j] * v)
		}
		dst[i] = scale * s
	}
}

// UpperBound is the largest product that q can have with a vector that lies between lo and hi in every channel. It
// is the same, bit for bit, as UpperBounds gives for one of many groups.
func UpperBound(q, lo, hi []float32) float32 {
	var dst [1]float32
	upperBounds(dst[:], q, lo[:len(q)], hi[:len(q)])
	return dst[0]
}

// UpperBounds writes UpperBound(q, lo[g], hi[g]) for each of the groups: dst [groups], q [d], lo and hi [groups, d].
func UpperBounds(dst, q, lo, hi []float32) {
	checkLen("UpperBounds", "lo", len(lo), len(dst), len(q))
	checkLen("UpperBounds", "hi", len(hi), len(dst), len(q))
	upperBounds(dst, q, lo, hi)
}

// upperBoundsGo is the portable twin.
func upperBoundsGo(dst, q, lo, hi []float32) {
	for g := range dst {
		dst[g] = upperBoundGo(q, lo[g*len(q):], hi[g*len(q):])
	}
}

func upperBoundGo(q, lo, hi []float32) float32 {
	lo, hi = lo[:len(q)], hi[:len(q)]
	var s0, s1 float32 // even and odd channels, so that one sum need not wait for the other
	for i := 0; i+2 <= len(q); i += 2 {
		s0 += max(float32(q[i]*lo[i]), float32(q[i]*hi[i]))
		s1 += max(float32(q[i+1]*lo[i+1]), float32(q[i+1]*hi[i+1]))
	}
	if n := len(q) - 1; n >= 0 && n%2 == 0 {
		s0 += max(float32(q[n]*lo[n]), float32(q[n]*hi[n]))
	}
	return s0 + s1
}
