package models

import (
	"context"
	"fmt"

	"scbench/kernels"
	"scbench/stages/engine"
)

// Llama is the decoder of Llama 1 to 3.2: RMSNorm before each part, grouped-query attention with RoPE, SwiGLU.
type Llama struct {
	shape     engine.Shape
	pool      *kernels.Pool
	precision kernels.Precision
	rope      Rope
	eps       float32
	embed     *kernels.Matrix
	blocks    []llamaBlock
	norm      []float32
	head      *kernels.Weight
	close     func()
	buf       llamaScratch
}

// llamaBlock is the weights of one layer.
type llamaBlock struct {
	attnNorm, mlpNorm []float32
	q, k, v, o        linear
	gate, up, down    linear
}

// llamaScratch is memory that passes reuse. All but x and the tables is of one block of rows.
type llamaScratch struct {
	x, cos, sin           kernels.Buffer
	k, v, q, att          kernels.Buffer
	gate, up              kernels.Buffer
	normed, heads, active kernels.Rows
}

// NewLlama reads the weights of a LlamaForCausalLM and prepares them for products of the precision chosen. The weights must stay
// open as long as the model is used. Close gives back what was prepared.
func NewLlama(c Config, w *Weights, pool *kernels.Pool, choice Choice) (*Llama, error) {
	if err := c.Require("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "rms_norm_eps", "max_position_embeddings"); err != nil {
		return nil, err
	}
	if unknown := c.Unknown(); len(unknown) > 0 {
		return nil, fmt.Errorf("%s: fields %q may change what the model computes and are not understood; if they do not, remove them", c.Name, unknown)
	}
	if c.HiddenAct != "silu" {
		return nil, fmt.Errorf("%s: hidden_act is %q; a Llama has silu", c.Name, c.HiddenAct)
	}
	rope, err := NewRope(c)
	if err != nil {
		return nil, err
	}
	precision := choice.of(c)
	m := &Llama{
		pool: pool, precision: precision, rope: rope, eps: float32(c.RMSNormEps),
		shape: engine.Shape{
			Layers: c.Layers, Heads: c.Heads, KVHeads: c.KVHeads, Dim: c.HeadDim,
			Hidden: c.Hidden, Vocab: c.Vocab, MaxTokens: c.MaxPositions, LengthDependent: rope.LengthDependent(), Rotate: rope.Turn,
		},
	}
	m.shape.TokenBytes = tokenBytes(m.shape, precision)
	packs, hash, err := choice.packsFor(w, precision, pool)
	if err != nil {
		return nil, err
	}
	r := &reader{w: w, pool: pool, precision: precision, packs: packs}
	m.embed = r.matrix("model.embed_tokens.weight", c.Vocab, c.Hidden)
	m.norm = r.vector("model.norm.weight", c.Hidden)
	head := m.embed
	if !c.TieEmbeddings {
		head = r.matrix("lm_head.weight", c.Vocab, c.Hidden)
	}
	m.head = r.pack("lm_head.weight", head)
	r.ignore("lm_head.weight") // some checkpoints carry it although the embeddings are tied
	for i := range c.Layers {
		r.ignore(fmt.Sprintf("model.layers.%d.self_attn.rotary_emb.inv_freq", i)) // old ones carry what the configuration says
		m.blocks = append(m.blocks, readLlamaBlock(r, fmt.Sprintf("model.layers.%d.", i), c))
	}
	if r.err != nil {
		r.close()
		return nil, r.err
	}
	packs.save(hash, r.packed)
	m.close = r.close
	return m, nil
}

func readLlamaBlock(r *reader, p string, c Config) llamaBlock {
	qw, kw := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	return llamaBlock{
		attnNorm: r.vector(p+"input_layernorm.weight", c.Hidden),
		mlpNorm:  r.vector(p+"post_attention_layernorm.weight", c.Hidden),
		q:        r.linear(p+"self_attn.q_proj", qw, c.Hidden, c.AttentionBias),
		k:        r.linear(p+"self_attn.k_proj", kw, c.Hidden, c.AttentionBias),
		v:        r.linear(p+"self_attn.v_proj", kw, c.Hidden, c.AttentionBias),
		o:        r.linear(p+"self_attn.o_proj", c.Hidden, qw, c.AttentionBias),
		gate:     r.linear(p+"mlp.gate_proj", c.Intermediate, c.Hidden, c.MLPBias),
		up:       r.linear(p+"mlp.up_proj", c.Intermediate, c.Hidden, c.MLPBias),
		down:     r.linear(p+"mlp.down_proj", c.Hidden, c.Intermediate, c.MLPBias),
	}
}

