package models

import (
	"fmt"
	"strings"
)

// ggufArch is an architecture as GGUF files have it.
type ggufArch struct {
	name   string // general.architecture
	config func(m *ggufMeta)
	embed  string // the embeddings' other name
	norm   string // that of the norm behind the layers
	layer  string // the prefix of those in a layer
	rules  []ggufRule
}

// ggufRule is the other name of a tensor of a layer, and what is undone on the way; nil: nothing.
type ggufRule struct {
	name, hf string
	bind     func(b *ggufBinder, hf string, p ggufPart)
}

// ggufArchs is every architecture of GGUF files that is read.
var ggufArchs = []ggufArch{
	{"llama", llamaGGUF, hfEmbed, hfNorm, hfLayer, append(ggufSplit(unturnQuery, unturnKey), ggufGated...)},
	{"qwen2", qwenGGUF("Qwen2ForCausalLM", "qwen2"), hfEmbed, hfNorm, hfLayer, append(ggufSplit(nil, nil), ggufGated...)},
	{"qwen3", qwenGGUF("Qwen3ForCausalLM", "qwen3"), hfEmbed, hfNorm, hfLayer, append(append(ggufSplit(nil, nil), ggufGated...),
		ggufRule{"attn_q_norm.weight", "self_attn.q_norm.weight", nil}, ggufRule{"attn_k_norm.weight", "self_attn.k_norm.weight", nil})},
	{"phi3", phi3GGUF, hfEmbed, hfNorm, hfLayer, append([]ggufRule{
		{"attn_norm.weight", "input_layernorm.weight", nil}, {"ffn_norm.weight", "post_attention_layernorm.weight", nil},
		{"attn_qkv.weight", "self_attn.qkv_proj.weight", nil}, {"attn_output.weight", "self_attn.o_proj.weight", nil},
	}, ggufFused...)},
	{"chatglm", glmGGUF("GlmForCausalLM", "glm"), hfEmbed, hfNorm, hfLayer, append(append(ggufSplit(nil, nil), ggufFused...),
		ggufRule{"attn_qkv.weight", "self_attn.%s_proj.weight", splitQKV}, ggufRule{"attn_qkv.bias", "self_attn.%s_proj.bias", splitQKV})},
	{"glm4", glmGGUF("Glm4ForCausalLM", "glm4"), hfEmbed, hfNorm, hfLayer, append(append(ggufSplit(nil, nil), ggufFused...),
		ggufRule{"post_attention_norm.weight", "post_self_attn_layernorm.weight", nil}, ggufRule{"post_ffw_norm.weight", "post_mlp_layernorm.weight", nil})},
	{"gemma2", gemma2GGUF, hfEmbed, hfNorm, hfLayer, append(append([]ggufRule{
		{"attn_norm.weight", "input_layernorm.weight", unOne}, {"post_attention_norm.weight", "post_attention_layernorm.weight", unOne},
		{"ffn_norm.weight", "pre_feedforward_layernorm.weight", unOne}, {"post_ffw_norm.weight", "post_feedforward_layernorm.weight", unOne},
	}, ggufSplit(nil, nil)[2:]...), ggufGated...)},
	{"mamba", mambaGGUF, "backbone.embeddings.weight", "backbone.norm_f.weight", "backbone.layers.%d.",
		append(ggufMamba("mixer."), ggufRule{"attn_norm.weight", "norm.weight", nil})},
	{"mamba2", mamba2GGUF, "backbone.embeddings.weight", "backbone.norm_f.weight", "backbone.layers.%d.",
		append([]ggufRule{{"ssm_dt.bias", "mixer.dt_bias", nil}, {"attn_norm.weight", "norm.weight", nil}, {"ssm_norm.weight", "mixer.norm.weight", flat}}, ggufMamba("mixer.")...)},
	{"jamba", jambaGGUF, hfEmbed, "model.final_layernorm.weight", hfLayer, append(append(append(ggufMamba("mamba."), ggufSplit(nil, nil)[2:]...), jambaMLP...),
		ggufRule{"attn_norm.weight", "input_layernorm.weight", nil}, ggufRule{"ffn_norm.weight", "pre_ff_layernorm.weight", nil},
		ggufRule{"ssm_dt_norm.weight", "mamba.dt_layernorm.weight", nil}, ggufRule{"ssm_b_norm.weight", "mamba.b_layernorm.weight", nil},
		ggufRule{"ssm_c_norm.weight", "mamba.c_layernorm.weight", nil})},
}

