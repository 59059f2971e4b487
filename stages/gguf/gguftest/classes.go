package gguftest

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// class is how an architecture is written.
type class struct {
	arch     string
	metadata func(c *converter)
	names    []rename
	more     func(c *converter) // tensors that follow from the configuration
}

// rename gives tensors their name in GGUF: # stands for a number, of a layer.
type rename struct {
	from, to string
	edit     func(c *converter, x []float32, shape []int) ([]float32, []int)
}

// skip is what tensors that are not written are called.
const skip = "-"

func (r rename) match(name string) string {
	pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(r.from), "#", `(\d+)`) + "$")
	m := pattern.FindStringSubmatch(name)
	if m == nil {
		return ""
	}
	to := r.to
	for _, n := range m[1:] {
		to = strings.Replace(to, "#", n, 1)
	}
	return to
}

var around = []rename{
	{"model.embed_tokens.weight", "token_embd.weight", nil}, {"model.norm.weight", "output_norm.weight", nil}, {"lm_head.weight", "output.weight", nil},
}

// layer is the names in a layer: pairs of what follows model.layers.N. and what follows blk.N.
func layer(prefix string, pairs ...string) (out []rename) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, rename{prefix + "#." + pairs[i], "blk.#." + pairs[i+1], nil})
	}
	return out
}

var (
	split = layer("model.layers.", "self_attn.q_proj.weight", "attn_q.weight", "self_attn.q_proj.bias", "attn_q.bias", "self_attn.k_proj.weight", "attn_k.weight",
		"self_attn.k_proj.bias", "attn_k.bias", "self_attn.v_proj.weight", "attn_v.weight", "self_attn.v_proj.bias", "attn_v.bias",
		"self_attn.o_proj.weight", "attn_output.weight", "self_attn.o_proj.bias", "attn_output.bias")
	gated = layer("model.layers.", "mlp.gate_proj.weight", "ffn_gate.weight", "mlp.up_proj.weight", "ffn_up.weight", "mlp.down_proj.weight", "ffn_down.weight",
		"mlp.gate_proj.bias", "ffn_gate.bias", "mlp.up_proj.bias", "ffn_up.bias", "mlp.down_proj.bias", "ffn_down.bias")
	fused    = layer("model.layers.", "mlp.gate_up_proj.weight", "ffn_up.weight", "mlp.down_proj.weight", "ffn_down.weight")
	preNorms = layer("model.layers.", "input_layernorm.weight", "attn_norm.weight", "post_attention_layernorm.weight", "ffn_norm.weight")
	twoNorms = layer("model.layers.", "input_layernorm.weight", "attn_norm.weight", "post_attention_layernorm.weight", "ffn_norm.weight",
		"post_self_attn_layernorm.weight", "post_attention_norm.weight", "post_mlp_layernorm.weight", "post_ffw_norm.weight")
	headNorms = layer("model.layers.", "self_attn.q_norm.weight", "attn_q_norm.weight", "self_attn.k_norm.weight", "attn_k_norm.weight")
)

// edited is names with an edit of those whose new name contains part.
func edited(names []rename, part string, edit func(*converter, []float32, []int) ([]float32, []int)) []rename {
	names = slices.Clone(names)
	for i := range names {
		if strings.Contains(names[i].to, part) {
			names[i].edit = edit
		}
	}
	return names
}

// turned orders rows of heads as RoPE over neighbours wants them.
func turned(heads func(*converter) int) func(*converter, []float32, []int) ([]float32, []int) {
	return func(c *converter, x []float32, shape []int) ([]float32, []int) {
		n, width := heads(c), len(x)/shape[0]
		dim := shape[0] / n
		out := make([]float32, 0, len(x))
		for h := range n {
			for j := range dim / 2 {
				for s := range 2 {
					row := h*dim + s*dim/2 + j
					out = append(out, x[row*width:(row+1)*width]...)
				}
			}
		}
		return out, shape
	}
}

func oneMore(_ *converter, x []float32, shape []int) ([]float32, []int) {
	for i := range x {
		x[i]++
	}
	return x, shape
}

var llamaNames = slices.Concat(around, edited(edited(split, "attn_q.", turned((*converter).heads)), "attn_k.", turned((*converter).kvHeads)), gated, preNorms)

