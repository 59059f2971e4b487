package models

import (
	"context"
	"fmt"
	"math"

	"scbench/kernels"
	"scbench/stages/engine"
)

// Mamba2 is the recurrent model of Dao and Gu 2024 (arXiv:2405.21060) as in Codestral-Mamba: layers of RMSNorm and a Mamba-2 mixer, whose
// heads share B and C in groups.
type Mamba2 struct {
	*backbone
	blocks []mamba2Block
	notes  []string
}

// mamba2Block is the weights of one layer.
type mamba2Block struct {
	norm  []float32
	mixer mamba2Mixer
}

// NewMamba2 reads the weights of a Mamba2ForCausalLM and prepares them for products of the precision chosen. The weights must stay open
// as long as the model is used. Close gives back what was prepared.
//
// Same as the reference (state-spaces/mamba, which Mistral's own code runs for Codestral-Mamba): the gate comes before the norm, and the
// norm takes each group of channels by itself. The port in transformers takes all channels together, which is another model if there are
// several groups; a checkpoint that was trained so says it by "norm_groups": 1 in its config.json, a field of this program.
func NewMamba2(c Config, w *Weights, pool *kernels.Pool, choice Choice) (engine.Model, error) {
	if err := c.Require("hidden_size", "num_hidden_layers", "vocab_size", "num_heads", "head_dim", "n_groups", "state_size"); err != nil {
		return nil, err
	}
	s := mamba2Sizes{hidden: c.Hidden, width: 4, convBias: true}
	s.Dim = c.HeadDim
	expand, eps, limit := 2, 1e-5, []float64{0, math.Inf(1)}
	c.fields.number("layer_norm_epsilon", &eps, "a number of at least 0", func(v float64) bool { return v >= 0 })
	c.fields.flag("use_bias", &s.bias)
	c.fields.flag("use_conv_bias", &s.convBias)
	if _, err := c.Field("time_step_limit", &limit); err != nil {
		return nil, err
	}
	if len(limit) != 2 || !(limit[0] >= 0 && limit[0] <= limit[1]) {
		return nil, fmt.Errorf("%s: time_step_limit is %v, want two ascending numbers of at least 0", c.Name, limit)
	}
	list := []part{{"num_heads", &s.Heads}, {"n_groups", &s.Groups}, {"state_size", &s.State}, {"conv_kernel", &s.width}, {"expand", &expand}, {"norm_groups", &s.normGroups}}
	// The last three do not matter: how the reference cuts a text, and what it reads but never heeds.
	if err := c.parts(list, append(mambaFields, "time_step_limit", "chunk_size", "time_step_rank", "norm_before_gate")...); err != nil {
		return nil, err
	}
	inner := s.Heads * s.Dim
	stated := s.normGroups
	if stated == 0 {
		s.normGroups = s.Groups
	}
	switch {
	case inner != expand*c.Hidden || c.Intermediate != 0 && c.Intermediate != inner:
		return nil, fmt.Errorf("%s: num_heads · head_dim is %d · %d, not expand · hidden_size, %d · %d, or not intermediate_size", c.Name, s.Heads, s.Dim, expand, c.Hidden)
	case s.Heads%s.Groups != 0:
		return nil, fmt.Errorf("%s: num_heads is %d, not a multiple of n_groups, %d", c.Name, s.Heads, s.Groups)
	case s.normGroups != 1 && s.normGroups != s.Groups:
		return nil, fmt.Errorf("%s: norm_groups is %d, want 1 or n_groups, %d", c.Name, s.normGroups, s.Groups)
	}
	s.eps, s.least, s.most = float32(eps), float32(limit[0]), float32(min(limit[1], math.MaxFloat32))
	b, r, hash, err := newBackbone(c, w, pool, choice, eps, "backbone.embeddings.weight", "backbone.norm_f.weight")
	if err != nil {
		return nil, err
	}
	m := &Mamba2{backbone: b}
	if stated == 0 && s.Groups > 1 {
		m.notes = []string{fmt.Sprintf("%s: the gated norm takes each of %d groups of channels by itself, as the authors' code does, unlike the port in transformers; for a checkpoint trained with the latter, add \"norm_groups\": 1", c.Name, s.Groups)}
	}
	for i := range r.each(c.Layers) {
		p := fmt.Sprintf("backbone.layers.%d.", i)
		m.blocks = append(m.blocks, mamba2Block{norm: r.vector(p+"norm.weight", c.Hidden), mixer: r.mamba2(p+"mixer.", s)})
	}
	if err := r.done(hash); err != nil {
		return nil, err
	}
	m.shape.State = c.Layers * m.blocks[0].mixer.size()
	return m, nil
}

