package models

import (
	"context"
	"errors"
	"fmt"
	"math"

	"scbench/kernels"
	"scbench/stages/engine"
)

// backbone is what models with recurrent layers have in common: embeddings, the final norm and the output layer around their layers,
// and memory that passes reuse.
type backbone struct {
	shape     engine.Shape
	pool      *kernels.Pool
	precision kernels.Precision
	eps       float32
	layers    int
	embed     *kernels.Matrix
	norm      []float32
	head      *kernels.Weight
	reader    *reader // has all weights of products

	stream kernels.Buffer // the residual stream of all rows
	normed kernels.Rows
	buf    [8]kernels.Buffer // of one block of rows, for the layers
	rows   [2]kernels.Rows
}

// newBackbone begins to read a model whose tensors around the layers have the names given.
func newBackbone(c Config, w *Weights, pool *kernels.Pool, choice Choice, eps float64, embed, norm string) (*backbone, *reader, string, error) {
	precision := choice.of(c)
	packs, hash, err := choice.packsFor(w, precision, pool)
	if err != nil {
		return nil, nil, "", err
	}
	r := &reader{w: w, pool: pool, precision: precision, packs: packs, tally: choice.tally}
	m := &backbone{pool: pool, precision: precision, eps: float32(eps), layers: c.Layers, reader: r}
	m.shape = engine.Shape{Hidden: c.Hidden, Vocab: c.Vocab, MaxTokens: math.MaxInt32}
	m.embed = r.matrix(embed, c.Vocab, c.Hidden)
	m.norm = r.vector(norm, c.Hidden)
	m.head = r.head(c, "lm_head.weight", embed, m.embed)
	return m, r, hash, nil
}

// done ends the reading.
func (r *reader) done(hash string) error {
	if r.err != nil {
		r.close()
		return r.err
	}
	r.packs.save(hash, r.packed)
	return nil
}

// Shape returns the model's sizes.
func (m *backbone) Shape() engine.Shape { return m.shape }

// Close gives the packed weights and the memory of passes back.
func (m *backbone) Close() {
	m.stream.Close()
	for i := range m.buf {
		m.buf[i].Close()
	}
	m.reader.close()
}

func (m *backbone) products() []*kernels.Weight { return m.reader.packed }

// forward computes one ragged batch; layer adds layer l to the residual stream x [Rows, Hidden].
func (m *backbone) forward(ctx context.Context, batch []engine.Chunk, layer func(step *engine.Step, l int, x []float32) error) error {
	step, err := engine.Begin(ctx, m.shape, m.pool, batch)
	if err != nil {
		return err
	}
	h := m.shape.Hidden
	x := m.stream.Floats(step.Rows * h)
	row := 0
	for _, c := range batch {
		for _, t := range c.Tokens {
			m.embed.Row(x[row*h:(row+1)*h], int(t))
			row++
		}
	}
	observe(step, 0, x, h)
	for l := range m.layers {
		if err := errors.Join(ctx.Err(), layer(step, l, x)); err != nil {
			return err
		}
		observe(step, l+1, x, h)
	}
	m.logits(step, x)
	return step.End()
}

// logits writes the logits that the chunks ask for.
func (m *backbone) logits(step *engine.Step, x []float32) {
	s := m.shape
	step.Each(func(c *engine.Chunk, lo, hi, _ int) {
		if c.Hidden != nil {
			out := make([]float32, (hi-lo)*s.Hidden)
			kernels.RMSNorm(out, x[lo*s.Hidden:hi*s.Hidden], m.norm, m.eps, hi-lo, s.Hidden)
			c.Hidden(m.layers+1, out)
		}
		if rows := len(c.Logits) / s.Vocab; rows > 0 {
			m.normed.SetRMSNorm(m.pool, m.precision, x[(hi-rows)*s.Hidden:hi*s.Hidden], m.norm, m.eps, rows, s.Hidden)
			kernels.Product(m.pool, c.Logits, &m.normed, m.head, kernels.Epilogue{})
		}
	})
}

// normRows makes m.normed the rows of a block of the residual stream, normalised.
func (m *backbone) normRows(res, weight []float32) *kernels.Rows {
	m.normed.SetRMSNorm(m.pool, m.precision, res, weight, m.eps, len(res)/m.shape.Hidden, m.shape.Hidden)
	return &m.normed
}

// shortConv is the causal convolution before a mixer's recurrence, each channel on its own.
type shortConv struct {
	weight, bias    []float32 // [width, channels] and [channels]
	channels, width int
}

// size is the number of inputs that it remembers, which come first in a mixer's state.
func (c *shortConv) size() int { return (c.width - 1) * c.channels }

