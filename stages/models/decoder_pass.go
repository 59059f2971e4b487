package models

import (
	"context"

	"scbench/kernels"
	"scbench/stages/engine"
)

// scratch is memory that passes reuse. All but x and the tables is of one block of rows.
type scratch struct {
	x, cos, sin           kernels.Buffer
	k, v, q, att          kernels.Buffer
	gate, up, sub         kernels.Buffer
	normed, heads, active kernels.Rows
}

// Forward computes one ragged batch, layer by layer in two passes: first the keys and values of all rows, then queries,
// attention and MLP block by block.
func (m *Decoder) Forward(ctx context.Context, batch []engine.Chunk) error {
	step, err := engine.Begin(ctx, m.shape, m.pool, batch)
	if err != nil {
		return err
	}
	s := m.shape
	x := m.embeddings(batch, step.Rows)
	cos, sin := m.tables(step)
	observe(step, 0, x, s.Hidden)
	for l := range m.blocks {
		if err := m.layer(step, l, x, cos, sin); err != nil {
			return err
		}
		observe(step, l+1, x, s.Hidden)
	}
	m.logits(step, x)
	return step.End()
}

// embeddings returns the beginning of the residual stream, [rows, Hidden].
func (m *Decoder) embeddings(batch []engine.Chunk, rows int) []float32 {
	h := m.shape.Hidden
	x := m.buf.x.Floats(rows * h)
	row := 0
	for _, c := range batch {
		for _, t := range c.Tokens {
			m.embed.Row(x[row*h:(row+1)*h], int(t))
			row++
		}
	}
	scaleRows(m.pool, x, m.embedScale, h)
	return x
}

// layer adds layer l to the residual stream x [Rows, Hidden].
func (m *Decoder) layer(step *engine.Step, l int, x, cos, sin []float32) error {
	b, w, s := &m.buf, &m.blocks[l], m.shape
	half := m.rope.Dim() / 2
	ready := -1 // the block whose normed rows are in b.normed
	normed := func(lo, hi int) *kernels.Rows {
		if ready != lo {
			b.normed.SetRMSNorm(m.pool, m.precision, x[lo*s.Hidden:hi*s.Hidden], w.attnNorm, m.eps, hi-lo, s.Hidden)
		}
		ready = lo
		return &b.normed
	}
	for lo, hi := range step.Blocks() {
		rows := hi - lo
		k, v := b.k.Floats(rows*s.KVHeads*s.Dim), b.v.Floats(rows*s.KVHeads*s.Dim)
		w.k.apply(m.pool, k, normed(lo, hi))
		w.v.apply(m.pool, v, normed(lo, hi))
		m.normRows(k, w.keyNorm, s.Dim)
		m.rope.rotate(m.pool, k, cos[lo*half:hi*half], sin[lo*half:hi*half], rows, s.KVHeads*s.Dim, s.Dim)
		if err := step.Append(l, k, v, lo, hi); err != nil {
			return err
		}
	}
	if rows := step.Select(l); rows != nil {
		keep(x, rows, s.Hidden)
		keep(cos, rows, half)
		keep(sin, rows, half)
		ready = -1
	}
	step.Plan(l, func(lo, hi int) []float32 {
		ready = -1
		q := make([]float32, (hi-lo)*s.Heads*s.Dim)
		m.queries(q, w, normed(lo, hi), cos[lo*half:hi*half], sin[lo*half:hi*half], hi-lo)
		ready = -1
		return q
	})
	for lo, hi := range step.Blocks() {
		rows := hi - lo
		q, att := b.q.Floats(rows*s.Heads*s.Dim), b.att.Floats(rows*s.Heads*s.Dim)
		m.queries(q, w, normed(lo, hi), cos[lo*half:hi*half], sin[lo*half:hi*half], rows)
		step.Attend(l, att, q, lo, hi)
		b.heads.Set(m.pool, m.precision, att, rows, s.Heads*s.Dim)
		res := x[lo*s.Hidden : hi*s.Hidden]
		m.join(res, w.o, &b.heads, w.attnOutNorm)
		ready = -1
		m.mlp(res, w, rows)
	}
	return nil
}

// queries writes the queries of normed rows, after RoPE.
func (m *Decoder) queries(q []float32, w *block, normed *kernels.Rows, cos, sin []float32, rows int) {
	s := m.shape
	w.q.apply(m.pool, q, normed)
	m.normRows(q, w.queryNorm, s.Dim)
	m.rope.rotate(m.pool, q, cos, sin, rows, s.Heads*s.Dim, s.Dim)
	scaleRows(m.pool, q, m.queryScale, s.Heads*s.Dim)
}

