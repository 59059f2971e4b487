package kernels

// Softplus replaces x[rows, dim] by ln(1+e^(x+bias)), bias[dim], within 5e-7 relatively, without overflow.
func Softplus(x, bias []float32, rows int) {
	checkLen("Softplus", "x", len(x), rows, len(bias))
	for r := range rows {
		softplus(x[r*len(bias):][:len(bias)], bias)
	}
}

// softplusGo is the portable twin. ln(1+e^v) = max(v, 0) + ln(1+e) with e = e^-|v|, and ln(1+e) = 2·artanh(s) with
// s = e/(2+e) ≤ 1/3, whose polynomial is exact to 4e-9; nothing cancels for small e.
func softplusGo(x, bias []float32) {
	bias = bias[:len(x)]
	for i, v := range x {
		v += bias[i]
		e := expNeg(-max(v, -v))
		s := e / (2 + e)
		z := float32(s * s)
		y := float32(softplus4*z) + softplus3
		y = float32(y*z) + softplus2
		y = float32(y*z) + softplus1
		y = float32(y*z) + 1
		x[i] = max(v, 0) + float32(float32(2*s)*y)
	}
}

// artanh(s)/s as a polynomial in s² on [0, 1/9].
const (
	softplus1 = 3.3333160820690017e-1
	softplus2 = 2.001229761535681e-1
	softplus3 = 1.3982578872267870e-1
	softplus4 = 1.4078889183337578e-1
)

// SelectiveScan is the recurrence of Mamba-1 (Gu and Dao 2023, arXiv:2312.00752), for each channel c and state k:
//
//	h[k, c] = e^(dt[t, c]·a[k, c])·h[k, c] + dt[t, c]·x[t, c]·b[t, k]
//	y[t, c] = Σ_k h[k, c]·cc[t, k] + skip[c]·x[t, c]
//
//	y, x, dt [tokens, channels]  dt ≥ 0, after Softplus; y may be x
//	a        [n, channels]       ≤ 0: -e^A_log, transposed
//	b, cc    [tokens, n]
//	skip     [channels]          D
//	state    [n, channels]       h before the first token, 0 at the start of a text; moved on
//
// One call with tokens = 1 is the step of decoding. The result does not depend on how a text is cut into calls, bit
// for bit. The gate is SiLUMul's.
// Same as the reference (state-spaces/mamba, selective_scan_ref), which keeps state and a as [channels, n].
func SelectiveScan(p *Pool, y, state, x, dt, a, b, cc, skip []float32, tokens, channels, n int) {
	checkLen("SelectiveScan", "y", len(y), tokens, channels)
	checkLen("SelectiveScan", "state", len(state), n, channels)
	checkLen("SelectiveScan", "x", len(x), tokens, channels)
	checkLen("SelectiveScan", "dt", len(dt), tokens, channels)
	checkLen("SelectiveScan", "a", len(a), n, channels)
	checkLen("SelectiveScan", "b", len(b), tokens, n)
	checkLen("SelectiveScan", "cc", len(cc), tokens, n)
	checkLen("SelectiveScan", "skip", len(skip), 1, channels)
	const block = 128 // channels of one task
	p.Run(ceilDiv(channels, block), func(i int) {
		s := scanCall{y: y, state: state, x: x, dt: dt, a: a, b: b, c: cc, skip: skip, tokens: tokens, channels: channels, n: n}
		s.block(i*block, min((i+1)*block, channels))
	})
}

// scanCall is the arguments of SelectiveScan.
type scanCall struct {
	y, state, x, dt, a, b, c, skip []float32
	tokens, channels, n            int
}

// blockGo is the portable twin for the channels [from, to).
func (s *scanCall) blockGo(from, to int) {
	input, sum := make([]float32, to-from), make([]float32, to-from)
	for t := range s.tokens {
		row := t * s.channels
		y, x, dt := s.y[row+from:row+to], s.x[row+from:row+to], s.dt[row+from:row+to]
		for i, v := range x {
			input[i], sum[i] = float32(dt[i]*v), float32(s.skip[from+i]*v)
		}
		for k := range s.n {
			h, a := s.state[k*s.channels:][from:to], s.a[k*s.channels:][from:to]
			b, c := s.b[t*s.n+k], s.c[t*s.n+k]
			for i, v := range h {
				v = float32(expNeg(float32(dt[i]*a[i]))*v) + float32(input[i]*b)
				h[i] = v
				sum[i] += float32(v * c)
			}
		}
		copy(y, sum)
	}
}