// run writes SiLU of the convolution of x [rows, channels] to out, and moves the state of its session on.
func (c *shortConv) run(p *kernels.Pool, out, state, x []float32) {
	kernels.CausalConvSiLU(p, out, state[:c.size()], x, c.weight, c.bias, len(x)/c.channels, c.channels, c.channels, c.width)
}

// conv reads prefix.weight [channels, 1, width] and, if bias, prefix.bias.
func (r *reader) conv(prefix string, channels, width int, bias bool) shortConv {
	c := shortConv{channels: channels, width: width}
	if r.tally != nil {
		_, _, err := r.w.typed(prefix+".weight", channels, 1, width)
		r.keep(err)
		if r.tally.values += 4 * int64(channels) * int64(width+1); bias {
			r.vector(prefix+".bias", channels)
		}
		return c
	}
	w, err := r.w.values(prefix+".weight", channels, 1, width)
	if r.keep(err); r.err != nil {
		return c
	}
	c.bias = make([]float32, channels)
	c.weight = transposed(w, channels, width)
	if bias {
		c.bias = r.vector(prefix+".bias", channels)
	}
	return c
}

// decay reads A = -e^A_log, stored as [rows] or [rows, cols], as [cols, rows].
func (r *reader) decay(name string, rows, cols int) []float32 {
	var log []float32
	if cols == 1 {
		log = r.vector(name, rows)
	} else if m := r.matrix(name, rows, cols); r.err == nil && r.tally == nil {
		log = make([]float32, rows*cols)
		for i := range rows {
			m.Row(log[i*cols:(i+1)*cols], i)
		}
	}
	for i, x := range log {
		log[i] = float32(-math.Exp(float64(x)))
	}
	if r.err != nil || r.tally != nil {
		return nil
	}
	return transposed(log, rows, cols)
}

// transposed returns x [rows, cols] as [cols, rows].
func transposed(x []float32, rows, cols int) []float32 {
	out := make([]float32, len(x))
	for i := range rows {
		for j := range cols {
			out[j*rows+i] = x[i*cols+j]
		}
	}
	return out
}

// bands reads prefix.weight [Σ sizes, cols] and, if bias, prefix.bias as matrices whose rows follow each other.
func (r *reader) bands(prefix string, cols int, bias bool, sizes ...int) []linear {
	all, lo := 0, 0
	for _, n := range sizes {
		all += n
	}
	var out []linear
	for _, n := range sizes {
		out = append(out, r.rows(prefix, lo, lo+n, all, cols, bias))
		lo += n
	}
	return out
}

// softplus replaces x, rows of len(bias) numbers, by softplus(x + bias), held between the limits.
func softplus(p *kernels.Pool, x, bias []float32, least, most float32) {
	n := len(bias)
	kernels.Split(p, len(x)/n, n, func(lo, hi int) {
		part := x[lo*n : hi*n]
		kernels.Softplus(part, bias, hi-lo)
		if least > 0 || most < math.MaxFloat32 {
			for i, v := range part {
				part[i] = min(max(v, least), most)
			}
		}
	})
}

// maxPart bounds the sizes of a mixer that config.json states, so that products of two of them are numbers.
const maxPart = 1 << 24

// part is a size of a mixer by its name in config.json.
type part struct {
	key string
	dst *int
}

// parts reads sizes of a mixer, and refuses fields that nobody understands, and flags of these models that are not what is computed.
func (c Config) parts(list []part, understood ...string) error {
	for _, p := range list {
		c.fields.size(p.key, p.dst, maxPart)
	}
	for _, f := range flags {
		value := f.want
		if c.fields.flag(f.key, &value); value != f.want {
			c.fields.wrong(f.key, fmt.Sprint(f.want))
		}
	}
	if err := errors.Join(c.fields.errs...); err != nil {
		return err
	}
	if unknown := c.Unknown(understood...); len(unknown) > 0 {
		return fmt.Errorf("%s: fields %q may change what the model computes and are not understood; if they do not, remove them", c.Name, unknown)
	}
	if c.HiddenAct != "silu" && c.HiddenAct != "" {
		return fmt.Errorf("%s: hidden_act is %q; a %s has silu", c.Name, c.HiddenAct, c.ModelType)
	}
	return nil
}

// flags are fields of recurrent models that must be as all of them have it.
var flags = []struct {
	key  string
	want bool
}{{"rms_norm", true}, {"mamba_inner_layernorms", true}}

// rank reads the width of the low-rank dt of a Mamba-1 mixer, by default a sixteenth of the model's, rounded up.
func (c Config) rank(key string) int {
	n := (c.Hidden + 15) / 16
	if raw, ok := c.fields.raw[key]; ok && string(raw) == `"auto"` {
		c.fields.read[key] = true
	} else {
		c.fields.size(key, &n, maxPart)
	}
	return n
}
