package models

import (
	"fmt"

	"scbench/kernels"
	"scbench/stages/engine"
)

// Decoder is a transformer that predicts the next token: layers of attention and a gated MLP around a residual stream, RMSNorm before each,
// RoPE in attention. What the architectures add to that, their files say in a design.
type Decoder struct {
	design
	shape     engine.Shape
	pool      *kernels.Pool
	precision kernels.Precision
	rope      Rope
	eps       float32
	embed     *kernels.Matrix
	blocks    []block
	norm      []float32
	head      *kernels.Weight
	packed    []*kernels.Weight // all weights of products
	close     func()
	buf       scratch
}

// design is what makes an architecture: how its configuration and its tensors are read, and what it computes beside the plain decoder.
// Zero values are the plain decoder's.
type design struct {
	needs      []string // fields of config.json that it cannot do without, beside those that all need
	understood []string // fields of config.json that it has read by Field or that do not matter to it
	names      names
	ignored    []string // tensors that say what the configuration says
	attnBias   bool     // attention_bias is heeded
	mlpBias    bool     // mlp_bias is heeded
	block      func(r *reader, prefix string) block

	onePlus    bool    // norms multiply by 1 + weight
	pairs      bool    // RoPE turns neighbours, not halves
	gelu       bool    // the gate is GELU by tanh, not SiLU
	embedScale float32 // what embeddings are multiplied by
	queryScale float32 // what queries are multiplied by, on top of 1/√head_dim
	logitCap   float32 // soft bound of logits
	scoreCap   float32 // soft bound of attention scores
	sliding    []int   // see engine.Shape.Sliding
}

// names is what a checkpoint calls what is not in a layer, and the prefix of those that are.
type names struct{ embed, layer, norm, head string }

// hfNames is the names that Hugging Face's own decoders share.
var hfNames = names{"model.embed_tokens.weight", "model.layers.%d.", "model.norm.weight", "lm_head.weight"}

// block is the weights of one layer. Norms that an architecture lacks are nil.
type block struct {
	attnNorm, mlpNorm       []float32 // of what goes into attention and MLP
	attnOutNorm, mlpOutNorm []float32 // of what comes out, before it joins the residual stream
	queryNorm, keyNorm      []float32 // of each head, before RoPE
	q, k, v, o              linear
	gate, up, down          linear
}

// newDecoder reads the weights of a design and prepares them for products of the precision chosen. The weights must stay open as long as
// the model is used. Close gives back what was prepared.
func newDecoder(c Config, w *Weights, pool *kernels.Pool, choice Choice, d design) (engine.Model, error) {
	if err := d.check(c); err != nil {
		return nil, err
	}
	rope, err := NewRope(c)
	if err != nil {
		return nil, err
	}
	rope.pairs = d.pairs
	precision := choice.of(c)
	m := &Decoder{
		design: d, pool: pool, precision: precision, rope: rope, eps: float32(c.RMSNormEps),
		shape: engine.Shape{
			Layers: c.Layers, Heads: c.Heads, KVHeads: c.KVHeads, Dim: c.HeadDim,
			Hidden: c.Hidden, Vocab: c.Vocab, MaxTokens: c.MaxPositions, LengthDependent: rope.LengthDependent(), Rotate: rope.Turn,
			Sliding: d.sliding, Softcap: d.scoreCap,
		},
	}
	m.shape.TokenBytes = tokenBytes(m.shape, precision)
	packs, hash, err := choice.packsFor(w, precision, pool)
	if err != nil {
		return nil, err
	}
	r := &reader{w: w, pool: pool, precision: precision, packs: packs, onePlus: d.onePlus, tally: choice.tally}
	m.read(r, c)
	if r.err != nil {
		r.close()
		return nil, r.err
	}
	packs.save(hash, r.packed)
	m.packed, m.close = r.packed, r.close
	return m, nil
}

// check refuses configurations that ask for what the design does not compute.
func (d *design) check(c Config) error {
	if err := c.Require(append(d.needs, "hidden_size", "num_attention_heads")...); err != nil {
		return err
	}
	for _, x := range []struct {
		key   string
		value int
	}{{"num_hidden_layers", c.Layers}, {"intermediate_size", c.Intermediate}, {"vocab_size", c.Vocab}, {"max_position_embeddings", c.MaxPositions}} {
		if x.value == 0 {
			return fmt.Errorf("%s: %q missing; a %s needs it", c.Name, x.key, c.ModelType)
		}
	}
	if unknown := c.Unknown(d.understood...); len(unknown) > 0 {
		return fmt.Errorf("%s: fields %q may change what the model computes and are not understood; if they do not, remove them", c.Name, unknown)
	}
	act := "silu"
	if d.gelu {
		act = "gelu_pytorch_tanh"
	}
	switch {
	case c.HiddenAct != act:
		return fmt.Errorf("%s: hidden_act is %q; a %s has %s", c.Name, c.HiddenAct, c.ModelType, act)
	case c.AttentionBias && !d.attnBias:
		return fmt.Errorf("%s: attention_bias is true; a %s heeds no such field", c.Name, c.ModelType)
	case c.MLPBias && !d.mlpBias:
		return fmt.Errorf("%s: mlp_bias is true; a %s heeds no such field", c.Name, c.ModelType)
	}
	return nil
}

// read fills in the weights.
func (m *Decoder) read(r *reader, c Config) {
	m.embed = r.matrix(m.names.embed, c.Vocab, c.Hidden)
	m.norm = r.norm(m.names.norm, c.Hidden)
	m.head = r.head(c, m.names.head, m.names.embed, m.embed)
	for _, name := range m.ignored {
		r.ignore(name)
	}
	for i := range r.each(c.Layers) {
		p := fmt.Sprintf(m.names.layer, i)
		r.ignore(p + "self_attn.rotary_emb.inv_freq") // old ones carry what the configuration says
		m.blocks = append(m.blocks, m.block(r, p))
	}
}

// Notes says in what the model is computed otherwise than its configuration may suggest; usually nothing.
func (m *Decoder) Notes() []string { return m.rope.Notes() }

// Shape returns the model's sizes.
func (m *Decoder) Shape() engine.Shape { return m.shape }

func (m *Decoder) products() []*kernels.Weight { return m.packed }

// Close gives the packed weights and the memory of passes back.
func (m *Decoder) Close() {
	b := &m.buf
	for _, x := range []*kernels.Buffer{&b.x, &b.cos, &b.sin, &b.k, &b.v, &b.q, &b.att, &b.gate, &b.up, &b.sub} {
		x.Close()
	}
	m.close()
}
