package models

import (
	"scbench/kernels"
	"scbench/stages/engine"
)

// linear is a weight with an optional bias.
type linear struct {
	w    *kernels.Matrix
	bias []float32
}

func (l linear) rows() int { return l.w.Rows }

// apply writes x·wᵀ + bias: out is [m, rows], x [m, cols].
func (l linear) apply(p *kernels.Pool, out, x []float32, m int) {
	kernels.MatMul(p, out, x, l.w, m)
	if l.bias != nil {
		kernels.AddBias(out, l.bias, m)
	}
}

// reader reads weights and keeps the first error, so that an architecture can list its tensors without a check after each.
type reader struct {
	w   *Weights
	err error
}

func (r *reader) matrix(name string, rows, cols int) *kernels.Matrix {
	m, err := r.w.Matrix(name, rows, cols)
	r.keep(err)
	return m
}

func (r *reader) vector(name string, n int) []float32 {
	v, err := r.w.Vector(name, n)
	r.keep(err)
	return v
}

// linear reads prefix.weight [rows, cols] and, if bias, prefix.bias [rows].
func (r *reader) linear(prefix string, rows, cols int, bias bool) linear {
	l := linear{w: r.matrix(prefix+".weight", rows, cols)}
	if bias {
		l.bias = r.vector(prefix+".bias", rows)
	}
	return l
}

// ignore marks a tensor as known, if it is there.
func (r *reader) ignore(name string) {
	if r.w.Has(name) {
		_, err := r.w.Tensor(name)
		r.keep(err)
	}
}

func (r *reader) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}

// grow returns *buf with n numbers, reusing its memory; the numbers are whatever was there.
func grow(buf *[]float32, n int) []float32 {
	if cap(*buf) < n {
		*buf = make([]float32, n)
	}
	return (*buf)[:n]
}

// rotate applies RoPE to x [rows, heads, dim] with tables [rows, half].
func rotate(x, cos, sin []float32, rows, heads, dim, half int) {
	w := heads * dim
	for i := range rows {
		kernels.RotateHalf(x[i*w:(i+1)*w], cos[i*half:(i+1)*half], sin[i*half:(i+1)*half], heads, dim)
	}
}

// observe shows the residual stream to the chunks that asked for it.
func observe(step *engine.Step, layer int, x []float32, width int) {
	step.Each(func(c *engine.Chunk, lo, hi, _ int) {
		if c.Hidden != nil {
			c.Hidden(layer, x[lo*width:hi*width])
		}
	})
}