// What the names of most of Hugging Face's decoders are.
const (
	hfEmbed = "model.embed_tokens.weight"
	hfNorm  = "model.norm.weight"
	hfLayer = "model.layers.%d."
)

// ggufSplit is the rules of norms and of attention with a matrix for each of queries, keys and values.
func ggufSplit(query, key func(*ggufBinder, string, ggufPart)) []ggufRule {
	return []ggufRule{
		{"attn_norm.weight", "input_layernorm.weight", nil}, {"ffn_norm.weight", "post_attention_layernorm.weight", nil},
		{"attn_q.weight", "self_attn.q_proj.weight", query}, {"attn_q.bias", "self_attn.q_proj.bias", query},
		{"attn_k.weight", "self_attn.k_proj.weight", key}, {"attn_k.bias", "self_attn.k_proj.bias", key},
		{"attn_v.weight", "self_attn.v_proj.weight", nil}, {"attn_v.bias", "self_attn.v_proj.bias", nil},
		{"attn_output.weight", "self_attn.o_proj.weight", nil}, {"attn_output.bias", "self_attn.o_proj.bias", nil},
	}
}

// ggufGated is the rules of an MLP of three matrices, ggufFused those of one whose gate and up are a single one.
var (
	ggufGated = []ggufRule{
		{"ffn_gate.weight", "mlp.gate_proj.weight", nil}, {"ffn_gate.bias", "mlp.gate_proj.bias", nil}, {"ffn_up.weight", "mlp.up_proj.weight", nil},
		{"ffn_up.bias", "mlp.up_proj.bias", nil}, {"ffn_down.weight", "mlp.down_proj.weight", nil}, {"ffn_down.bias", "mlp.down_proj.bias", nil},
	}
	ggufFused = []ggufRule{{"ffn_up.weight", "mlp.gate_up_proj.weight", nil}, {"ffn_down.weight", "mlp.down_proj.weight", nil}}
	jambaMLP  = []ggufRule{
		{"ffn_gate.weight", "feed_forward.gate_proj.weight", nil}, {"ffn_up.weight", "feed_forward.up_proj.weight", nil},
		{"ffn_down.weight", "feed_forward.down_proj.weight", nil}, {"ffn_gate_inp.weight", "feed_forward.router.weight", nil},
		{"ffn_gate_exps.weight", "feed_forward.experts.%d.gate_proj.weight", experts}, {"ffn_up_exps.weight", "feed_forward.experts.%d.up_proj.weight", experts},
		{"ffn_down_exps.weight", "feed_forward.experts.%d.down_proj.weight", experts},
	}
)

// ggufMamba is the rules of a Mamba mixer of either kind.
func ggufMamba(prefix string) []ggufRule {
	rules := []ggufRule{
		{"ssm_in.weight", "in_proj.weight", nil}, {"ssm_conv1d.weight", "conv1d.weight", unsqueeze}, {"ssm_conv1d.bias", "conv1d.bias", nil},
		{"ssm_x.weight", "x_proj.weight", nil}, {"ssm_dt.weight", "dt_proj.weight", nil}, {"ssm_dt.bias", "dt_proj.bias", nil},
		{"ssm_a", "A_log", unExp}, {"ssm_d", "D", flat}, {"ssm_out.weight", "out_proj.weight", nil},
	}
	for i := range rules {
		rules[i].hf = prefix + rules[i].hf
	}
	return rules
}

// ggufBinder gives the tensors of one file their other names.
type ggufBinder struct {
	*ggufTensors
	arch ggufArch
	c    Config
}

// bind renames all tensors.
func (b *ggufBinder) bind() {
	for _, name := range b.File.Names() {
		t, _ := b.File.Tensor(name)
		b.one(name, ggufPart{t, name})
	}
}

