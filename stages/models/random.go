package models

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"

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

// Random makes a model of the given size with bf16 weights from a fixed seed. Its answers mean nothing. A tensor is drawn when it is read,
// and its memory given back once it is packed, so that memory has the model once. Packed weights are not kept, whatever the choice says.
func Random(s RandomShape, pool *kernels.Pool, p Choice) (*Loaded, error) {
	raw, err := json.Marshal(s.config)
	if err != nil {
		return nil, err
	}
	c, err := ReadConfig(s.Name, raw)
	if err != nil {
		return nil, err
	}
	a, err := find(c)
	if err != nil {
		return nil, err
	}
	p.PackCache = ""
	w := s.weights(pool)
	m, err := a.New(c, w, pool, p)
	if err != nil {
		return nil, err
	}
	debug.FreeOSMemory() // the tensors drawn are garbage of gigabytes, which would go back only slowly
	return &Loaded{Model: m, Config: c, Weights: w, Precision: p.of(c)}, nil
}

// weights are tensors not yet drawn.
func (s RandomShape) weights(pool *kernels.Pool) *Weights {
	d := &drawn{name: s.Name, pool: pool, tensors: map[string]*drawnTensor{}}
	w := &Weights{name: s.Name, files: []tensorFile{d}, owner: map[string]tensorFile{}, used: map[string]bool{}}
	s.tensors(func(name string, shape ...int) {
		d.tensors[name] = &drawnTensor{seed: uint64(len(w.names)), shape: shape}
		w.owner[name], w.names = d, append(w.names, name)
		w.params += elements(shape)
	})
	w.bytes = 2 * w.params
	slices.Sort(w.names)
	return w
}

// drawn is a source of random bf16 tensors. It draws a tensor when it is asked for, and again, the same, when it was forgotten; who
// still has a view of a forgotten tensor keeps it.
type drawn struct {
	name    string
	pool    *kernels.Pool
	mu      sync.Mutex
	tensors map[string]*drawnTensor
}

type drawnTensor struct {
	seed  uint64
	shape []int
	data  []byte // nil: not drawn, or forgotten
}

func (d *drawn) Name() string { return d.name }

func (d *drawn) Names() []string { return slices.Sorted(maps.Keys(d.tensors)) }

func (d *drawn) Tensor(name string) (safetensors.Tensor, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, ok := d.tensors[name]
	if !ok {
		return safetensors.Tensor{}, false
	}
	if t.data == nil {
		t.draw(d.pool)
	}
	return safetensors.Tensor{Name: name, DType: "BF16", Shape: t.shape, Data: t.data}, true
}

func (d *drawn) Forget(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t, ok := d.tensors[name]; ok {
		t.data = nil
	}
}

func (d *drawn) Close() error {
	clear(d.tensors)
	return nil
}

// draw makes the tensor: vectors, which are norms, are ones; matrices are uniform, of the size that keeps the length of what they multiply.
func (t *drawnTensor) draw(pool *kernels.Pool) {
	const block = 1 << 16 // numbers of one generator
	n := int(elements(t.shape))
	t.data = make([]byte, 2*n)
	bf16 := func(i int, x float32) {
		binary.LittleEndian.PutUint16(t.data[2*i:], uint16(math.Float32bits(x)>>16))
	}
	if len(t.shape) == 1 {
		for i := range n {
			bf16(i, 1)
		}
		return
	}
	scale := float32(1/math.Sqrt(float64(t.shape[len(t.shape)-1]))) / (1 << 15)
	pool.Run((n+block-1)/block, func(b int) {
		r := rand.NewPCG(t.seed, uint64(b))
		var bits uint64 // of four numbers
		for i := b * block; i < min(n, (b+1)*block); i++ {
			if bits >>= 16; i%4 == 0 {
				bits = r.Uint64()
			}
			bf16(i, scale*float32(int16(bits)))
		}
	})
}
