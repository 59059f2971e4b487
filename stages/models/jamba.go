package models

import (
	"context"
	"errors"
	"fmt"

	"scbench/kernels"
	"scbench/stages/engine"
)

// Jamba is the hybrid of AI21 (Lieber et al. 2024, arXiv:2403.19887): of some layers, usually eight, one is grouped-query attention without
// RoPE and the others are Mamba-1 mixers; after each follows an MLP, in every other layer one of several experts.
type Jamba struct {
	*backbone
	blocks []jambaBlock
}

// jambaBlock is the weights of one layer.
type jambaBlock struct {
	norm, mlpNorm []float32
	attention     *jambaAttention // or nil
	mixer         *mambaMixer     // or nil
	at            int             // which of the attention layers it is, or where the mixer's part of the state begins
	mlp           gatedMLP
	experts       *mixture // instead of mlp, or nil
}

// jambaAttention is the projections of an attention layer.
type jambaAttention struct{ q, k, v, o linear }

// jambaPlan is what config.json says about the layers.
type jambaPlan struct {
	mambaSizes
	attentionEvery, attentionAt, expertsEvery, expertsAt int
	experts, chosen                                      int
}

// NewJamba reads the weights of a JambaForCausalLM and prepares them for products of the precision chosen. The weights must stay open as
// long as the model is used. Close gives back what was prepared.
//
// Same as the reference (transformers 4.52.4): the weights of the experts chosen are their probabilities among all; dt is normalised
// before its projection, as B and C are.
func NewJamba(c Config, w *Weights, pool *kernels.Pool, choice Choice) (engine.Model, error) {
	p, err := newJambaPlan(c)
	if err != nil {
		return nil, err
	}
	b, r, hash, err := newBackbone(c, w, pool, choice, c.RMSNormEps, "model.embed_tokens.weight", "model.final_layernorm.weight")
	if err != nil {
		return nil, err
	}
	m := &Jamba{backbone: b}
	s := &m.shape
	s.Heads, s.KVHeads, s.Dim, s.MaxTokens = c.Heads, c.KVHeads, c.HeadDim, c.MaxPositions
	for i := range r.each(c.Layers) {
		w := r.jamba(fmt.Sprintf("model.layers.%d.", i), i, c, p)
		if w.attention != nil {
			w.at = s.Layers
			s.Layers++
		} else {
			w.at = s.State
			s.State += w.mixer.size()
		}
		m.blocks = append(m.blocks, w)
	}
	if err := r.done(hash); err != nil {
		return nil, err
	}
	s.TokenBytes = tokenBytes(*s, m.precision)
	return m, nil
}