// one renames one of them.
func (b *ggufBinder) one(name string, p ggufPart) {
	switch name {
	case "token_embd.weight":
		b.add(b.arch.embed, p, nil, nil)
		return
	case "output_norm.weight":
		b.plain(b.arch.norm, p)
		return
	case "output.weight":
		b.add("lm_head.weight", p, nil, nil)
		return
	case ropeDivisors, ropeShort, ropeLong:
		b.add(name, p, nil, nil)
		return
	}
	layer, rest := -1, ""
	if n, _ := fmt.Sscanf(name, "blk.%d.%s", &layer, &rest); n == 2 && name == fmt.Sprintf("blk.%d.%s", layer, rest) && layer >= 0 {
		for _, r := range b.arch.rules {
			if r.name != rest {
				continue
			}
			bind := r.bind
			if bind == nil {
				bind = (*ggufBinder).plain
			}
			bind(b, fmt.Sprintf(b.arch.layer, layer)+r.hf, p)
			return
		}
	}
	b.add(unknownTensor+name, p, nil, nil)
}

// unknownTensor comes before the names of tensors that no rule renames, so that none passes for one of Hugging Face's.
const unknownTensor = "unknown:"

// plain binds p as it is, but for Gemma's last norm.
func (b *ggufBinder) plain(hf string, p ggufPart) {
	if b.arch.name == "gemma2" && hf == hfNorm {
		unOne(b, hf, p)
		return
	}
	b.add(hf, p, nil, nil)
}

func unturnQuery(b *ggufBinder, hf string, p ggufPart) { b.turned(hf, p, b.c.Heads) }

func unturnKey(b *ggufBinder, hf string, p ggufPart) { b.turned(hf, p, b.c.KVHeads) }

// turned undoes the order of rows of so many heads, if there are so many rows: otherwise the shape will be refused.
func (b *ggufBinder) turned(hf string, p ggufPart, heads int) {
	if dim := b.c.HeadDim; p.Shape[0] == heads*dim && !(len(p.Shape) == 1 && p.Type.Quantised()) {
		b.add(hf, p, unturned(dim), nil)
		return
	}
	b.add(hf, p, nil, nil)
}

func unOne(b *ggufBinder, hf string, p ggufPart) { b.add(hf, p, nil, lessOne) }

// unExp turns A, [n, 1] in Mamba-2, to A_log.
func unExp(b *ggufBinder, hf string, p ggufPart) { b.add(hf, b.flattened(p), nil, logDecay) }

func flat(b *ggufBinder, hf string, p ggufPart) { b.add(hf, b.flattened(p), nil, nil) }

// flattened takes dimensions off that only Mamba-2's tensors have in GGUF: [n, 1] and [groups, n/groups] are [n] elsewhere.
func (b *ggufBinder) flattened(p ggufPart) ggufPart {
	if b.arch.name == "mamba2" {
		return p.shaped(p.Len())
	}
	return p
}

// unsqueeze gives a convolution, [channels, width], its middle dimension.
func unsqueeze(b *ggufBinder, hf string, p ggufPart) {
	if len(p.Shape) == 2 {
		p = p.shaped(p.Shape[0], 1, p.Shape[1])
	}
	b.add(hf, p, nil, nil)
}

// splitQKV binds queries, keys and values that are one matrix.
func splitQKV(b *ggufBinder, hf string, p ggufPart) {
	q, kv := b.c.Heads*b.c.HeadDim, b.c.KVHeads*b.c.HeadDim
	if p.Shape[0] != q+2*kv {
		b.add(strings.Replace(hf, "%s", "qkv", 1), p, nil, nil)
		return
	}
	for _, x := range []struct {
		name   string
		lo, hi int
	}{{"q", 0, q}, {"k", q, q + kv}, {"v", q + kv, q + 2*kv}} {
		b.add(strings.Replace(hf, "%s", x.name, 1), p.rows(x.lo, x.hi), nil, nil)
	}
}

// experts binds the matrices of all experts of a layer, which are one tensor.
func experts(b *ggufBinder, hf string, p ggufPart) {
	if len(p.Shape) != 3 {
		b.add(hf, p, nil, nil)
		return
	}
	for e := range p.Shape[0] {
		one := p.rows(e, e+1)
		one.Shape = p.Shape[1:]
		b.add(strings.Replace(hf, "%d", fmt.Sprint(e), 1), one, nil, nil)
	}
}