// Notes says in what the model is computed otherwise than its configuration may suggest.
func (m *Mamba2) Notes() []string { return m.notes }

// Forward computes one ragged batch, layer by layer.
func (m *Mamba2) Forward(ctx context.Context, batch []engine.Chunk) error {
	return m.forward(ctx, batch, func(step *engine.Step, l int, x []float32) error {
		w, h := &m.blocks[l], m.shape.Hidden
		for lo, hi := range step.Blocks() {
			res := x[lo*h : hi*h]
			w.mixer.add(m.backbone, step, res, m.normRows(res, w.norm), lo, hi, l*w.mixer.size())
		}
		return nil
	})
}

// mamba2Sizes is the sizes of a Mamba-2 mixer.
type mamba2Sizes struct {
	kernels.SSDShape
	hidden, width, normGroups int

	bias, convBias   bool    // of the projections in and out, and of the convolution
	eps, least, most float32 // of the gated norm; bounds of dt
}

// mamba2Mixer is the weights of one Mamba-2 mixer.
type mamba2Mixer struct {
	mamba2Sizes
	z, u, dt linear // the gate; x, B and C side by side; how fast the state fades
	conv     shortConv
	dtBias   []float32
	a, skip  []float32 // [Heads], a below 0
	norm     []float32
	out      linear
}

// mamba2 reads the mixer with that prefix.
func (r *reader) mamba2(p string, s mamba2Sizes) mamba2Mixer {
	w := mamba2Mixer{mamba2Sizes: s}
	inner := s.Heads * s.Dim
	in := r.bands(p+"in_proj", s.hidden, s.bias, inner, s.Width(), s.Heads)
	w.z, w.u, w.dt = in[0], in[1], in[2]
	w.conv = r.conv(p+"conv1d", s.Width(), s.width, s.convBias)
	w.dtBias = r.vector(p+"dt_bias", s.Heads)
	w.a = r.decay(p+"A_log", s.Heads, 1)
	w.skip = r.vector(p+"D", s.Heads)
	w.norm = r.vector(p+"norm.weight", inner)
	w.out = r.linear(p+"out_proj", s.hidden, inner, s.bias)
	return w
}

// size is how many numbers the mixer remembers: the last inputs of its convolution [width-1, Width], then h [Heads, State, Dim].
func (w *mamba2Mixer) size() int { return w.conv.size() + w.Heads*w.State*w.Dim }

// add adds the mixer of normed rows [lo, hi) of a step to res. Its part of a session's state begins at. The recurrence is computed token
// by token, which is as fast here as in chunks, and gives the same bits however a text is fed.
func (w *mamba2Mixer) add(m *backbone, step *engine.Step, res []float32, normed *kernels.Rows, lo, hi, at int) {
	rows, n, width := hi-lo, w.Heads*w.Dim, w.Width()
	z, u, x := m.buf[0].Floats(rows*n), m.buf[1].Floats(rows*width), m.buf[2].Floats(rows*width)
	dt, y := m.buf[3].Floats(rows*w.Heads), m.buf[4].Floats(rows*n)
	w.z.apply(m.pool, z, normed)
	w.u.apply(m.pool, u, normed)
	w.dt.apply(m.pool, dt, normed)
	softplus(m.pool, dt, w.dtBias, w.least, w.most)
	step.States(lo, hi, func(state []float32, a, b int) {
		w.conv.run(m.pool, x[a*width:b*width], state[at:], u[a*width:b*width])
		h := state[at+w.conv.size() : at+w.size()]
		kernels.SSDScan(m.pool, y[a*n:b*n], h, x[a*width:b*width], dt[a*w.Heads:b*w.Heads], w.a, w.skip, w.SSDShape, b-a)
	})
	kernels.Split(m.pool, rows, n, func(a, b int) {
		kernels.GatedRMSNorm(z[a*n:b*n], y[a*n:b*n], w.norm, w.eps, b-a, n, n/w.normGroups)
	})
	m.rows[0].Set(m.pool, m.precision, z, rows, n)
	w.out.add(m.pool, res, &m.rows[0])
}