// newJambaPlan reads what only Jamba has.
func newJambaPlan(c Config) (jambaPlan, error) {
	p := jambaPlan{mambaSizes: mambaSizes{hidden: c.Hidden, rank: c.rank("mamba_dt_rank"), convBias: true}}
	var expand int
	list := []part{
		{"attn_layer_period", &p.attentionEvery}, {"expert_layer_period", &p.expertsEvery}, {"num_experts", &p.experts}, {"num_experts_per_tok", &p.chosen},
		{"mamba_d_state", &p.states}, {"mamba_d_conv", &p.width}, {"mamba_expand", &expand},
	}
	needs := []string{"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "vocab_size", "rms_norm_eps", "max_position_embeddings", "attn_layer_offset", "expert_layer_offset"}
	for _, x := range list {
		needs = append(needs, x.key)
	}
	if err := c.Require(needs...); err != nil {
		return p, err
	}
	c.fields.flag("mamba_conv_bias", &p.convBias)
	c.fields.flag("mamba_proj_bias", &p.bias)
	_, err1 := c.Field("attn_layer_offset", &p.attentionAt)
	_, err2 := c.Field("expert_layer_offset", &p.expertsAt)
	if err := errors.Join(err1, err2, c.parts(list, "attn_layer_offset", "expert_layer_offset", "calc_logits_for_entire_prompt")); err != nil {
		return p, err
	}
	p.inner = expand * c.Hidden
	switch {
	case p.chosen > p.experts:
		return p, fmt.Errorf("%s: num_experts_per_tok is %d, more than num_experts, %d", c.Name, p.chosen, p.experts)
	case p.attentionAt < 0 || p.attentionAt >= p.attentionEvery || p.expertsAt < 0 || p.expertsAt >= p.expertsEvery:
		return p, fmt.Errorf("%s: attn_layer_offset is %d and expert_layer_offset is %d, want numbers below their periods, %d and %d", c.Name, p.attentionAt, p.expertsAt, p.attentionEvery, p.expertsEvery)
	case c.AttentionBias || c.MLPBias:
		return p, fmt.Errorf("%s: attention_bias or mlp_bias is true; a jamba heeds no such field", c.Name)
	}
	return p, nil
}

// jamba reads layer i.
func (r *reader) jamba(p string, i int, c Config, plan jambaPlan) jambaBlock {
	w := jambaBlock{norm: r.vector(p+"input_layernorm.weight", c.Hidden), mlpNorm: r.vector(p+"pre_ff_layernorm.weight", c.Hidden)}
	if i%plan.attentionEvery == plan.attentionAt {
		a := &jambaAttention{o: r.linear(p+"self_attn.o_proj", c.Hidden, c.Heads*c.HeadDim, false)}
		a.q, a.k, a.v = r.qkv(p+"self_attn.", c, false)
		w.attention = a
	} else {
		x := r.mamba(p+"mamba.", plan.mambaSizes)
		x.normEps = float32(c.RMSNormEps)
		x.lowNorm = r.vector(p+"mamba.dt_layernorm.weight", x.rank)
		x.bNorm = r.vector(p+"mamba.b_layernorm.weight", x.states)
		x.cNorm = r.vector(p+"mamba.c_layernorm.weight", x.states)
		w.mixer = &x
	}
	p += "feed_forward."
	if plan.experts == 1 || i%plan.expertsEvery != plan.expertsAt {
		w.mlp.gate, w.mlp.up, w.mlp.down = r.gated(p, c, false)
		return w
	}
	w.experts = &mixture{chosen: plan.chosen, router: r.linear(p+"router", plan.experts, c.Hidden, false)}
	for e := range r.each(plan.experts) {
		gate, up, down := r.gated(fmt.Sprintf("%sexperts.%d.", p, e), c, false)
		w.experts.add(gatedMLP{gate, up, down})
	}
	return w
}

// Forward computes one ragged batch, layer by layer.
func (m *Jamba) Forward(ctx context.Context, batch []engine.Chunk) error {
	return m.forward(ctx, batch, func(step *engine.Step, l int, x []float32) error {
		w, h := &m.blocks[l], m.shape.Hidden
		if w.attention != nil {
			if err := m.attend(step, w, x); err != nil {
				return err
			}
		}
		for lo, hi := range step.Blocks() {
			res := x[lo*h : hi*h]
			if w.mixer != nil {
				w.mixer.add(m.backbone, step, res, m.normRows(res, w.norm), lo, hi, w.at)
			}
			if w.experts != nil {
				w.experts.join(m.backbone, res, w.mlpNorm)
			} else {
				w.mlp.join(m.backbone, res, w.mlpNorm)
			}
		}
		return nil
	})
}

// idle is the number of weights of the experts that a token does not go to.
func (m *Jamba) idle() (n int64) {
	for _, w := range m.blocks {
		if x := w.experts; x != nil {
			n += int64(len(x.gate)-x.chosen) * 3 * int64(x.gate[0].Rows) * int64(x.gate[0].Cols)
		}
	}
	return n
}

// attend adds attention to the residual stream x [Rows, Hidden]. Positions play no part in it.
func (m *Jamba) attend(step *engine.Step, w *jambaBlock, x []float32) error {
	s, a := m.shape, w.attention
	for lo, hi := range step.Blocks() {
		rows := m.normRows(x[lo*s.Hidden:hi*s.Hidden], w.norm)
		k, v := m.buf[0].Floats((hi-lo)*s.KVHeads*s.Dim), m.buf[1].Floats((hi-lo)*s.KVHeads*s.Dim)
		a.k.apply(m.pool, k, rows)
		a.v.apply(m.pool, v, rows)
		if err := step.Append(w.at, k, v, lo, hi); err != nil {
			return err
		}
	}
	queries := func(q []float32, lo, hi int) []float32 {
		a.q.apply(m.pool, q, m.normRows(x[lo*s.Hidden:hi*s.Hidden], w.norm))
		return q
	}
	step.Plan(w.at, func(lo, hi int) []float32 { return queries(make([]float32, (hi-lo)*s.Heads*s.Dim), lo, hi) })
	for lo, hi := range step.Blocks() {
		n := (hi - lo) * s.Heads * s.Dim
		q, out := queries(m.buf[0].Floats(n), lo, hi), m.buf[1].Floats(n)
		step.Attend(w.at, out, q, lo, hi)
		m.rows[0].Set(m.pool, m.precision, out, hi-lo, s.Heads*s.Dim)
		a.o.add(m.pool, x[lo*s.Hidden:hi*s.Hidden], &m.rows[0])
	}
	return nil
}
