package kernels

import "fmt"

// SSDShape is the sizes of a Mamba-2 mixer: Heads heads of Dim channels, whose B and C are shared in Groups groups of
// consecutive heads, and State states.
type SSDShape struct{ Heads, Dim, Groups, State int }

// Width is the length of a row x | B | C, which is what the mixer's convolution puts out.
func (s SSDShape) Width() int { return s.Heads*s.Dim + 2*s.Groups*s.State }

// SSDScan is the recurrence of Mamba-2 (Dao and Gu 2024, arXiv:2405.21060), token by token; for each head i of group g:
//
//	h[i] = e^(dt[t, i]·a[i])·h[i] + dt[t, i]·B[t, g] ⊗ x[t, i]
//	y[t, i] = C[t, g]·h[i] + skip[i]·x[t, i]
//
//	y     [tokens, Heads, Dim]
//	state [Heads, State, Dim]    h before the first token, 0 at the start of a text; moved on
//	u     [tokens, Width]        rows x | B | C
//	dt    [tokens, Heads]        ≥ 0, after Softplus
//	a     [Heads]                ≤ 0: -e^A_log
//	skip  [Heads]                D
//
// One call with tokens = 1 is the step of decoding. The result does not depend on how a text is cut into calls, bit
// for bit; SSD's does, in the last bits.
// Same as the reference (state-spaces/mamba, selective_state_update_ref), which keeps state as [Heads, Dim, State].
func SSDScan(p *Pool, y, state, u, dt, a, skip []float32, s SSDShape, tokens int) {
	c := newSSDCall("SSDScan", y, state, u, dt, a, skip, s, tokens)
	p.Run(s.Heads, func(i int) { c.scan(i) })
}

// SSD computes what SSDScan does in chunks of ssdChunk tokens, counted from the call's first one: attention with decay
// inside a chunk, products with the state between chunks. Calls that end on whole chunks give the same bits as one
// call for all; others agree within rounding.
// Same as the reference (state-spaces/mamba, ssd_minimal) with any length of its chunks, within rounding.
func SSD(p *Pool, y, state, u, dt, a, skip []float32, s SSDShape, tokens int) {
	c := newSSDCall("SSD", y, state, u, dt, a, skip, s, tokens)
	group := s.Heads / s.Groups
	part := min(group, 8) // heads of one task; those of a group share its products C·Bᵀ
	parts := ceilDiv(group, part)
	p.Run(s.Groups*parts, func(i int) {
		first := i / parts * group
		c.chunks(first+i%parts*part, first+min((i%parts+1)*part, group))
	})
}

// ssdCall is the arguments of SSD and SSDScan.
type ssdCall struct {
	SSDShape
	y, state, u, dt, a, skip []float32
	tokens                   int
}

func newSSDCall(kernel string, y, state, u, dt, a, skip []float32, s SSDShape, tokens int) *ssdCall {
	if s.Groups <= 0 || s.Heads%s.Groups != 0 {
		panic(fmt.Sprintf("kernels: %s: %d heads in %d groups", kernel, s.Heads, s.Groups))
	}
	checkLen(kernel, "y", len(y), tokens, s.Heads*s.Dim)
	checkLen(kernel, "state", len(state), s.Heads, s.State*s.Dim)
	checkLen(kernel, "u", len(u), tokens, s.Width())
	checkLen(kernel, "dt", len(dt), tokens, s.Heads)
	checkLen(kernel, "a", len(a), s.Heads, 1)
	checkLen(kernel, "skip", len(skip), s.Heads, 1)
	return &ssdCall{s, y, state, u, dt, a, skip, tokens}
}

// head returns the state of head i and where its x and its group's B and C lie in a row of u.
func (c *ssdCall) head(i int) (h []float32, x, b, cc int) {
	size, g := c.State*c.Dim, i/(c.Heads/c.Groups)
	b = c.Heads*c.Dim + g*c.State
	return c.state[i*size:][:size], i * c.Dim, b, b + c.Groups*c.State
}

// scanTile is the number of tokens whose decays are computed at once.
const scanTile = 64

// scan runs head i over all tokens.
func (c *ssdCall) scan(i int) {
	h, x, b, cc := c.head(i)
	var step, decay [scanTile]float32
	for from := 0; from < c.tokens; from += scanTile {
		n := min(scanTile, c.tokens-from)
		for t := range n {
			step[t] = c.dt[(from+t)*c.Heads+i]
			decay[t] = float32(step[t] * c.a[i])
		}
		expSum(decay[:n], decay[:n], 0)
		u := c.u[from*c.Width():]
		ssdScan(c.y[from*c.Heads*c.Dim+x:], h, u[x:], u[b:], u[cc:], step[:n], decay[:n], c.skip[i], c.Heads*c.Dim, c.Width(), c.State, c.Dim)
	}
}

// ssdScanGo is the portable twin: len(step) tokens of one head, rows of y and of x, b and c ys and us apart.
func ssdScanGo(y, h, x, b, c, step, decay []float32, skip float32, ys, us, states, dim int) {
	input := make([]float32, dim)
	for t, dt := range step {
		x, y := x[t*us:][:dim], y[t*ys:][:dim]
		for p, v := range x {
			input[p], y[p] = float32(dt*v), float32(skip*v)
		}
		for k := range states {
			bk, ck, d := b[t*us+k], c[t*us+k], decay[t]
			row := h[k*dim:][:dim]
			for p, v := range row {
				v = float32(d*v) + float32(bk*input[p])
				row[p] = v
				y[p] += float32(ck * v)
			}
		}
	}
}
