package models

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"

	"scbench/kernels"
	"scbench/stages/models/safetensors"
)

// RandomShape is a model of some size without training, for measuring speed: its configuration and its tensors, in the order in which
// the random numbers are drawn.
type RandomShape struct {
	Name    string
	config  map[string]any
	tensors func(add func(name string, shape ...int))
}

// RandomShapes are sizes to measure: tiny ones, one of a billion parameters, and those of published models.
var RandomShapes = []RandomShape{
	randomLlama("tiny", 4, 256, 4, 2, 64, 704, 4096),
	randomLlama("1b", 16, 2048, 32, 8, 64, 8192, 32000),
	randomLlama("llama-3.2-1b", 16, 2048, 32, 8, 64, 8192, 128256),
	randomLlama("llama-3.2-3b", 28, 3072, 24, 8, 128, 8192, 128256),
	randomLlama("llama-3.1-8b", 32, 4096, 32, 8, 128, 14336, 128256),
	randomMamba2("tiny-mamba2", 2, 64, 8, 16, 2, 16, 4096),
	randomMamba2("mamba2-1.3b", 48, 2048, 64, 64, 1, 128, 50288),
	randomMamba2("codestral-mamba-7b", 64, 4096, 128, 64, 8, 128, 32768),
	randomJamba("tiny-jamba", 8, 128, 4, 2, 16, 192, 4, 4096),
}

// baseConfig is the part of a configuration that all have.
func baseConfig(architecture, kind string, layers, hidden, vocab int) map[string]any {
	return map[string]any{
		"architectures": []string{architecture}, "model_type": kind, "hidden_act": "silu", "num_hidden_layers": layers, "hidden_size": hidden,
		"vocab_size": vocab, "max_position_embeddings": 1 << 20, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
	}
}

func randomLlama(name string, layers, hidden, heads, kvHeads, dim, ffn, vocab int) RandomShape {
	c := baseConfig("LlamaForCausalLM", "llama", layers, hidden, vocab)
	c["num_attention_heads"], c["num_key_value_heads"], c["head_dim"], c["intermediate_size"] = heads, kvHeads, dim, ffn
	c["rms_norm_eps"], c["rope_theta"] = 1e-5, 5e5
	return RandomShape{name, c, func(add func(string, ...int)) {
		add("model.embed_tokens.weight", vocab, hidden)
		add("model.norm.weight", hidden)
		for i := range layers {
			p := fmt.Sprintf("model.layers.%d.", i)
			add(p+"input_layernorm.weight", hidden)
			add(p+"post_attention_layernorm.weight", hidden)
			addAttention(add, p, hidden, heads*dim, kvHeads*dim)
			addMLP(add, p+"mlp.", hidden, ffn)
		}
	}}
}

func addAttention(add func(string, ...int), p string, hidden, q, kv int) {
	add(p+"self_attn.q_proj.weight", q, hidden)
	add(p+"self_attn.k_proj.weight", kv, hidden)
	add(p+"self_attn.v_proj.weight", kv, hidden)
	add(p+"self_attn.o_proj.weight", hidden, q)
}

func addMLP(add func(string, ...int), p string, hidden, ffn int) {
	add(p+"gate_proj.weight", ffn, hidden)
	add(p+"up_proj.weight", ffn, hidden)
	add(p+"down_proj.weight", hidden, ffn)
}

// Params is the number of weights.
func (s RandomShape) Params() int64 {
	var n int64
	s.tensors(func(_ string, shape ...int) { n += elements(shape) })
	return n
}

func elements(shape []int) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= int64(d)
	}
	return n
}

// Random makes a model of the given size with bf16 weights from a fixed seed, in memory. Its answers mean nothing.
func Random(s RandomShape, pool *kernels.Pool, p Choice) (*Loaded, error) {
	raw, err := json.Marshal(s.config)
	if err != nil {
		return nil, err
	}
	c, err := ReadConfig(s.Name, raw)
	if err != nil {
		return nil, err
	}
	file, err := s.file()
	if err != nil {
		return nil, err
	}
	w := weightsOf(s.Name, file)
	a, err := find(c)
	if err != nil {
		return nil, err
	}
	m, err := a.New(c, w, pool, p)
	if err != nil {
		return nil, err
	}
	return &Loaded{Model: m, Config: c, Weights: w, Precision: p.of(c)}, nil
}

// file writes the checkpoint.
func (s RandomShape) file() (*safetensors.File, error) {
	var names []string
	var shapes [][]int
	s.tensors(func(name string, shape ...int) { names, shapes = append(names, name), append(shapes, shape) })
	header, at := map[string]any{}, int64(0)
	for i, name := range names {
		end := at + 2*elements(shapes[i])
		header[name] = map[string]any{"dtype": "BF16", "shape": shapes[i], "data_offsets": []int64{at, end}}
		at = end
	}
	head, err := json.Marshal(header)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 8, 8+int64(len(head))+at)
	binary.LittleEndian.PutUint64(b, uint64(len(head)))
	b = append(b, head...)
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range shapes {
		scale := float32(1) // norms
		if len(shape) > 1 {
			scale = float32(1 / math.Sqrt(float64(shape[len(shape)-1])))
		}
		for range elements(shape) {
			x := scale
			if len(shape) > 1 {
				x = scale * (2*r.Float32() - 1)
			}
			b = binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(x)>>16))
		}
	}
	return safetensors.FromBytes(s.Name, b)
}
