package models

import (
	"context"
	"fmt"
	"math"

	"scbench/kernels"
	"scbench/stages/engine"
)

// Mamba is the recurrent model of Gu and Dao 2023 (arXiv:2312.00752): layers of RMSNorm and a Mamba-1 mixer, and nothing else.
type Mamba struct {
	*backbone
	blocks []mambaBlock
}

// mambaBlock is the weights of one layer.
type mambaBlock struct {
	norm  []float32
	mixer mambaMixer
}

// NewMamba reads the weights of a MambaForCausalLM and prepares them for products of the precision chosen. The weights must stay open as
// long as the model is used. Close gives back what was prepared.
//
// Same as the reference (transformers 4.52.4), but for its cached decoding after a prompt of one or two tokens, which goes wrong there.
func NewMamba(c Config, w *Weights, pool *kernels.Pool, choice Choice) (engine.Model, error) {
	if err := c.Require("hidden_size", "num_hidden_layers", "vocab_size"); err != nil {
		return nil, err
	}
	s := mambaSizes{hidden: c.Hidden, states: 16, width: 4, rank: c.rank("time_step_rank"), convBias: true}
	expand, eps := 2, 1e-5
	c.fields.number("layer_norm_epsilon", &eps, "a number of at least 0", func(v float64) bool { return v >= 0 })
	c.fields.flag("use_bias", &s.bias)
	c.fields.flag("use_conv_bias", &s.convBias)
	if err := c.parts([]part{{"state_size", &s.states}, {"conv_kernel", &s.width}, {"expand", &expand}}, mambaFields...); err != nil {
		return nil, err
	}
	s.inner = expand * c.Hidden
	if c.Intermediate != 0 && c.Intermediate != s.inner {
		return nil, fmt.Errorf("%s: intermediate_size is %d, not expand · hidden_size, %d · %d", c.Name, c.Intermediate, expand, c.Hidden)
	}
	b, r, hash, err := newBackbone(c, w, pool, choice, eps, "backbone.embeddings.weight", "backbone.norm_f.weight")
	if err != nil {
		return nil, err
	}
	m := &Mamba{backbone: b}
	for i := range r.each(c.Layers) {
		p := fmt.Sprintf("backbone.layers.%d.", i)
		m.blocks = append(m.blocks, mambaBlock{norm: r.vector(p+"norm.weight", c.Hidden), mixer: r.mamba(p+"mixer.", s)})
	}
	if err := r.done(hash); err != nil {
		return nil, err
	}
	m.shape.State = c.Layers * m.blocks[0].mixer.size()
	return m, nil
}

// mambaFields are fields of Mamba's configurations that are about training, or say again what others say.
var mambaFields = []string{
	"residual_in_fp32", "time_step_scale", "time_step_min", "time_step_max", "time_step_floor", "d_model", "d_inner", "n_layer",
	"fused_add_norm", "pad_vocab_size_multiple",
}

// Forward computes one ragged batch, layer by layer.
func (m *Mamba) Forward(ctx context.Context, batch []engine.Chunk) error {
	return m.forward(ctx, batch, func(step *engine.Step, l int, x []float32) error {
		w, h := &m.blocks[l], m.shape.Hidden
		for lo, hi := range step.Blocks() {
			res := x[lo*h : hi*h]
			w.mixer.add(m.backbone, step, res, m.normRows(res, w.norm), lo, hi, l*w.mixer.size())
		}
		return nil
	})
}

// mambaSizes is the sizes of a Mamba-1 mixer.
type mambaSizes struct {
	hidden, inner, rank, states, width int

	bias, convBias bool // of the projections in and out, and of the convolution
}

// mambaMixer is the weights of one Mamba-1 mixer.
type mambaMixer struct {
	mambaSizes
	x, z                  linear // what is mixed, and its gate
	conv                  shortConv
	low, b, c             linear    // what each token makes of its x: dt in few numbers, what goes into the state, what is read of it
	lowNorm, bNorm, cNorm []float32 // Jamba's; else nil
	normEps               float32
	dt                    linear // from low, without its bias
	dtBias                []float32
	a                     []float32 // [states, inner], below 0
	skip                  []float32
	out                   linear
}

// mamba reads the mixer with that prefix.
func (r *reader) mamba(p string, s mambaSizes) mambaMixer {
	w := mambaMixer{mambaSizes: s}
	in := r.bands(p+"in_proj", s.hidden, s.bias, s.inner, s.inner)
	w.x, w.z = in[0], in[1]
	w.conv = r.conv(p+"conv1d", s.inner, s.width, s.convBias)
	low := r.bands(p+"x_proj", s.inner, false, s.rank, s.states, s.states)
	w.low, w.b, w.c = low[0], low[1], low[2]
	w.dt = r.linear(p+"dt_proj", s.inner, s.rank, false)
	w.dtBias = r.vector(p+"dt_proj.bias", s.inner)
	w.a = r.decay(p+"A_log", s.inner, s.states)
	w.skip = r.vector(p+"D", s.inner)
	w.out = r.linear(p+"out_proj", s.hidden, s.inner, s.bias)
	return w
}

// size is how many numbers the mixer remembers: the last inputs of its convolution [width-1, inner], then h [states, inner].
func (w *mambaMixer) size() int { return w.conv.size() + w.states*w.inner }

// add adds the mixer of normed rows [lo, hi) of a step to res. Its part of a session's state begins at.
func (w *mambaMixer) add(m *backbone, step *engine.Step, res []float32, normed *kernels.Rows, lo, hi, at int) {
	rows, n := hi-lo, w.inner
	x, z, u := m.buf[0].Floats(rows*n), m.buf[1].Floats(rows*n), m.buf[2].Floats(rows*n)
	w.x.apply(m.pool, x, normed)
	w.z.apply(m.pool, z, normed)
	step.States(lo, hi, func(state []float32, a, b int) {
		w.conv.run(m.pool, u[a*n:b*n], state[at:], x[a*n:b*n])
	})

	from := &m.rows[0]
	from.Set(m.pool, m.precision, u, rows, n)
	low, b, c := m.buf[3].Floats(rows*w.rank), m.buf[4].Floats(rows*w.states), m.buf[5].Floats(rows*w.states)
	w.low.apply(m.pool, low, from)
	w.b.apply(m.pool, b, from)
	w.c.apply(m.pool, c, from)
	if w.lowNorm != nil {
		kernels.RMSNorm(low, low, w.lowNorm, w.normEps, rows, w.rank)
	}
	if w.bNorm != nil {
		kernels.RMSNorm(b, b, w.bNorm, w.normEps, rows, w.states)
		kernels.RMSNorm(c, c, w.cNorm, w.normEps, rows, w.states)
	}
	dt := x // its numbers are in u
	m.rows[1].Set(m.pool, m.precision, low, rows, w.rank)
	w.dt.apply(m.pool, dt, &m.rows[1])
	softplus(m.pool, dt, w.dtBias, 0, math.MaxFloat32)

	step.States(lo, hi, func(state []float32, i, j int) {
		h := state[at+w.conv.size() : at+w.size()]
		kernels.SelectiveScan(m.pool, u[i*n:j*n], h, u[i*n:j*n], dt[i*n:j*n], w.a, b[i*w.states:j*w.states], c[i*w.states:j*w.states], w.skip, j-i, n, w.states)
	})
	from.SetSiLUMul(m.pool, m.precision, z, u, rows, n)
	w.out.add(m.pool, res, from)
}