// Notes says in what the model is computed otherwise than its configuration may suggest; usually nothing.
func (m *Llama) Notes() []string { return m.rope.Notes() }

// Close gives the packed weights and the memory of passes back.
func (m *Llama) Close() {
	b := &m.buf
	for _, x := range []*kernels.Buffer{&b.x, &b.cos, &b.sin, &b.k, &b.v, &b.q, &b.att, &b.gate, &b.up} {
		x.Close()
	}
	m.close()
}

// Shape returns the model's sizes.
func (m *Llama) Shape() engine.Shape { return m.shape }

// Forward computes one ragged batch, layer by layer in two passes: first the keys and values of all rows, then queries,
// attention and MLP block by block.
func (m *Llama) Forward(ctx context.Context, batch []engine.Chunk) error {
	step, err := engine.Begin(ctx, m.shape, m.pool, batch)
	if err != nil {
		return err
	}
	b, s, n := &m.buf, m.shape, step.Rows
	x := b.x.Floats(n * s.Hidden)
	row := 0
	for _, c := range batch {
		for _, t := range c.Tokens {
			m.embed.Row(x[row*s.Hidden:(row+1)*s.Hidden], int(t))
			row++
		}
	}
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

// layer adds layer l to the residual stream x [Rows, Hidden].
func (m *Llama) layer(step *engine.Step, l int, x, cos, sin []float32) error {
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
		rotate(m.pool, k, cos[lo*half:hi*half], sin[lo*half:hi*half], rows, s.KVHeads*s.Dim, s.Dim)
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
		res := x[lo*s.Hidden : hi*s.Hidden]
		q, att := b.q.Floats(rows*s.Heads*s.Dim), b.att.Floats(rows*s.Heads*s.Dim)
		m.queries(q, w, normed(lo, hi), cos[lo*half:hi*half], sin[lo*half:hi*half], rows)
		step.Attend(l, att, q, lo, hi)
		b.heads.Set(m.pool, m.precision, att, rows, s.Heads*s.Dim)
		w.o.add(m.pool, res, &b.heads)

		ready = -1
		b.normed.SetRMSNorm(m.pool, m.precision, res, w.mlpNorm, m.eps, rows, s.Hidden)
		gate, up := b.gate.Floats(rows*w.gate.rows()), b.up.Floats(rows*w.up.rows())
		w.gate.apply(m.pool, gate, &b.normed)
		w.up.apply(m.pool, up, &b.normed)
		b.active.SetSiLUMul(m.pool, m.precision, gate, up, rows, w.gate.rows())
		w.down.add(m.pool, res, &b.active)
	}
	return nil
}

// queries writes the queries of normed rows, after RoPE.
func (m *Llama) queries(q []float32, w *llamaBlock, normed *kernels.Rows, cos, sin []float32, rows int) {
	w.q.apply(m.pool, q, normed)
	rotate(m.pool, q, cos, sin, rows, m.shape.Heads*m.shape.Dim, m.shape.Dim)
}

// logits writes the logits that the chunks ask for.
func (m *Llama) logits(step *engine.Step, x []float32) {
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
		}
	})
}

// tables fills the cosines and sines of all rows, [Rows, rotated dims / 2].
func (m *Llama) tables(step *engine.Step) (cos, sin []float32) {
	half := m.rope.Dim() / 2
	cos, sin = m.buf.cos.Floats(step.Rows*half), m.buf.sin.Floats(step.Rows*half)
	step.Each(func(_ *engine.Chunk, lo, hi, length int) {
		m.rope.Tables(cos[lo*half:hi*half], sin[lo*half:hi*half], step.Pos[lo:hi], length)
	})
	return cos, sin
}
