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

// RandomShape is the size of a Llama without training, for measuring speed.
type RandomShape struct {
	Name                                                string
	Layers, Hidden, Heads, KVHeads, HeadDim, FFN, Vocab int
}

// RandomShapes are sizes to measure: a tiny one, one of a billion parameters, and those of published models.
var RandomShapes = []RandomShape{
	{"tiny", 4, 256, 4, 2, 64, 704, 4096},
	{"1b", 16, 2048, 32, 8, 64, 8192, 32000},
	{"llama-3.2-1b", 16, 2048, 32, 8, 64, 8192, 128256},
	{"llama-3.2-3b", 28, 3072, 24, 8, 128, 8192, 128256},
	{"llama-3.1-8b", 32, 4096, 32, 8, 128, 14336, 128256},
}

// tensors lists names and shapes of the checkpoint, in the order in which the random numbers are drawn.
func (s RandomShape) tensors() (names []string, shapes [][]int) {
	add := func(name string, shape ...int) { names, shapes = append(names, name), append(shapes, shape) }
	add("model.embed_tokens.weight", s.Vocab, s.Hidden)
	add("model.norm.weight", s.Hidden)
	for i := range s.Layers {
		p := fmt.Sprintf("model.layers.%d.", i)
		add(p+"input_layernorm.weight", s.Hidden)
		add(p+"post_attention_layernorm.weight", s.Hidden)
		add(p+"self_attn.q_proj.weight", s.Heads*s.HeadDim, s.Hidden)
		add(p+"self_attn.k_proj.weight", s.KVHeads*s.HeadDim, s.Hidden)
		add(p+"self_attn.v_proj.weight", s.KVHeads*s.HeadDim, s.Hidden)
		add(p+"self_attn.o_proj.weight", s.Hidden, s.Heads*s.HeadDim)
		add(p+"mlp.gate_proj.weight", s.FFN, s.Hidden)
		add(p+"mlp.up_proj.weight", s.FFN, s.Hidden)
		add(p+"mlp.down_proj.weight", s.Hidden, s.FFN)
	}
	return names, shapes
}

// Params is the number of weights.
func (s RandomShape) Params() int64 {
	var n int64
	_, shapes := s.tensors()
	for _, shape := range shapes {
		n += elements(shape)
	}
	return n
}

func elements(shape []int) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= int64(d)
	}
	return n
}

// Random makes a Llama of the given size with bf16 weights from a fixed seed, in memory. Its answers mean nothing.
func Random(s RandomShape, pool *kernels.Pool, p Choice) (*Loaded, error) {
	raw, err := json.Marshal(map[string]any{
		"architectures": []string{"LlamaForCausalLM"}, "model_type": "llama", "hidden_act": "silu",
		"num_hidden_layers": s.Layers, "hidden_size": s.Hidden, "num_attention_heads": s.Heads, "num_key_value_heads": s.KVHeads,
		"head_dim": s.HeadDim, "intermediate_size": s.FFN, "vocab_size": s.Vocab, "max_position_embeddings": 1 << 20,
		"rms_norm_eps": 1e-5, "rope_theta": 5e5, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
	})
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
	m, err := NewLlama(c, w, pool, p)
	if err != nil {
		return nil, err
	}
	return &Loaded{Model: m, Config: c, Weights: w, Precision: p.of(c)}, nil
}

// file writes the checkpoint.
func (s RandomShape) file() (*safetensors.File, error) {
	names, shapes := s.tensors()
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
		if len(shape) == 2 {
			scale = float32(1 / math.Sqrt(float64(shape[1])))
		}
		for range elements(shape) {
			x := scale
			if len(shape) == 2 {
				x = scale * (2*r.Float32() - 1)
			}
			b = binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(x)>>16))
		}
	}
	return safetensors.FromBytes(s.Name, b)
}
