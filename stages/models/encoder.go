package models

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/mapped"
)

// Classifier is an encoder that labels tokens, BertForTokenClassification or XLMRobertaForTokenClassification: attention in both
// directions, learned positions, a LayerNorm after each part, GELU, and a linear head. Its methods may be called from several
// goroutines, Close not while one computes.
//
// Same as the reference (transformers 4.52), without padding: a text is computed by itself.
type Classifier struct {
	weights                      *Weights
	pool                         *kernels.Pool
	precision                    kernels.Precision
	vocab, hidden, heads, labels int
	pad                          int32 // XLM-R counts positions from here, and does not count this token; BERT: -1
	maxTokens                    int
	eps                          float32
	words, positions, types      *kernels.Matrix
	norm                         layerNorm
	blocks                       []encoderBlock
	head                         linear
	tally                        *tally // look only
	close                        func()
}

// encoderBlock is the weights of one layer.
type encoderBlock struct {
	q, k, v, o       linear
	up, down         linear
	attnNorm, upNorm layerNorm
}

// encoders are the architectures and how their tensors' names begin.
var encoders = []struct {
	architecture, prefix string
	padded               bool // positions begin after pad_token_id
}{
	{"BertForTokenClassification", "bert.", false},
	{"XLMRobertaForTokenClassification", "roberta.", true},
	{"RobertaForTokenClassification", "roberta.", true},
}

// OpenClassifier opens the checkpoint in the folder dir: config.json and safetensors. Products are computed in the given precision, all
// else in float32. Close it after use.
func OpenClassifier(dir string, pool *kernels.Pool, p kernels.Precision) (_ *Classifier, err error) {
	w, err := OpenWeights(dir)
	if err != nil {
		return nil, err
	}
	m := &Classifier{weights: w, pool: pool, precision: p, pad: -1, close: func() {}}
	defer func() {
		if err != nil {
			m.Close()
		}
	}()
	name := filepath.Join(dir, "config.json")
	b, err := mapped.Small(os.DirFS(dir), "config.json", maxConfig)
	if err != nil {
		return nil, fmt.Errorf("encoder %s: %w; a checkpoint folder has a config.json", dir, err)
	}
	c, err := ReadConfig(name, b)
	if err != nil {
		return nil, err
	}
	prefix, err := m.configure(c)
	if err != nil {
		return nil, err
	}
	if err := m.read(c, prefix); err != nil {
		return nil, err
	}
	if left := w.Unused(); len(left) > 0 {
		return nil, fmt.Errorf("encoder %s: tensor %s (and %d more) is not part of it: the checkpoint is of another architecture", dir, left[0], len(left)-1)
	}
	return m, nil
}

// isEncoder reports whether a configuration is one of an encoder.
func isEncoder(c Config) bool {
	for _, e := range encoders {
		if slices.Contains(c.Architectures, e.architecture) {
			return true
		}
	}
	return false
}

// surveyEncoder is survey for encoders.
func surveyEncoder(s *checkpoint) []error {
	m := &Classifier{weights: s.weights, pad: -1, tally: &tally{viewed: map[string]int64{}}}
	prefix, err := m.configure(s.config)
	if err != nil {
		return []error{err}
	}
	if err := m.read(s.config, prefix); err != nil && len(m.tally.faults) == 0 {
		return []error{err}
	}
	for _, name := range s.weights.Unused() {
		m.tally.fault(fmt.Errorf("weights of %s: tensor %q is not part of a %s", s.name, name, s.config.Architectures[0]))
	}
	return m.tally.faults
}

