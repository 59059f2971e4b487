package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"scbench/stages/gguf"
)

// ggufMeta translates the metadata of a GGUF file into a config.json, whose reader then checks every value as it does those of a folder.
// It keeps what is wrong and which keys have been read.
type ggufMeta struct {
	*gguf.File
	arch string
	out  map[string]any
	read map[string]bool
	errs []error
}

// configOf returns the config.json that a GGUF file amounts to, and its architecture. Keys of the architecture that nobody understands
// are an error that names them, for they may change what the model computes.
func configOf(f *gguf.File) ([]byte, ggufArch, error) {
	m := &ggufMeta{File: f, out: map[string]any{}, read: map[string]bool{}}
	ok, err := f.Lookup("general.architecture", &m.arch)
	if err != nil {
		return nil, ggufArch{}, err
	}
	if !ok {
		return nil, ggufArch{}, fmt.Errorf("gguf: %s: metadata have no general.architecture: not a model", f.Name())
	}
	var names []string
	for _, a := range ggufArchs {
		if a.name != m.arch {
			names = append(names, a.name)
			continue
		}
		m.common()
		a.config(m)
		m.unread()
		if err := errors.Join(m.errs...); err != nil {
			return nil, a, err
		}
		b, err := json.Marshal(m.out)
		if err != nil {
			return nil, a, fmt.Errorf("gguf: %s: metadata: %w", f.Name(), err)
		}
		return b, a, nil
	}
	return nil, ggufArch{}, fmt.Errorf("gguf: %s: architecture %q is not supported; supported are %s", f.Name(), m.arch, strings.Join(names, ", "))
}

// lookup reads a key of the architecture.
func lookup[T any](m *ggufMeta, key string, dst *T) bool {
	m.read[m.arch+"."+key] = true
	ok, err := m.Lookup(m.arch+"."+key, dst)
	if err != nil {
		m.errs = append(m.errs, err)
	}
	return ok && err == nil
}

// wrong records an error of the metadata.
func (m *ggufMeta) wrong(format string, args ...any) {
	m.errs = append(m.errs, fmt.Errorf("gguf: %s: %s", m.Name(), fmt.Sprintf(format, args...)))
}

// whole copies a whole number to a field of config.json and returns it, 0 where there is none. An array counts where all its numbers are
// the same: some files have one for every layer.
func (m *ggufMeta) whole(key, field string) int64 {
	var n int64
	if m.IsArray(m.arch + "." + key) {
		var each []int64
		lookup(m, key, &each)
		if len(each) == 0 || len(slices.Compact(slices.Clone(each))) > 1 {
			m.wrong("%s.%s differs from layer to layer, which is not supported", m.arch, key)
			return 0
		}
		n = each[0]
	} else if !lookup(m, key, &n) {
		return 0
	}
	if field != "" {
		m.out[field] = n
	}
	return n
}

// number copies a number to a field of config.json.
func (m *ggufMeta) number(key, field string) {
	var v float64
	if lookup(m, key, &v) {
		m.out[field] = v
	}
}

// zero wants a number to be absent or 0.
func (m *ggufMeta) zero(keys ...string) {
	for _, key := range keys {
		if n := m.whole(key, ""); n != 0 {
			m.wrong("%s.%s is %d, which is not supported", m.arch, key, n)
		}
	}
}

// common translates what all architectures have.
func (m *ggufMeta) common() {
	m.whole("block_count", "num_hidden_layers")
	m.whole("embedding_length", "hidden_size")
	m.whole("context_length", "max_position_embeddings")
	m.number("attention.layer_norm_rms_epsilon", "rms_norm_eps")
	vocab := m.whole("vocab_size", "")
	embed, _ := m.Tensor("token_embd.weight")
	if len(embed.Shape) == 2 {
		m.out["vocab_size"] = embed.Shape[0]
		if vocab != 0 && vocab != int64(embed.Shape[0]) {
			m.wrong("%s.vocab_size is %d, token_embd.weight has %d rows", m.arch, vocab, embed.Shape[0])
		}
	}
	_, untied := m.Tensor("output.weight")
	m.out["tie_word_embeddings"] = !untied
	if m.stored() == gguf.BF16 {
		m.out["torch_dtype"] = "bfloat16"
	}
	m.ends()
	m.zero("expert_shared_count", "leading_dense_block_count", "nextn_predict_layers")
	for _, key := range []string{"rope.scaling.finetuned", "tensor_data_layout", "attention.causal"} {
		m.read[m.arch+"."+key] = true // provenance, or what a decoder is by nature
	}
	causal := true
	if lookup(m, "attention.causal", &causal); !causal {
		m.wrong("%s.attention.causal is false: not a decoder", m.arch)
	}
}

