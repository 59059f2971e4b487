package kernels

import "math"

// The inner loops of the portable tier. Eight independent sums hide the latency of addition and, with the
// operands, just fit the fifteen vector registers that the compiler has on amd64; wider tiles spill and are
// slower (measured: 8 sums 8.1, 12 sums 6.2, 16 sums 5.1 GFLOP/s). Each sum runs in order over its inputs, so it
// is the same whichever seven others go with it.

// dot8 returns the inner products of x with eight rows of at least its length.
func dot8(x, w0, w1, w2, w3, w4, w5, w6, w7 []float32) (s0, s1, s2, s3, s4, s5, s6, s7 float32) {
	w0, w1, w2, w3 = w0[:len(x)], w1[:len(x)], w2[:len(x)], w3[:len(x)]
	w4, w5, w6, w7 = w4[:len(x)], w5[:len(x)], w6[:len(x)], w7[:len(x)]
	for k, v := range x {
		s0 += float32(v * w0[k])
		s1 += float32(v * w1[k])
		s2 += float32(v * w2[k])
		s3 += float32(v * w3[k])
		s4 += float32(v * w4[k])
		s5 += float32(v * w5[k])
		s6 += float32(v * w6[k])
		s7 += float32(v * w7[k])
	}
	return
}

// dot8bf16 is dot8 for rows of BF16, with the same result as widening them first. It is for few x: widening is
// dearer than the rest, and a panel widened once serves many.
func dot8bf16(x []float32, w0, w1, w2, w3, w4, w5, w6, w7 []uint16) (s0, s1, s2, s3, s4, s5, s6, s7 float32) {
	w0, w1, w2, w3 = w0[:len(x)], w1[:len(x)], w2[:len(x)], w3[:len(x)]
	w4, w5, w6, w7 = w4[:len(x)], w5[:len(x)], w6[:len(x)], w7[:len(x)]
	for k, v := range x {
		s0 += float32(v * math.Float32frombits(uint32(w0[k])<<16))
		s1 += float32(v * math.Float32frombits(uint32(w1[k])<<16))
		s2 += float32(v * math.Float32frombits(uint32(w2[k])<<16))
		s3 += float32(v * math.Float32frombits(uint32(w3[k])<<16))
		s4 += float32(v * math.Float32frombits(uint32(w4[k])<<16))
		s5 += float32(v * math.Float32frombits(uint32(w5[k])<<16))
		s6 += float32(v * math.Float32frombits(uint32(w6[k])<<16))
		s7 += float32(v * math.Float32frombits(uint32(w7[k])<<16))
	}
	return
}

// mix adds to o the rows of v that start at the offsets at, weighted by p: o[t] += Σ_i p[i]·v[at[i]+t].
func mix(o, p []float32, at []int, v []float32) {
	at = at[:len(p)]
	c := 0
	for ; c+8 <= len(o); c += 8 {
		mix8((*[8]float32)(o[c:]), p, at, v[c:])
	}
	for ; c < len(o); c++ {
		s := o[c]
		for i, w := range p {
			s += float32(w * v[at[i]+c])
		}
		o[c] = s
	}
}

func mix8(o *[8]float32, p []float32, at []int, v []float32) {
	s0, s1, s2, s3, s4, s5, s6, s7 := o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7]
	at = at[:len(p)]
	for i, w := range p {
		r := (*[8]float32)(v[at[i]:])
		s0 += float32(w * r[0])
		s1 += float32(w * r[1])
		s2 += float32(w * r[2])
		s3 += float32(w * r[3])
		s4 += float32(w * r[4])
		s5 += float32(w * r[5])
		s6 += float32(w * r[6])
		s7 += float32(w * r[7])
	}
	o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7] = s0, s1, s2, s3, s4, s5, s6, s7
}
