package models

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scbench/kernels"
)

// encoderShape is the size of an XLM-R with random weights.
type encoderShape struct{ layers, hidden, heads, inner, vocab, positions int }

// write makes a checkpoint of f32 in dir, and lets change edit its configuration.
func (s encoderShape) write(t testing.TB, dir string, change func(config map[string]any)) {
	t.Helper()
	config := map[string]any{
		"architectures": []string{"XLMRobertaForTokenClassification"}, "model_type": "xlm-roberta", "hidden_act": "gelu", "layer_norm_eps": 1e-5,
		"num_hidden_layers": s.layers, "hidden_size": s.hidden, "num_attention_heads": s.heads, "intermediate_size": s.inner,
		"vocab_size": s.vocab, "max_position_embeddings": s.positions, "type_vocab_size": 1, "pad_token_id": 1,
	}
	if change != nil {
		change(config)
	}
	raw, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	shapes := map[string][]int{}
	add := func(name string, shape ...int) { names, shapes[name] = append(names, name), shape }
	linear := func(name string, rows, cols int) {
		add(name+".weight", rows, cols)
		add(name+".bias", rows)
	}
	norm := func(name string) {
		add(name+".weight", s.hidden)
		add(name+".bias", s.hidden)
	}
	add("roberta.embeddings.word_embeddings.weight", s.vocab, s.hidden)
	add("roberta.embeddings.position_embeddings.weight", s.positions, s.hidden)
	add("roberta.embeddings.token_type_embeddings.weight", 1, s.hidden)
	norm("roberta.embeddings.LayerNorm")
	for i := range s.layers {
		at := fmt.Sprintf("roberta.encoder.layer.%d.", i)
		for _, x := range []string{"self.query", "self.key", "self.value", "output.dense"} {
			linear(at+"attention."+x, s.hidden, s.hidden)
		}
		norm(at + "attention.output.LayerNorm")
		linear(at+"intermediate.dense", s.inner, s.hidden)
		linear(at+"output.dense", s.hidden, s.inner)
		norm(at + "output.LayerNorm")
	}
	linear("classifier", 2, s.hidden)
	header, body := map[string]any{}, []byte(nil)
	r := rand.New(rand.NewPCG(11, 12))
	for _, name := range names {
		from := len(body)
		shape := shapes[name]
		for range elements(shape) {
			body = binary.LittleEndian.AppendUint32(body, math.Float32bits(float32(r.NormFloat64())/float32(math.Sqrt(float64(shape[len(shape)-1])))))
		}
		header[name] = map[string]any{"dtype": "F32", "shape": shape, "data_offsets": []int{from, len(body)}}
	}
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...)
	err = errors.Join(os.WriteFile(filepath.Join(dir, "config.json"), raw, 0o600), os.WriteFile(filepath.Join(dir, "model.safetensors"), append(file, body...), 0o600))
	if err != nil {
		t.Fatal(err)
	}
}

var tinyEncoder = encoderShape{layers: 2, hidden: 32, heads: 4, inner: 48, vocab: 50, positions: 80}