// stored is the type of most numbers of the file.
func (m *ggufMeta) stored() gguf.Type {
	count := map[gguf.Type]int{}
	best := gguf.F32
	for _, name := range m.Names() {
		t, _ := m.Tensor(name)
		if count[t.Type] += t.Len(); count[t.Type] > count[best] {
			best = t.Type
		}
	}
	return best
}

// decoder translates what transformers with attention have. dim is the width of a head where the metadata do not say.
func (m *ggufMeta) decoder(class, kind, act string) {
	m.class(class, kind)
	m.out["hidden_act"] = act
	m.whole("feed_forward_length", "intermediate_size")
	m.whole("attention.head_count", "num_attention_heads")
	m.whole("attention.head_count_kv", "num_key_value_heads")
	key, value := m.whole("attention.key_length", "head_dim"), m.whole("attention.value_length", "")
	if value != 0 && key != value {
		m.wrong("%s.attention.key_length is %d and value_length %d; only equal ones are supported", m.arch, key, value)
	}
	m.zero("expert_count", "expert_used_count")
	m.rope()
}

func (m *ggufMeta) class(class, kind string) {
	m.out["architectures"], m.out["model_type"] = []string{class}, kind
}

// headDim is the width of a head; 0 where it is unknown.
func (m *ggufMeta) headDim() int64 {
	if dim, ok := m.out["head_dim"].(int64); ok {
		return dim
	}
	hidden, _ := m.out["hidden_size"].(int64)
	heads, _ := m.out["num_attention_heads"].(int64)
	if heads <= 0 {
		return 0
	}
	return hidden / heads
}

// unread refuses keys of the architecture that nobody has read.
func (m *ggufMeta) unread() {
	var unknown []string
	for _, key := range m.Keys() {
		if strings.HasPrefix(key, m.arch+".") && !m.read[key] {
			unknown = append(unknown, key)
		}
	}
	if unknown != nil {
		m.wrong("metadata %q may change what the model computes and are not understood", unknown)
	}
}

// endTokens are control tokens that end an answer whatever the metadata name: files often name one of several.
var endTokens = []string{
	"</s>", "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|user|>", "<|observation|>",
}

// ends finds the tokens that begin a text and those that end an answer.
func (m *ggufMeta) ends() {
	var bos int64
	if m.global("tokenizer.ggml.bos_token_id", &bos) {
		m.out["bos_token_id"] = bos
	}
	var ids []int64
	for _, key := range []string{"eos", "eot", "eom"} {
		var id int64
		if m.global("tokenizer.ggml."+key+"_token_id", &id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var tokens []string
	var kinds []int64
	if m.global("tokenizer.ggml.tokens", &tokens) && m.global("tokenizer.ggml.token_type", &kinds) {
		const control = 3
		for i, kind := range kinds[:min(len(kinds), len(tokens))] {
			if kind == control && slices.Contains(endTokens, tokens[i]) && !slices.Contains(ids, int64(i)) {
				ids = append(ids, int64(i))
			}
		}
	}
	if ids != nil {
		m.out["eos_token_id"] = ids
	}
}

// global reads a key that is not of the architecture.
func (m *ggufMeta) global(key string, dst any) bool {
	ok, err := m.Lookup(key, dst)
	if err != nil {
		m.errs = append(m.errs, err)
	}
	return ok && err == nil
}
