package models

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"scbench/kernels"
	"scbench/stages/gguf"
	"scbench/stages/gguf/gguftest"
)

// tinyLlama is a Llama of one layer, of which change may alter metadata and tensors before they are written.
type tinyLlama struct {
	keys    map[string]any
	order   []string
	tensors map[string]gguftensor
}

type gguftensor struct {
	kind  gguf.Type
	shape []int
	fill  float32
}

func newTinyLlama() *tinyLlama {
	m := &tinyLlama{keys: map[string]any{}, tensors: map[string]gguftensor{}}
	m.set("general.architecture", "llama")
	for _, x := range []struct {
		key   string
		value any
	}{
		{"block_count", 1}, {"embedding_length", 32}, {"feed_forward_length", 64}, {"attention.head_count", 2}, {"attention.head_count_kv", 1},
		{"context_length", 128}, {"attention.layer_norm_rms_epsilon", 1e-5}, {"rope.freq_base", 1e4}, {"rope.dimension_count", 16},
	} {
		m.set("llama."+x.key, x.value)
	}
	m.set("tokenizer.ggml.eos_token_id", 2)
	m.tensors = map[string]gguftensor{
		"token_embd.weight": {gguf.Q8_0, []int{8, 32}, 0.1}, "output_norm.weight": {gguf.F32, []int{32}, 1},
		"blk.0.attn_norm.weight": {gguf.F32, []int{32}, 1}, "blk.0.ffn_norm.weight": {gguf.F32, []int{32}, 1},
		"blk.0.attn_q.weight": {gguf.Q8_0, []int{32, 32}, 0.1}, "blk.0.attn_k.weight": {gguf.F16, []int{16, 32}, 0.1},
		"blk.0.attn_v.weight": {gguf.BF16, []int{16, 32}, 0.1}, "blk.0.attn_output.weight": {gguf.F32, []int{32, 32}, 0.1},
		"blk.0.ffn_gate.weight": {gguf.Q8_0, []int{64, 32}, 0.1}, "blk.0.ffn_up.weight": {gguf.Q8_0, []int{64, 32}, 0.1},
		"blk.0.ffn_down.weight": {gguf.Q8_0, []int{32, 64}, 0.1},
	}
	return m
}

func (m *tinyLlama) set(key string, v any) {
	if _, known := m.keys[key]; !known {
		m.order = append(m.order, key)
	}
	m.keys[key] = v
}

func (m *tinyLlama) bytes() []byte {
	w := &gguftest.Writer{}
	for _, key := range m.order {
		if m.keys[key] != nil {
			w.Set(key, m.keys[key])
		}
	}
	var names []string
	for name := range m.tensors {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t := m.tensors[name]
		n := 1
		for _, d := range t.shape {
			n *= d
		}
		x := make([]float32, n)
		for i := range x {
			x[i] = t.fill * float32(1+i%7)
		}
		w.Add(name, t.kind, gguftest.Encode(t.kind, x), t.shape...)
	}
	return w.Bytes()
}

