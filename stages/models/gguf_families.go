package models

import "fmt"

// llamaGGUF: Llama, and Mistral, which the converter makes a Llama of. A sliding window that the file states is heeded, as in transformers;
// llama.cpp heeds none in a file of this architecture.
func llamaGGUF(m *ggufMeta) {
	if m.whole("attention.sliding_window", "sliding_window") > 0 {
		m.decoder("MistralForCausalLM", "mistral", "silu")
		return
	}
	delete(m.out, "sliding_window")
	m.decoder("LlamaForCausalLM", "llama", "silu")
	m.out["attention_bias"] = m.has("blk.0.attn_q.bias")
	m.out["mlp_bias"] = m.has("blk.0.ffn_gate.bias")
}

// has reports whether the file has the tensor.
func (m *ggufMeta) has(tensor string) bool {
	_, ok := m.Tensor(tensor)
	return ok
}

// qwenGGUF: Qwen2, whose biases are a matter of course, and Qwen3.
func qwenGGUF(class, kind string) func(*ggufMeta) {
	return func(m *ggufMeta) {
		m.decoder(class, kind, "silu")
		if kind == "qwen3" {
			m.out["attention_bias"] = m.has("blk.0.attn_q.bias")
		}
	}
}

// phi3GGUF: Phi-3, Phi-3.5, Phi-4 and Phi-4-mini. A window of 0 is none. As in transformers, a window is heeded, and the length of the text
// says which of longrope's frequencies hold; llama.cpp heeds no window here and goes by the room that its cache has.
func phi3GGUF(m *ggufMeta) {
	m.decoder("Phi3ForCausalLM", "phi3", "silu")
	if m.whole("attention.sliding_window", "sliding_window") == 0 {
		delete(m.out, "sliding_window")
	}
}

// glmGGUF: GLM-4, of which the converter writes both of its layouts alike, and GLM-4-0414. Where no key says how wide a head is, the matrix
// of queries, keys and values does.
func glmGGUF(class, kind string) func(*ggufMeta) {
	return func(m *ggufMeta) {
		heads, groups := m.whole("attention.head_count", ""), m.whole("attention.head_count_kv", "")
		if all, _ := m.Tensor("blk.0.attn_qkv.weight"); len(all.Shape) == 2 && 0 < heads && heads < maxSize && 0 < groups && groups < maxSize {
			m.out["head_dim"] = max(int64(all.Shape[0])/(heads+2*groups), 1)
		}
		m.decoder(class, kind, "silu")
		m.out["attention_bias"] = m.has("blk.0.attn_qkv.bias") || m.has("blk.0.attn_q.bias")
	}
}

// gemma2GGUF: Gemma 2. What queries are divided by is not in the file: it is what the published models have, √head_dim but in the one of
// 46 layers, as llama.cpp takes it too.
func gemma2GGUF(m *ggufMeta) {
	m.decoder("Gemma2ForCausalLM", "gemma2", "gelu_pytorch_tanh")
	m.out["hidden_activation"] = "gelu_pytorch_tanh"
	m.whole("attention.sliding_window", "sliding_window")
	m.number("attn_logit_softcapping", "attn_logit_softcapping")
	m.number("final_logit_softcapping", "final_logit_softcapping")
	m.out["query_pre_attn_scalar"] = m.headDim()
	if m.out["num_hidden_layers"] == int64(46) {
		hidden, _ := m.out["hidden_size"].(int64)
		heads, _ := m.out["num_attention_heads"].(int64)
		m.out["query_pre_attn_scalar"] = hidden / max(heads, 1)
	}
}

// ssm translates the sizes of a Mamba mixer and returns its inner width as a multiple of hidden_size.
func (m *ggufMeta) ssm(state, width, rank string) (expand int64) {
	m.whole("ssm.state_size", state)
	m.whole("ssm.conv_kernel", width)
	m.whole("ssm.time_step_rank", rank)
	inner := m.whole("ssm.inner_size", "")
	hidden, _ := m.out["hidden_size"].(int64)
	if inner < 1 || hidden < 1 || inner%hidden != 0 {
		m.wrong("%s.ssm.inner_size is %d, want a multiple of embedding_length, %d", m.arch, inner, hidden)
		return 1
	}
	return inner / hidden
}