// configure takes the sizes from the configuration and refuses what would change the mathematics.
func (m *Classifier) configure(c Config) (prefix string, err error) {
	var names []string
	padded := false
	for _, e := range encoders {
		if slices.Contains(c.Architectures, e.architecture) {
			prefix, padded = e.prefix, e.padded
		}
		names = append(names, e.architecture)
	}
	if prefix == "" {
		return "", fmt.Errorf("%s: architecture %q is no encoder that labels tokens; supported are %q", c.Name, c.Architectures, names)
	}
	if err := c.Require("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "max_position_embeddings"); err != nil {
		return "", err
	}
	eps, positions, pad := 1e-12, "absolute", int32(1)
	_, err1 := c.Field("layer_norm_eps", &eps)
	_, err2 := c.Field("position_embedding_type", &positions)
	_, err3 := c.Field("pad_token_id", &pad)
	if err := errors.Join(err1, err2, err3); err != nil {
		return "", err
	}
	understood := []string{
		"layer_norm_eps", "position_embedding_type", "type_vocab_size", "output_past", "directionality",
		"pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type",
	}
	switch unknown := c.Unknown(understood...); {
	case len(unknown) > 0:
		return "", fmt.Errorf("%s: fields %q may change what the model computes and are not understood; if they do not, remove them", c.Name, unknown)
	case c.HiddenAct != "gelu" && c.HiddenAct != "":
		return "", fmt.Errorf("%s: hidden_act is %q, want gelu", c.Name, c.HiddenAct)
	case positions != "absolute":
		return "", fmt.Errorf("%s: position_embedding_type is %q, want absolute", c.Name, positions)
	case !(eps >= 0) || math.IsInf(eps, 0):
		return "", fmt.Errorf("%s: layer_norm_eps is %g, want a number of at least 0", c.Name, eps)
	case c.HeadDim*c.Heads != c.Hidden:
		return "", fmt.Errorf("%s: %d heads of %d are not hidden_size, %d", c.Name, c.Heads, c.HeadDim, c.Hidden)
	case padded && (pad < 0 || int(pad)+1 >= c.MaxPositions):
		return "", fmt.Errorf("%s: pad_token_id is %d, want less than max_position_embeddings, %d", c.Name, pad, c.MaxPositions)
	}
	m.vocab, m.hidden, m.heads, m.maxTokens, m.eps = c.Vocab, c.Hidden, c.Heads, c.MaxPositions, float32(eps)
	if padded {
		m.pad, m.maxTokens = pad, c.MaxPositions-int(pad)-1
	}
	return prefix, nil
}

// read prepares the weights.
func (m *Classifier) read(c Config, prefix string) error {
	types, labels := 2, 0
	if _, err := c.Field("type_vocab_size", &types); err != nil {
		return err
	}
	head, err := m.weights.Tensor("classifier.weight")
	if err != nil {
		return err
	}
	if len(head.Shape) == 2 {
		labels = head.Shape[0]
	}
	m.labels = labels
	r := &reader{w: m.weights, pool: m.pool, precision: m.precision, tally: m.tally}
	m.close = r.close
	at := prefix + "embeddings."
	m.words = r.matrix(at+"word_embeddings.weight", c.Vocab, c.Hidden)
	m.positions = r.matrix(at+"position_embeddings.weight", c.MaxPositions, c.Hidden)
	m.types = r.matrix(at+"token_type_embeddings.weight", types, c.Hidden)
	m.norm = r.layerNorm(at+"LayerNorm", c.Hidden)
	for _, name := range []string{at + "position_ids", prefix + "pooler.dense.weight", prefix + "pooler.dense.bias"} {
		r.ignore(name) // of no use here
	}
	for i := range r.each(c.Layers) {
		at := fmt.Sprintf("%sencoder.layer.%d.", prefix, i)
		m.blocks = append(m.blocks, encoderBlock{
			q:        r.linear(at+"attention.self.query", c.Hidden, c.Hidden, true),
			k:        r.linear(at+"attention.self.key", c.Hidden, c.Hidden, true),
			v:        r.linear(at+"attention.self.value", c.Hidden, c.Hidden, true),
			o:        r.linear(at+"attention.output.dense", c.Hidden, c.Hidden, true),
			attnNorm: r.layerNorm(at+"attention.output.LayerNorm", c.Hidden),
			up:       r.linear(at+"intermediate.dense", c.Intermediate, c.Hidden, true),
			down:     r.linear(at+"output.dense", c.Hidden, c.Intermediate, true),
			upNorm:   r.layerNorm(at+"output.LayerNorm", c.Hidden),
		})
	}
	m.head = r.linear("classifier", labels, c.Hidden, true)
	return r.err
}

// Labels is the number of labels.
func (m *Classifier) Labels() int { return m.labels }

// MaxTokens is the most tokens of one text.
func (m *Classifier) MaxTokens() int { return m.maxTokens }

// Vocab is the number of tokens that the encoder knows.
func (m *Classifier) Vocab() int { return m.vocab }

// Hash is the hash of the weights, see [Weights.Hash].
func (m *Classifier) Hash() (string, error) { return m.weights.Hash() }

// Close gives the weights back. A second Close does nothing.
func (m *Classifier) Close() error {
	m.close()
	m.close = func() {}
	return m.weights.Close()
}

// Classify returns the logits [len(ids), Labels] of the labels of each token. types are the tokens' types (segments), nil for all 0. A
// token of an id of Vocab or more, one added to the vocabulary after training, has an embedding of zero. The error is ctx's, or that
// there are no tokens or more than MaxTokens.
func (m *Classifier) Classify(ctx context.Context, ids, types []int32) ([]float32, error) {
	return m.forward(ctx, ids, types, func(int, []float32) {})
}

