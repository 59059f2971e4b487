package kernels

// CausalConvSiLU is the short convolution of a Mamba mixer and its activation: each channel on its own,
//
//	out[t, c] = silu(bias[c] + Σ_r weight[r, c]·x[t-width+1+r, c])
//
//	x      [tokens, stride]         inputs, of which each row's first channels count; its last row may end there
//	weight [width, channels]        width ≥ 1; checkpoints store the transpose
//	bias   [channels]
//	state  [width-1, channels]      the inputs before x, oldest first, 0 at the start of a text; moved on to those
//	                                before the next call
//	out    [tokens, channels]
//
// The result does not depend on how a text is cut into calls, bit for bit.
func CausalConvSiLU(p *Pool, out, state, x, weight, bias []float32, tokens, channels, stride, width int) {
	checkLen("CausalConvSiLU", "out", len(out), tokens, channels)
	checkLen("CausalConvSiLU", "weight", len(weight), width, channels)
	checkLen("CausalConvSiLU", "bias", len(bias), 1, channels)
	checkLen("CausalConvSiLU", "state", len(state), width-1, channels)
	if tokens == 0 || channels == 0 {
		return
	}
	x = x[:(tokens-1)*stride+channels]
	p.Run(ceilDiv(channels, convBlock), func(i int) {
		c := convCall{out: out, state: state, x: x, weight: weight, bias: bias, tokens: tokens, channels: channels, stride: stride, width: width}
		c.block(i*convBlock, min((i+1)*convBlock, channels))
	})
}

// convBlock is the number of channels of one task: their rows of x and weight stay in the first-level cache.
const convBlock = 256

// convCall is the arguments of CausalConvSiLU.
type convCall struct {
	out, state, x, weight, bias     []float32
	tokens, channels, stride, width int
}

// block computes the channels [from, to). The first width-1 rows of the output need the state: they are computed
// from a copy of it followed by the first rows of x.
func (c *convCall) block(from, to int) {
	before := c.width - 1
	n, head := to-from, min(before, c.tokens)
	var fixed [6 * convBlock]float32
	joined := fixed[:]
	if need := (before + head) * n; need > len(fixed) {
		joined = make([]float32, need)
	}
	for r := range before {
		copy(joined[r*n:][:n], c.state[r*c.channels+from:])
	}
	for r := range head {
		copy(joined[(before+r)*n:][:n], c.x[r*c.stride+from:])
	}
	c.rows(joined, n, 0, head, from, n)
	if c.tokens > before {
		c.rows(c.x[from:], c.stride, before, c.tokens-before, from, n)
	}
	for r := range before {
		last := c.tokens - before + r // the row of x that becomes row r of the state
		if last >= 0 {
			copy(c.state[r*c.channels+from:][:n], c.x[last*c.stride+from:])
		} else {
			copy(c.state[r*c.channels+from:][:n], joined[(before+last)*n:][:n])
		}
	}
}

// rows computes n channels, from on, of the tokens output rows from first on, out of in, whose row 0 is the oldest
// that the first of them needs.
func (c *convCall) rows(in []float32, stride, first, tokens, from, n int) {
	if tokens > 0 {
		convRows(c.out[first*c.channels+from:], in, c.weight[from:], c.bias[from:from+n], tokens, c.channels, stride, c.width)
	}
}

// convRowsGo is the portable twin: out[t] for tokens rows, channels apart, as are the weight's; it computes the channels
// from on of the len(bias).
func convRowsGo(out, in, weight, bias []float32, tokens, channels, stride, width, from int) {
	for t := range tokens {
		for c := from; c < len(bias); c++ {
			s := bias[c]
			for r := range width {
				s += float32(in[(t+r)*stride+c] * weight[r*channels+c])
			}
			out[t*channels+c] = s
		}
		siluGo(out[t*channels+from : t*channels+len(bias)])
	}
}

// siluGo replaces x by silu(x).
func siluGo(x []float32) {
	for i, v := range x {
		if v >= 0 {
			x[i] = v / (1 + expNeg(-v))
		} else {
			e := expNeg(v)
			x[i] = float32(v*e) / (1 + e)
		}
	}
}