func TestClassifier(t *testing.T) {
	dir := t.TempDir()
	tinyEncoder.write(t, dir, nil)
	m := openEncoder(t, dir, 2, kernels.PrecisionF32)
	if m.MaxTokens() != 78 || m.Labels() != 2 || m.Vocab() != 50 {
		t.Fatalf("%d tokens, %d labels, a vocabulary of %d", m.MaxTokens(), m.Labels(), m.Vocab())
	}
	ctx := context.Background()
	ids := make([]int32, 78)
	for i := range ids {
		ids[i] = int32(2 + i%48)
	}
	all, err := m.Classify(ctx, ids, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Tokens that were added after training are alike, and like nothing else.
	ids[70] = 50
	added, err := m.Classify(ctx, ids, nil)
	if err != nil {
		t.Fatal(err)
	}
	ids[70] = 149
	other, err := m.Classify(ctx, ids, nil)
	if err != nil || !slices.Equal(added, other) || slices.Equal(added, all) {
		t.Errorf("added tokens: %v; alike: %v, like another: %v", err, slices.Equal(added, other), slices.Equal(added, all))
	}
	if added[0] == all[0] {
		t.Error("the first token does not see the seventy-first")
	}
	for _, n := range []int{0, 79} {
		if _, err := m.Classify(ctx, make([]int32, n), nil); err == nil || !strings.Contains(err.Error(), "1 to 78") {
			t.Errorf("%d tokens: %v", n, err)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := m.Classify(cancelled, ids, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestOpenClassifierErrors(t *testing.T) {
	for name, c := range map[string]struct {
		change func(config map[string]any)
		want   string
	}{
		"decoder":         {func(c map[string]any) { c["architectures"] = []string{"LlamaForCausalLM"} }, "BertForTokenClassification"},
		"prefix":          {func(c map[string]any) { c["architectures"] = []string{"BertForTokenClassification"} }, "bert.embeddings.word_embeddings.weight"},
		"activation":      {func(c map[string]any) { c["hidden_act"] = "gelu_new" }, "hidden_act"},
		"positions":       {func(c map[string]any) { c["position_embedding_type"] = "relative_key" }, "position_embedding_type"},
		"eps":             {func(c map[string]any) { c["layer_norm_eps"] = -1 }, "layer_norm_eps"},
		"eps is a string": {func(c map[string]any) { c["layer_norm_eps"] = "x" }, "layer_norm_eps"},
		"unknown":         {func(c map[string]any) { c["is_decoder"] = true }, "is_decoder"},
		"heads":           {func(c map[string]any) { c["head_dim"] = 4 }, "hidden_size"},
		"pad":             {func(c map[string]any) { c["pad_token_id"] = 79 }, "pad_token_id"},
		"inner":           {func(c map[string]any) { c["intermediate_size"] = 40 }, "intermediate.dense.weight"},
		"types":           {func(c map[string]any) { c["type_vocab_size"] = 2 }, "token_type_embeddings"},
		"layers too few":  {func(c map[string]any) { c["num_hidden_layers"] = 1 }, "encoder.layer.1"},
		"layers too many": {func(c map[string]any) { c["num_hidden_layers"] = 3 }, "encoder.layer.2"},
		"missing":         {func(c map[string]any) { delete(c, "vocab_size") }, "vocab_size"},
	} {
		dir := t.TempDir()
		tinyEncoder.write(t, dir, c.change)
		if m, err := OpenClassifier(dir, nil, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v %v; want an error that says %q", name, m, err, c.want)
		}
	}
	dir := t.TempDir()
	if _, err := OpenClassifier(filepath.Join(dir, "none"), nil, 0); err == nil {
		t.Error("no error without a folder")
	}
	tinyEncoder.write(t, dir, nil)
	if err := os.Remove(filepath.Join(dir, "config.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenClassifier(dir, nil, 0); err == nil || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("without config.json: %v", err)
	}
}

func TestGELU(t *testing.T) {
	var worst, worstErf float64
	for x := float32(-12); x < 12; x += 1e-4 {
		y := []float32{x}
		gelu(y)
		want := float64(x) * 0.5 * (1 + math.Erf(float64(x)/math.Sqrt2))
		worst = max(worst, math.Abs(float64(y[0])-want)/max(1, math.Abs(want)))
		worstErf = max(worstErf, math.Abs(float64(erf(x))-math.Erf(float64(x))))
	}
	if worst > 1e-6 || worstErf > 5e-7 {
		t.Errorf("largest differences %g, of the error function %g", worst, worstErf)
	}
	if x := []float32{float32(math.NaN()), float32(math.Inf(1))}; true {
		gelu(x)
		if x[0] == x[0] || !math.IsInf(float64(x[1]), 1) {
			t.Errorf("NaN and infinity become %v", x)
		}
	}
}

func TestLayerNorm(t *testing.T) {
	l := layerNorm{weight: []float32{1, 2, 1, 1}, bias: []float32{0, 0, 3, 0}}
	x := []float32{1e6 + 1, 1e6 + 2, 1e6 + 3, 1e6 + 4, 5, 5, 5, 5}
	l.apply(nil, x, 0.75)
	sd := math.Sqrt(1.25 + 0.75)
	want := []float64{-1.5 / sd, -2 * 0.5 / sd, 3 + 0.5/sd, 1.5 / sd, 0, 0, 3, 0}
	for i := range x {
		if math.Abs(float64(x[i])-want[i]) > 1e-6 {
			t.Errorf("%v; want %v", x, want)
			break
		}
	}
}

// BenchmarkClassifier computes texts of 512 tokens with two layers of the shape of XLM-R-large, which has 24.
func BenchmarkClassifier(b *testing.B) {
	dir := b.TempDir()
	encoderShape{layers: 2, hidden: 1024, heads: 16, inner: 4096, vocab: 1000, positions: 514}.write(b, dir, nil)
	ids := make([]int32, 512)
	for i := range ids {
		ids[i] = int32(2 + i)
	}
	for _, p := range kernels.Precisions() {
		b.Run(p.String(), func(b *testing.B) {
			m := openEncoder(b, dir, 0, p)
			for b.Loop() {
				if _, err := m.Classify(context.Background(), ids, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*512*2/24/b.Elapsed().Seconds(), "tokens/s-at-24-layers")
		})
	}
}
