package gguftest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"

	"scbench/kernels"
	"scbench/stages/gguf"
	"scbench/stages/models/safetensors"
)

// converter makes a GGUF file of a checkpoint folder.
type converter struct {
	Writer
	arch    string
	as      gguf.Type // of matrices
	config  map[string]any
	tensors map[string]safetensors.Tensor
	err     error
}

// Model converts the folder dir, of which it reads config.json and the weights, to a GGUF file as llama.cpp's converter does: vectors
// are F32, matrices of the type given (F32, F16, BF16 or Q8_0; F16 where rows do not fill blocks), rows of queries and keys of a Llama are
// in the order of the other kind of RoPE, norms of Gemma have their one. more adds metadata, such as a tokenizer; nil: nothing.
func Model(dir fs.FS, as gguf.Type, more func(w *Writer)) ([]byte, error) {
	raw, err := fs.ReadFile(dir, "config.json")
	if err != nil {
		return nil, err
	}
	c := &converter{as: as}
	raw = bytes.ReplaceAll(raw, []byte("Infinity"), []byte("1e30")) // Python's JSON
	if err := json.Unmarshal(raw, &c.config); err != nil {
		return nil, err
	}
	if err := c.open(dir); err != nil {
		return nil, err
	}
	class := c.config["architectures"].([]any)[0].(string)
	write, ok := classes[class]
	if !ok {
		return nil, fmt.Errorf("gguftest: no conversion of a %s", class)
	}
	c.arch = write.arch
	c.Set("general.architecture", c.arch)
	c.metadata()
	write.metadata(c)
	if more != nil {
		more(&c.Writer)
	}
	for _, name := range slices.Sorted(maps.Keys(c.tensors)) {
		c.tensor(name, write.names)
	}
	if write.more != nil {
		write.more(c)
	}
	return c.Bytes(), c.err
}

// open reads the folder's weights, model.safetensors or its shards.
func (c *converter) open(dir fs.FS) error {
	files, err := fs.Glob(dir, "model*.safetensors")
	if err != nil || len(files) == 0 {
		return fmt.Errorf("gguftest: no model.safetensors: %w", err)
	}
	c.tensors = map[string]safetensors.Tensor{}
	for _, name := range files {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		f, err := safetensors.FromBytes(name, data)
		if err != nil {
			return err
		}
		for _, n := range f.Names() {
			c.tensors[n], _ = f.Tensor(n)
		}
	}
	return nil
}

// num is a number of config.json, or other where it is not there or null.
func (c *converter) num(key string, other float64) float64 {
	if v, ok := c.config[key].(float64); ok {
		return v
	}
	return other
}

// put adds a key of the architecture.
func (c *converter) put(key string, v any) { c.Set(c.arch+"."+key, v) }

func (c *converter) metadata() {
	c.put("block_count", int(c.num("num_hidden_layers", c.num("num_layers", 0))))
	c.put("embedding_length", int(c.num("hidden_size", 0)))
	c.put("attention.layer_norm_rms_epsilon", c.num("rms_norm_eps", c.num("layer_norm_epsilon", c.num("layernorm_epsilon", 0))))
	c.Set("tokenizer.ggml.bos_token_id", int(c.num("bos_token_id", 1)))
	c.Set("tokenizer.ggml.eos_token_id", int(c.num("eos_token_id", 2)))
}

func (c *converter) heads() int { return int(c.num("num_attention_heads", 0)) }
func (c *converter) kvHeads() int {
	return int(c.num("multi_query_group_num", c.num("num_key_value_heads", c.num("num_attention_heads", 0))))
}
func (c *converter) headDim() int {
	return int(c.num("head_dim", c.num("kv_channels", c.num("hidden_size", 0)/c.num("num_attention_heads", 1))))
}

// tensor converts one tensor.
func (c *converter) tensor(name string, names []rename) {
	t := c.tensors[name]
	x, err := t.Float32s()
	if err != nil {
		c.err = err
		return
	}
	for _, r := range names {
		m := r.match(name)
		if m == "" {
			continue
		}
		if r.edit != nil {
			x, t.Shape = r.edit(c, x, t.Shape)
		}
		if m != skip && x != nil {
			c.write(m, x, t.Shape)
		}
		return
	}
	c.err = fmt.Errorf("gguftest: no name for %s", name)
}

// write adds numbers, as the type of matrices if they are one.
func (c *converter) write(name string, x []float32, shape []int) {
	as := c.as
	last := shape[len(shape)-1]
	switch {
	case len(shape) == 1 || strings.Contains(name, "ssm_conv1d") || strings.Contains(name, "ssm_a") || strings.Contains(name, "ssm_d") && !strings.Contains(name, "ssm_dt") || strings.Contains(name, "ssm_norm") || strings.Contains(name, "ffn_gate_inp"):
		as = gguf.F32
	case as == gguf.Q8_0 && last%32 != 0:
		as = gguf.F16
	}
	c.Add(name, as, Encode(as, x), shape...)
}

// Encode writes numbers as F32, F16, BF16 or Q8_0, rounded to nearest even; the scale of a block of Q8_0 is its largest number / 127.
func Encode(as gguf.Type, x []float32) []byte {
	plain := map[gguf.Type]kernels.DType{gguf.F32: kernels.F32, gguf.F16: kernels.F16, gguf.BF16: kernels.BF16}
	if dt, ok := plain[as]; ok {
		out := make([]byte, len(x)*dt.Size())
		kernels.Narrow(out, dt, x)
		return out
	}
	var out []byte
	for ; len(x) > 0; x = x[32:] {
		most := float32(0)
		for _, v := range x[:32] {
			most = max(most, v, -v)
		}
		d := most / 127
		scale := make([]byte, 2)
		kernels.Narrow(scale, kernels.F16, []float32{d})
		out = append(out, scale...)
		for _, v := range x[:32] {
			q := 0.0
			if d != 0 {
				q = math.Round(float64(v * (1 / d)))
			}
			out = append(out, byte(int8(q)))
		}
	}
	return out
}