// forward is Classify that shows the rows before the first layer (0) and after layer i (i).
func (m *Classifier) forward(ctx context.Context, ids, types []int32, show func(layer int, x []float32)) ([]float32, error) {
	n := len(ids)
	if n == 0 || n > m.maxTokens {
		return nil, fmt.Errorf("encoder: a text of %d tokens, where it takes 1 to %d", n, m.maxTokens)
	}
	x := m.embed(ids, types)
	show(0, x)
	width := m.hidden
	q, k, v, att := make([]float32, n*width), make([]float32, n*width), make([]float32, n*width), make([]float32, n*width)
	inner := m.blocks[0].up.rows()
	up := make([]float32, n*inner)
	var rows kernels.Rows
	pages := newHeadPages(m.heads, width/m.heads, n)
	for i := range m.blocks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b := &m.blocks[i]
		rows.Set(m.pool, m.precision, x, n, width)
		b.q.apply(m.pool, q, &rows)
		b.k.apply(m.pool, k, &rows)
		b.v.apply(m.pool, v, &rows)
		pages.attend(m.pool, att, q, k, v)
		rows.Set(m.pool, m.precision, att, n, width)
		b.o.add(m.pool, x, &rows)
		b.attnNorm.apply(m.pool, x, m.eps)
		rows.Set(m.pool, m.precision, x, n, width)
		b.up.apply(m.pool, up, &rows)
		kernels.Split(m.pool, n, inner, func(lo, hi int) { gelu(up[lo*inner : hi*inner]) })
		rows.Set(m.pool, m.precision, up, n, inner)
		b.down.add(m.pool, x, &rows)
		b.upNorm.apply(m.pool, x, m.eps)
		show(i+1, x)
	}
	rows.Set(m.pool, m.precision, x, n, width)
	logits := make([]float32, n*m.labels)
	m.head.apply(m.pool, logits, &rows)
	return logits, nil
}

// embed returns the rows before the first layer.
func (m *Classifier) embed(ids, types []int32) []float32 {
	x, row := make([]float32, len(ids)*m.hidden), make([]float32, m.hidden)
	position := 0 // of BERT
	if m.pad >= 0 {
		position = int(m.pad) + 1
	}
	for i, id := range ids {
		out := x[i*m.hidden : (i+1)*m.hidden]
		if int(id) < m.vocab {
			m.words.Row(out, int(id))
		}
		at := position
		if id == m.pad {
			at = int(m.pad)
		} else {
			position++
		}
		kind := 0
		if types != nil {
			kind = int(types[i])
		}
		m.types.Row(row, kind)
		kernels.Add(out, row)
		m.positions.Row(row, at)
		kernels.Add(out, row)
	}
	m.norm.apply(m.pool, x, m.eps)
	return x
}

// headPages are keys and values of all heads in pages, as kernels.Attention reads them.
type headPages struct {
	heads, dim, rows int
	pages            [][]byte // of head h: [h*each, (h+1)*each)
	mask             []uint64 // of the last page, which need not be full
}

func newHeadPages(heads, dim, rows int) *headPages {
	p := &headPages{heads: heads, dim: dim, rows: rows, mask: make([]uint64, rows)}
	for range heads * p.each() {
		p.pages = append(p.pages, memory.DefaultAllocator.Allocate(kernels.PageBytes(kernels.PageF32, dim)))
	}
	for i := range p.mask {
		p.mask[i] = ^uint64(0) >> (uint(-rows) % kernels.PageTokens)
	}
	return p
}

// each is the number of pages of one head.
func (p *headPages) each() int { return (p.rows + kernels.PageTokens - 1) / kernels.PageTokens }

// attend computes attention of all rows to all rows: out, q, k and v are [rows, heads, dim].
func (p *headPages) attend(pool *kernels.Pool, out, q, k, v []float32) {
	d, width := p.dim, p.heads*p.dim
	pool.Run(p.heads, func(h int) {
		pages := p.pages[h*p.each() : (h+1)*p.each()]
		own := make([]float32, p.rows*d) // the head's queries, and then its results
		for r := range p.rows {
			at := r*width + h*d
			copy(own[r*d:], q[at:at+d])
			kernels.StoreSlot(kernels.PageF32, pages[r/kernels.PageTokens], r%kernels.PageTokens, k[at:at+d], v[at:at+d], d)
		}
		views := make([]kernels.PageView, len(pages))
		for i := range views {
			views[i].Data = pages[i]
		}
		views[len(views)-1].Mask = p.mask
		var a kernels.Attention
		a.Start(kernels.PageF32, own, float32(1/math.Sqrt(float64(d))), p.rows, d)
		a.Pages(views)
		a.Finish(own)
		for r := range p.rows {
			copy(out[r*width+h*d:], own[r*d:(r+1)*d])
		}
	})
}