// load writes and loads the model.
func (m *tinyLlama) load(t *testing.T, pool *kernels.Pool) (*Loaded, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tiny.gguf")
	if err := os.WriteFile(path, m.bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return Load(path, pool, Choice{})
}

// TestGGUFRefused: what a file asks for and is not computed is refused by name.
func TestGGUFRefused(t *testing.T) {
	pool := kernels.NewPool(1)
	defer pool.Close()
	l, err := newTinyLlama().load(t, pool)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(l.Config.EosIDs, []int32{2}) || !l.Config.TieEmbeddings || l.Config.Vocab != 8 {
		t.Errorf("%+v", l.Config)
	}
	l.Close()
	set := func(key string, v any) func(*tinyLlama) { return func(m *tinyLlama) { m.set(key, v) } }
	add := func(name string, shape ...int) func(*tinyLlama) {
		return func(m *tinyLlama) { m.tensors[name] = gguftensor{gguf.F32, shape, 1} }
	}
	for _, c := range []struct {
		change func(*tinyLlama)
		want   string
	}{
		{set("general.architecture", nil), "general.architecture"},
		{set("general.architecture", "gpt-neox"), `architecture "gpt-neox" is not supported; supported are llama, qwen2`},
		{set("general.architecture", 3), "want a string"},
		{set("llama.logit_scale", float32(2)), `"llama.logit_scale"`},
		{set("llama.expert_count", 8), "llama.expert_count is 8"},
		{set("llama.block_count", 2), "blk.1"},
		{set("llama.block_count", nil), "num_hidden_layers"},
		{set("llama.block_count", "one"), `"llama.block_count" is a string`},
		{set("llama.embedding_length", 64), "shape [8 32]"},
		{set("llama.attention.head_count_kv", 3), "not a multiple of num_key_value_heads, 3"},
		{set("llama.attention.head_count_kv", []int32{1, 2}), "differs from layer to layer"},
		{set("llama.attention.value_length", 8), "value_length"},
		{set("llama.vocab_size", 9), "vocab_size is 9"},
		{set("llama.context_length", 0), "max_position_embeddings"},
		{set("llama.rope.scaling.type", "dynamic"), `"dynamic"`},
		{set("llama.rope.dimension_count", 7), "rotated dimensions"},
		{set("llama.attention.causal", false), "not a decoder"},
		{set("tokenizer.ggml.eos_token_id", 8), "eos_token_id"},
		{add("blk.0.attn_sinks.weight", 2), "unknown:blk.0.attn_sinks.weight"},
		{add("model.norm.weight", 32), "unknown:model.norm.weight"},
		{add("blk.1.attn_norm.weight", 32), "model.layers.1.input_layernorm.weight"},
		{add("rope_freqs.weight", 7), "rope_freqs.weight has 7 numbers"},
		{add("blk.0.attn_q.bias", 32), "self_attn.k_proj.bias"},
		{func(m *tinyLlama) { delete(m.tensors, "blk.0.ffn_up.weight") }, "mlp.up_proj.weight"},
		{func(m *tinyLlama) { m.tensors["blk.0.attn_q.weight"] = gguftensor{gguf.Q8_0, []int{30, 32}, 1} }, "shape [30 32]"},
		{func(m *tinyLlama) { m.tensors["blk.0.ffn_up.weight"] = gguftensor{gguf.Q8_0, []int{64, 32}, 60000} }, "which no weight is"},
	} {
		m := newTinyLlama()
		c.change(m)
		l, err := m.load(t, pool)
		if err == nil {
			l.Close()
		}
		want := strings.ReplaceAll(c.want, "blk.1", "model.layers.1")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "tiny.gguf") {
			t.Errorf("error %v, want one that names the file and says %q", err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "m.bin")
	if err := os.WriteFile(path, []byte("\x80\x02}q\x00."), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, pool, Choice{}); err == nil || !strings.Contains(err.Error(), "pickle") {
		t.Errorf("a pickle: %v", err)
	}
}

// TestGGUFEnds: tokens that end an answer are those that the metadata name and those known to, as files often name one of several.
func TestGGUFEnds(t *testing.T) {
	pool := kernels.NewPool(1)
	defer pool.Close()
	m := newTinyLlama()
	m.set("tokenizer.ggml.eot_token_id", 4)
	m.set("tokenizer.ggml.tokens", []string{"a", "<|im_end|>", "</s>", "b", "c", "<|eot_id|>", "d", "e"})
	m.set("tokenizer.ggml.token_type", []int32{1, 1, 3, 1, 3, 3, 1, 1})
	l, err := m.load(t, pool)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if !slices.Equal(l.Config.EosIDs, []int32{2, 4, 5}) {
		t.Error(l.Config.EosIDs)
	}
}

// TestGGUFDivisors: divisors of no known formula are taken as they are.
func TestGGUFDivisors(t *testing.T) {
	pool := kernels.NewPool(1)
	defer pool.Close()
	m := newTinyLlama()
	m.tensors["rope_freqs.weight"] = gguftensor{gguf.F32, []int{8}, 1.5}
	l, err := m.load(t, pool)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := NewRope(l.Config)
	if err != nil {
		t.Fatal(err)
	}
	plain := plain(1e4, 16)
	for i, f := range r.InvFreq(10) {
		if want := plain[i] / (1.5 * float32(1+i%7)); f != want {
			t.Errorf("frequency %d is %v, want %v", i, f, want)
		}
	}
}

// FuzzGGUF reads a file as a model: whatever the bytes are, it must neither panic nor take more than a few times their memory.
func FuzzGGUF(f *testing.F) {
	f.Add(newTinyLlama().bytes())
	for _, arch := range ggufArchs {
		m := newTinyLlama()
		m.set("general.architecture", arch.name)
		for _, key := range slices.Clone(m.order) {
			if rest, ok := strings.CutPrefix(key, "llama."); ok {
				m.set(arch.name+"."+rest, m.keys[key])
				m.set(key, nil)
			}
		}
		for _, r := range arch.rules {
			m.tensors["blk.0."+r.name] = gguftensor{gguf.F32, []int{4, 32}, 0.5}
		}
		f.Add(m.bytes())
	}
	split := newTinyLlama()
	split.set("split.count", 2)
	split.set("tokenizer.ggml.tokens", []string{"a", "b"})
	split.set("tokenizer.ggml.token_type", []int32{1, 3, 3})
	f.Add(split.bytes())
	pool := kernels.NewPool(1)
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		fuzzGGUF(b, pool)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 4*uint64(len(b))+64<<20 {
			t.Errorf("%d bytes allocated for a file of %d", n, len(b))
		}
	})
}

func fuzzGGUF(b []byte, pool *kernels.Pool) {
	f, err := gguf.FromBytes("x.gguf", b)
	if err != nil {
		return
	}
	c, w, err := ggufWeights(f)
	if err != nil {
		f.Close()
		return
	}
	defer w.Close()
	for _, name := range w.Names() {
		t, err := w.Tensor(name)
		if err != nil {
			panic(fmt.Sprintf("%s is listed but %v", name, err))
		}
		w.values(name, t.Shape...)
	}
	s := &checkpoint{"x.gguf", w, c}
	s.survey(Choice{})
	if l, err := s.load(pool, Choice{}); err == nil {
		closeModel(l.Model)
	}
}

// TestGGUFVectorOf reads what configuration is made of, and nothing else.
func TestGGUFVectorOf(t *testing.T) {
	w := &gguftest.Writer{}
	w.Add("v", gguf.F32, binary.LittleEndian.AppendUint32(nil, 0x3f800000), 1)
	w.Add("m", gguf.F32, make([]byte, 4), 1, 1)
	f, err := gguf.FromBytes("x.gguf", w.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(vectorOf(f, "v"), []float64{1}) || vectorOf(f, "m") != nil || vectorOf(f, "absent") != nil {
		t.Error(vectorOf(f, "v"), vectorOf(f, "m"), vectorOf(f, "absent"))
	}
}
