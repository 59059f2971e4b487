package models

import (
	"fmt"

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
	onePlus   bool              // norms are kept as what is to be added to 1
	tally     *tally            // count what would be read instead of reading it; nil: read
	err       error
}

func (r *reader) matrix(name string, rows, cols int) *kernels.Matrix {
	m, err := r.w.Matrix(name, rows, cols)
	if r.keep(err); r.tally != nil && err == nil {
		r.tally.view(name, int64(rows)*int64(cols)*int64(m.Type.Size()))
	}
	return m
}

func (r *reader) vector(name string, n int) []float32 {
	if r.tally != nil {
		_, _, err := r.w.typed(name, n)
		r.keep(err)
		r.tally.values += 4 * int64(n)
		return nil
	}
	v, err := r.w.Vector(name, n)
	r.keep(err)
	return v
}

// norm reads the weight of an RMSNorm.
func (r *reader) norm(name string, n int) []float32 {
	v := r.vector(name, n)
	if r.onePlus {
		for i := range v {
			v[i]++
		}
	}
	return v
}

// pack prepares m, which is the tensor given or a part of it, for products, under a name for its packed copy. The tensor's own memory is
// given back, whether the copy is new or was mapped: hashing may have read it.
func (r *reader) pack(name, tensor string, m *kernels.Matrix) *kernels.Weight {
	if r.tally != nil {
		return r.tally.pack(name, m, r.precision)
	}
	if r.err != nil {
		return nil
	}
	w := r.packs.weight(r.pool, name, m.Rows, m.Cols)
	if w == nil {
		w = m.Pack(r.pool, r.precision)
	}
	r.w.Forget(tensor)
	if r.packs != nil {
		r.packs.names = append(r.packs.names, name)
	}
	r.packed = append(r.packed, w)
	return w
}

// head reads the output layer: the tensor of that name, or embed where the two are tied; the packed copy has the name in either case.
func (r *reader) head(c Config, name, embedName string, embed *kernels.Matrix) *kernels.Weight {
	if c.TieEmbeddings {
		w := r.pack(name, embedName, embed)
		r.ignore(name) // some checkpoints carry it all the same
		return w
	}
	return r.pack(name, name, r.matrix(name, c.Vocab, c.Hidden))
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
	name := prefix + ".weight"
	l := linear{w: r.pack(name, name, r.matrix(name, rows, cols))}
	if bias {
		l.bias = r.vector(prefix+".bias", rows)
	}
	return l
}

// rows reads a linear whose weight and bias are the rows [lo, hi) of prefix.weight [all, cols] and prefix.bias [all].
func (r *reader) rows(prefix string, lo, hi, all, cols int, bias bool) linear {
	m := r.matrix(prefix+".weight", all, cols)
	if m == nil {
		return linear{w: &kernels.Weight{Rows: hi - lo, Cols: cols}} // r has the error
	}
	if r.tally != nil {
		delete(r.tally.viewed, prefix+".weight")
	}
	l := linear{w: r.pack(fmt.Sprintf("%s.weight[%d:%d]", prefix, lo, hi), prefix+".weight", m.Slice(lo, hi))}
	if bias {
		if v := r.vector(prefix+".bias", all); v != nil {
			l.bias = v[lo:hi]
		}
	}
	return l
}

// preNorms reads the norms before attention and MLP as most decoders call them.
func preNorms(r *reader, p string, c Config) block {
	return block{
		attnNorm: r.norm(p+"input_layernorm.weight", c.Hidden),
		mlpNorm:  r.norm(p+"post_attention_layernorm.weight", c.Hidden),
	}
}

// qkv reads the projections to queries, keys and values, each a matrix of its own.
func (r *reader) qkv(p string, c Config, bias bool) (q, k, v linear) {
	return r.linear(p+"q_proj", c.Heads*c.HeadDim, c.Hidden, bias),
		r.linear(p+"k_proj", c.KVHeads*c.HeadDim, c.Hidden, bias),
		r.linear(p+"v_proj", c.KVHeads*c.HeadDim, c.Hidden, bias)
}

// fusedQKV reads them from one matrix: queries, keys, values.
func (r *reader) fusedQKV(p string, c Config, bias bool) (q, k, v linear) {
	a, b := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	return r.rows(p, 0, a, a+2*b, c.Hidden, bias), r.rows(p, a, a+b, a+2*b, c.Hidden, bias), r.rows(p, a+b, a+2*b, a+2*b, c.Hidden, bias)
}

// gated reads the three matrices of a gated MLP.
func (r *reader) gated(p string, c Config, bias bool) (gate, up, down linear) {
	return r.linear(p+"gate_proj", c.Intermediate, c.Hidden, bias),
		r.linear(p+"up_proj", c.Intermediate, c.Hidden, bias),
		r.linear(p+"down_proj", c.Hidden, c.Intermediate, bias)
}

// halves reads gate and up from one matrix.
func (r *reader) halves(p string, c Config) (gate, up linear) {
	n := c.Intermediate
	return r.rows(p, 0, n, 2*n, c.Hidden, false), r.rows(p, n, 2*n, 2*n, c.Hidden, false)
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
	if r.tally != nil && err != nil {
		r.tally.fault(err)
	}
}

// each counts to n as long as there is sense in reading on: to the first error, or when counting, to as many as anybody reads.
func (r *reader) each(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n && (r.err == nil || r.tally != nil && len(r.tally.faults) < maxFaults) && yield(i); i++ {
		}
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

// keep moves the rows given, ascending, of x [.., width] to its beginning.
func keep(x []float32, rows []int32, width int) {
	for i, r := range rows {
		copy(x[i*width:(i+1)*width], x[int(r)*width:(int(r)+1)*width])
	}
}
