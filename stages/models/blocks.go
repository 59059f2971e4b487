package models

import (
	"scbench/kernels"
	"scbench/stages/engine"
)

// linear is a weight with an optional bias.
type linear struct {
	w    *kernels.Weight
	bias []float32
}

func (l linear) rows() int { return l.w.Rows }

// apply writes x·wᵀ + bias: out is [m, rows].
func (l linear) apply(p *kernels.Pool, out []float32, x *kernels.Rows) {
	kernels.Product(p, out, x, l.w, kernels.Epilogue{Bias: l.bias})
}

// add is apply onto what is in out, the residual stream.
func (l linear) add(p *kernels.Pool, out []float32, x *kernels.Rows) {
	kernels.Product(p, out, x, l.w, kernels.Epilogue{Bias: l.bias, Add: true})
}

// reader reads weights and keeps the first error, so that an architecture can list its tensors without a check after each.
type reader struct {
	w         *Weights
	pool      *kernels.Pool
	precision kernels.Precision
	packs     *packs            // where packed weights are kept, or nil
	packed    []*kernels.Weight // to be closed with the model
	err       error
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

// pack prepares the matrix of that name for products.
func (r *reader) pack(name string, m *kernels.Matrix) *kernels.Weight {
	if r.err != nil {
		return nil
	}
	w := r.packs.weight(name, m.Rows, m.Cols)
	if w == nil {
		w = m.Pack(r.pool, r.precision)
		r.w.Forget(name)
	}
	if r.packs != nil {
		r.packs.names = append(r.packs.names, name)
	}
	r.packed = append(r.packed, w)
	return w
}

// close gives the packed copies back.
func (r *reader) close() {
	for _, w := range r.packed {
		w.Close()
	}
	r.packs.close()
}

// linear reads prefix.weight [rows, cols] and, if bias, prefix.bias [rows].
func (r *reader) linear(prefix string, rows, cols int, bias bool) linear {
	l := linear{w: r.pack(prefix+".weight", r.matrix(prefix+".weight", rows, cols))}
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

// rotate applies RoPE to x [rows, width], heads of dim numbers; the tables are [rows, rotated dims / 2].
func rotate(p *kernels.Pool, x, cos, sin []float32, rows, width, dim int) {
	half := len(cos) / rows
	kernels.Split(p, rows, width, func(lo, hi int) {
		kernels.Rotate(x[lo*width:hi*width], cos[lo*half:hi*half], sin[lo*half:hi*half], hi-lo, width/dim, dim, half)
	})
}

// observe shows the residual stream to the chunks that asked for it.
func observe(step *engine.Step, layer int, x []float32, width int) {
	step.Each(func(c *engine.Chunk, lo, hi, _ int) {
		if c.Hidden != nil {
			c.Hidden(layer, x[lo*width:hi*width])
		}
	})
}

// keep moves the rows given, ascending, of x [.., width] to its beginning.
func keep(x []float32, rows []int32, width int) {
	for i, r := range rows {
		copy(x[i*width:(i+1)*width], x[int(r)*width:(int(r)+1)*width])
	}
}