// classes is every architecture that can be converted.
var classes = map[string]class{
	"LlamaForCausalLM":   {"llama", (*converter).llama, llamaNames, (*converter).divisors},
	"MistralForCausalLM": {"llama", (*converter).llama, llamaNames, nil},
	"Qwen2ForCausalLM":   {"qwen2", (*converter).attention, slices.Concat(around, split, gated, preNorms), nil},
	"Qwen3ForCausalLM":   {"qwen3", (*converter).attention, slices.Concat(around, split, gated, preNorms, headNorms), nil},
	"Phi3ForCausalLM": {"phi3", (*converter).phi3, slices.Concat(around, fused, preNorms,
		layer("model.layers.", "self_attn.qkv_proj.weight", "attn_qkv.weight", "self_attn.o_proj.weight", "attn_output.weight")), (*converter).factors},
	"GlmForCausalLM":  {"chatglm", (*converter).glm, slices.Concat(around, split, fused, preNorms), nil},
	"Glm4ForCausalLM": {"glm4", (*converter).glm, slices.Concat(around, split, fused, twoNorms), nil},
	"ChatGLMModel": {"chatglm", (*converter).glm, slices.Concat([]rename{
		{"transformer.embedding.word_embeddings.weight", "token_embd.weight", nil}, {"transformer.encoder.final_layernorm.weight", "output_norm.weight", nil},
		{"transformer.output_layer.weight", "output.weight", nil}, {"transformer.rotary_pos_emb.inv_freq", skip, nil},
	}, layer("transformer.encoder.layers.", "self_attention.query_key_value.weight", "attn_qkv.weight", "self_attention.query_key_value.bias", "attn_qkv.bias",
		"self_attention.dense.weight", "attn_output.weight", "mlp.dense_h_to_4h.weight", "ffn_up.weight", "mlp.dense_4h_to_h.weight", "ffn_down.weight",
		"input_layernorm.weight", "attn_norm.weight", "post_attention_layernorm.weight", "ffn_norm.weight")), nil},
	"Gemma2ForCausalLM": {"gemma2", (*converter).gemma2, edited(slices.Concat(around, split, gated, layer("model.layers.",
		"input_layernorm.weight", "attn_norm.weight", "post_attention_layernorm.weight", "post_attention_norm.weight",
		"pre_feedforward_layernorm.weight", "ffn_norm.weight", "post_feedforward_layernorm.weight", "post_ffw_norm.weight")), "norm.weight", oneMore), nil},
	"MambaForCausalLM":  {"mamba", (*converter).mamba, mambaNames("backbone.layers.", "mixer."), nil},
	"Mamba2ForCausalLM": {"mamba2", (*converter).mamba2, mamba2Names(), nil},
	"JambaForCausalLM":  {"jamba", (*converter).jamba, jambaNames(), (*converter).jambaExperts},
}

// attention is the metadata of all with attention.
func (c *converter) attention() {
	c.put("context_length", int(c.num("max_position_embeddings", c.num("seq_length", 0))))
	c.put("feed_forward_length", int(c.num("intermediate_size", c.num("ffn_hidden_size", 0))))
	c.put("attention.head_count", c.heads())
	c.put("attention.head_count_kv", c.kvHeads())
	if theta, ok := c.config["rope_theta"].(float64); ok && c.arch != "gemma2" {
		c.put("rope.freq_base", theta)
	}
	if _, ok := c.config["head_dim"].(float64); ok {
		c.put("attention.key_length", c.headDim())
		c.put("attention.value_length", c.headDim())
	}
	if s, ok := c.config["rope_scaling"].(map[string]any); ok && (s["rope_type"] == "yarn" || s["rope_type"] == "linear") {
		c.put("rope.scaling.type", s["rope_type"])
		c.put("rope.scaling.factor", s["factor"])
		if s["rope_type"] == "yarn" {
			c.put("rope.scaling.original_context_length", int(s["original_max_position_embeddings"].(float64)))
		}
	}
}

func (c *converter) llama() {
	c.attention()
	c.put("vocab_size", int(c.num("vocab_size", 0)))
	c.put("rope.dimension_count", c.headDim())
	if w, ok := c.config["sliding_window"].(float64); ok {
		c.put("attention.sliding_window", int(w))
	}
}

// divisors writes what Llama 3.1 divides its frequencies by.
func (c *converter) divisors() {
	s, ok := c.config["rope_scaling"].(map[string]any)
	if !ok || s["rope_type"] != "llama3" {
		return
	}
	factor, low, high, old := s["factor"].(float64), s["low_freq_factor"].(float64), s["high_freq_factor"].(float64), s["original_max_position_embeddings"].(float64)
	var out []float32
	for i := 0; i < c.headDim(); i += 2 {
		wave := 2 * math.Pi * math.Pow(c.num("rope_theta", 10000), float64(i)/float64(c.headDim()))
		switch {
		case wave < old/high:
			out = append(out, 1)
		case wave > old/low:
			out = append(out, float32(factor))
		default:
			smooth := (old/wave - low) / (high - low)
			out = append(out, float32(1/((1-smooth)/factor+smooth)))
		}
	}
	c.write("rope_freqs.weight", out, []int{len(out)})
}

func (c *converter) phi3() {
	c.attention()
	c.put("rope.dimension_count", c.headDim())
	old := c.num("original_max_position_embeddings", c.num("max_position_embeddings", 0))
	c.put("rope.scaling.original_context_length", int(old))
	c.put("rope.scaling.attn_factor", math.Sqrt(1+math.Log(c.num("max_position_embeddings", 0)/old)/math.Log(old)))
	c.put("attention.sliding_window", int(c.num("sliding_window", 0)))
}

// factors writes longrope's.
func (c *converter) factors() {
	s := c.config["rope_scaling"].(map[string]any)
	for _, kind := range []string{"long", "short"} {
		var out []float32
		for _, v := range s[kind+"_factor"].([]any) {
			out = append(out, float32(v.(float64)))
		}
		c.write(fmt.Sprintf("rope_factors_%s.weight", kind), out, []int{len(out)})
	}
}

func (c *converter) glm() {
	c.attention()
	c.put("rope.dimension_count", int(float64(c.headDim())*c.num("partial_rotary_factor", 0.5)))
	if ratio, ok := c.config["rope_ratio"].(float64); ok {
		c.put("rope.freq_base", 10000*ratio)
	}
}

func (c *converter) gemma2() {
	c.attention()
	c.put("attn_logit_softcapping", c.num("attn_logit_softcapping", 0))
	c.put("final_logit_softcapping", c.num("final_logit_softcapping", 0))
	c.put("attention.sliding_window", int(c.num("sliding_window", 0)))
}