// mlp adds the gated MLP to rows of the residual stream.
func (m *Decoder) mlp(res []float32, w *block, rows int) {
	b := &m.buf
	b.normed.SetRMSNorm(m.pool, m.precision, res, w.mlpNorm, m.eps, rows, m.shape.Hidden)
	gate, up := b.gate.Floats(rows*w.gate.rows()), b.up.Floats(rows*w.up.rows())
	w.gate.apply(m.pool, gate, &b.normed)
	w.up.apply(m.pool, up, &b.normed)
	if m.gelu {
		kernels.Split(m.pool, rows, w.gate.rows(), func(lo, hi int) {
			n := w.gate.rows()
			kernels.GELUMul(gate[lo*n:hi*n], up[lo*n:hi*n])
		})
		b.active.Set(m.pool, m.precision, gate, rows, w.gate.rows())
	} else {
		b.active.SetSiLUMul(m.pool, m.precision, gate, up, rows, w.gate.rows())
	}
	m.join(res, w.down, &b.active, w.mlpOutNorm)
}

// join adds what l makes of rows to the residual stream, through a norm where there is one.
func (m *Decoder) join(res []float32, l linear, from *kernels.Rows, norm []float32) {
	if norm == nil {
		l.add(m.pool, res, from)
		return
	}
	sub := m.buf.sub.Floats(len(res))
	l.apply(m.pool, sub, from)
	m.normRows(sub, norm, m.shape.Hidden)
	kernels.Split(m.pool, len(res)/m.shape.Hidden, m.shape.Hidden, func(lo, hi int) {
		kernels.Add(res[lo*m.shape.Hidden:hi*m.shape.Hidden], sub[lo*m.shape.Hidden:hi*m.shape.Hidden])
	})
}

// normRows normalises rows of width numbers in place; without a weight it leaves them.
func (m *Decoder) normRows(x, weight []float32, width int) {
	if weight == nil {
		return
	}
	kernels.Split(m.pool, len(x)/width, width, func(lo, hi int) {
		rows := x[lo*width : hi*width]
		kernels.RMSNorm(rows, rows, weight, m.eps, hi-lo, width)
	})
}

// logits writes the logits that the chunks ask for.
func (m *Decoder) logits(step *engine.Step, x []float32) {
	s := m.shape
	step.Each(func(c *engine.Chunk, lo, hi, _ int) {
		if c.Hidden != nil {
			out := make([]float32, (hi-lo)*s.Hidden)
			kernels.RMSNorm(out, x[lo*s.Hidden:hi*s.Hidden], m.norm, m.eps, hi-lo, s.Hidden)
			c.Hidden(s.Layers+1, out)
		}
		if rows := len(c.Logits) / s.Vocab; rows > 0 {
			m.buf.normed.SetRMSNorm(m.pool, m.precision, x[(hi-rows)*s.Hidden:hi*s.Hidden], m.norm, m.eps, rows, s.Hidden)
			kernels.Product(m.pool, c.Logits, &m.buf.normed, m.head, kernels.Epilogue{})
			if m.logitCap > 0 {
				kernels.Split(m.pool, len(c.Logits), 1, func(lo, hi int) { kernels.SoftCap(c.Logits[lo:hi], m.logitCap) })
			}
		}
	})
}

// tables fills the cosines and sines of all rows, [Rows, rotated dims / 2].
func (m *Decoder) tables(step *engine.Step) (cos, sin []float32) {
	half := m.rope.Dim() / 2
	cos, sin = m.buf.cos.Floats(step.Rows*half), m.buf.sin.Floats(step.Rows*half)
	step.Each(func(_ *engine.Chunk, lo, hi, length int) {
		m.rope.Tables(cos[lo*half:hi*half], sin[lo*half:hi*half], step.Pos[lo:hi], length)
	})
	return cos, sin
}

// scaleRows multiplies x, rows of width numbers, by f; 0 and 1 leave it.
func scaleRows(p *kernels.Pool, x []float32, f float32, width int) {
	if f == 0 || f == 1 {
		return
	}
	kernels.Split(p, len(x)/width, width, func(lo, hi int) { kernels.Scale(x[lo*width:hi*width], f) })
}