// recurrent is what Mamba 1 and 2 share beside the mixer.
func (m *ggufMeta) recurrent(class, kind string) {
	m.class(class, kind)
	delete(m.out, "max_position_embeddings") // the converter invents it
	m.number("attention.layer_norm_rms_epsilon", "layer_norm_epsilon")
	delete(m.out, "rms_norm_eps")
	m.zero("feed_forward_length", "attention.head_count", "attention.head_count_kv")
	m.out["use_conv_bias"] = m.has("blk.0.ssm_conv1d.bias")
}

func mambaGGUF(m *ggufMeta) {
	m.recurrent("MambaForCausalLM", "mamba")
	m.out["expand"] = m.ssm("state_size", "conv_kernel", "time_step_rank")
	norms := false
	if lookup(m, "ssm.dt_b_c_rms", &norms); norms {
		m.wrong("mamba.ssm.dt_b_c_rms is true: a Falcon-Mamba, which is not supported")
	}
}

func mamba2GGUF(m *ggufMeta) {
	m.recurrent("Mamba2ForCausalLM", "mamba2")
	expand := m.ssm("state_size", "conv_kernel", "num_heads")
	m.out["expand"] = expand
	m.whole("ssm.group_count", "n_groups")
	hidden, _ := m.out["hidden_size"].(int64)
	heads, _ := m.out["num_heads"].(int64)
	if heads < 1 || expand*hidden%heads != 0 {
		m.wrong("mamba2.ssm.inner_size is %d, not a multiple of ssm.time_step_rank, %d", expand*hidden, heads)
		return
	}
	m.out["head_dim"] = expand * hidden / heads
}

// jambaGGUF: which layers have attention and which have experts follows from the number of their heads and from the tensors.
func jambaGGUF(m *ggufMeta) {
	m.class("JambaForCausalLM", "jamba")
	m.out["hidden_act"] = "silu"
	m.whole("feed_forward_length", "intermediate_size")
	m.whole("attention.head_count", "num_attention_heads")
	m.whole("expert_count", "num_experts")
	m.whole("expert_used_count", "num_experts_per_tok")
	m.out["mamba_expand"] = m.ssm("mamba_d_state", "mamba_d_conv", "mamba_dt_rank")
	m.out["mamba_conv_bias"] = m.has("blk.0.ssm_conv1d.bias")
	var kv []int64
	lookup(m, "attention.head_count_kv", &kv)
	layers, _ := m.out["num_hidden_layers"].(int64)
	if int64(len(kv)) != layers {
		m.wrong("jamba.attention.head_count_kv has %d numbers for %d layers", len(kv), layers)
		return
	}
	m.period("attn", len(kv), func(i int) bool {
		if kv[i] != 0 {
			m.out["num_key_value_heads"] = kv[i]
		}
		return kv[i] != 0
	})
	m.period("expert", len(kv), func(i int) bool { return m.has(fmt.Sprintf("blk.%d.ffn_gate_inp.weight", i)) })
}

// period finds out that of n layers every so-manieth from a first on is of a kind.
func (m *ggufMeta) period(kind string, n int, is func(int) bool) {
	first, every := -1, n
	for i := range n {
		switch {
		case !is(i):
		case first < 0:
			first = i
		case every == n:
			every = i - first
		}
	}
	for i := range n {
		if first < 0 || first >= every || is(i) != (i%every == first) {
			m.wrong("layers with %s do not come at regular distances, as Jamba's do", map[string]string{"attn": "attention", "expert": "experts"}[kind])
			return
		}
	}
	m.out[kind+"_layer_period"], m.out[kind+"_layer_offset"] = every, first
}
