package models

import "scbench/kernels"

// gatedMLP is SwiGLU: down(silu(gate(x)) · up(x)).
type gatedMLP struct{ gate, up, down linear }

// join adds the MLP of rows of the residual stream, through the norm given, to them.
func (w *gatedMLP) join(m *backbone, res, norm []float32) {
	x, n, rows := m.normRows(res, norm), w.gate.rows(), len(res)/m.shape.Hidden
	gate, up := m.buf[0].Floats(rows*n), m.buf[1].Floats(rows*n)
	w.gate.apply(m.pool, gate, x)
	w.up.apply(m.pool, up, x)
	m.rows[0].SetSiLUMul(m.pool, m.precision, gate, up, rows, n)
	w.down.add(m.pool, res, &m.rows[0])
}

// mixture is a mixture of experts: each token goes to the MLPs that a router finds likeliest, and takes the sum of what they make of it,
// weighted by the router's probabilities among all experts, which are not made to sum up to 1 (Jamba; Mixtral does).
type mixture struct {
	chosen         int // experts of a token
	router         linear
	gate, up, down []*kernels.Weight

	routes kernels.Routes
	choice []int32
	weight []float32
}

// add takes one more expert in.
func (w *mixture) add(x gatedMLP) {
	w.gate, w.up, w.down = append(w.gate, x.gate.w), append(w.up, x.up.w), append(w.down, x.down.w)
}

// join adds the experts of rows of the residual stream, through the norm given, to them.
func (w *mixture) join(m *backbone, res, norm []float32) {
	h := m.shape.Hidden
	x := m.buf[0].Floats(len(res))
	kernels.Split(m.pool, len(res)/h, h, func(lo, hi int) {
		kernels.RMSNorm(x[lo*h:hi*h], res[lo*h:hi*h], norm, m.eps, hi-lo, h)
	})
	w.mix(m, res, x)
}

// mix adds to each row of out what its experts make of that of x, which are of the model's width.
func (w *mixture) mix(m *backbone, out, x []float32) {
	h := m.shape.Hidden
	rows := len(x) / h
	logits := m.buf[1].Floats(rows * len(w.gate))
	m.rows[0].Set(m.pool, m.precision, x, rows, h)
	w.router.apply(m.pool, logits, &m.rows[0])
	w.choice, w.weight = grown(w.choice, rows*w.chosen), grown(w.weight, rows*w.chosen)
	kernels.TopExperts(w.choice, w.weight, logits, rows, len(w.gate), w.chosen, false)
	w.routes.Set(w.choice, rows, w.chosen, len(w.gate))

	n, all := w.gate[0].Rows, w.routes.Rows()
	in, gate, up := m.buf[2].Floats(all*h), m.buf[3].Floats(all*n), m.buf[4].Floats(all*n)
	w.routes.Gather(m.pool, in, x, h)
	w.routes.Product(m.pool, gate, in, w.gate)
	w.routes.Product(m.pool, up, in, w.up)
	kernels.Split(m.pool, all, n, func(lo, hi int) { kernels.SiLUMul(gate[lo*n:hi*n], up[lo*n:hi*n]) })
	w.routes.Product(m.pool, in, gate, w.down)
	w.routes.Combine(m.pool, out, in, w.weight, h)
}

// grown returns a slice of n values, the old one if it is long enough.
func grown[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}
