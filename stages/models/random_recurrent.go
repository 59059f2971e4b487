package models

import "fmt"

// randomMamba2 is a Mamba-2 of heads of dim numbers in groups, with states states each.
func randomMamba2(name string, layers, hidden, heads, dim, groups, states, vocab int) RandomShape {
	c := baseConfig("Mamba2ForCausalLM", "mamba2", layers, hidden, vocab)
	c["num_heads"], c["head_dim"], c["n_groups"], c["state_size"] = heads, dim, groups, states
	inner := heads * dim
	width := inner + 2*groups*states
	return RandomShape{name, c, func(add func(string, ...int)) {
		add("backbone.embeddings.weight", vocab, hidden)
		add("backbone.norm_f.weight", hidden)
		for i := range layers {
			p := fmt.Sprintf("backbone.layers.%d.", i)
			add(p+"norm.weight", hidden)
			p += "mixer."
			add(p+"in_proj.weight", inner+width+heads, hidden)
			add(p+"conv1d.weight", width, 1, 4)
			add(p+"conv1d.bias", width)
			add(p+"dt_bias", heads)
			add(p+"A_log", heads)
			add(p+"D", heads)
			add(p+"norm.weight", inner)
			add(p+"out_proj.weight", hidden, inner)
		}
	}}
}

// randomJamba is a Jamba with attention in every eighth layer and experts in every other one.
func randomJamba(name string, layers, hidden, heads, kvHeads, states, ffn, experts, vocab int) RandomShape {
	c := baseConfig("JambaForCausalLM", "jamba", layers, hidden, vocab)
	c["num_attention_heads"], c["num_key_value_heads"], c["intermediate_size"], c["rms_norm_eps"] = heads, kvHeads, ffn, 1e-6
	c["attn_layer_period"], c["attn_layer_offset"], c["expert_layer_period"], c["expert_layer_offset"] = 8, 4, 2, 1
	c["num_experts"], c["num_experts_per_tok"] = experts, 2
	c["mamba_d_state"], c["mamba_d_conv"], c["mamba_expand"] = states, 4, 2
	inner, rank := 2*hidden, (hidden+15)/16
	return RandomShape{name, c, func(add func(string, ...int)) {
		add("model.embed_tokens.weight", vocab, hidden)
		add("model.final_layernorm.weight", hidden)
		for i := range layers {
			p := fmt.Sprintf("model.layers.%d.", i)
			add(p+"input_layernorm.weight", hidden)
			add(p+"pre_ff_layernorm.weight", hidden)
			if i%8 == 4 {
				addAttention(add, p, hidden, hidden, hidden/heads*kvHeads)
			} else {
				addMamba(add, p+"mamba.", hidden, inner, rank, states)
			}
			p += "feed_forward."
			if i%2 == 0 {
				addMLP(add, p, hidden, ffn)
				continue
			}
			add(p+"router.weight", experts, hidden)
			for e := range experts {
				addMLP(add, fmt.Sprintf("%sexperts.%d.", p, e), hidden, ffn)
			}
		}
	}}
}

// addMamba lists the tensors of Jamba's mixer.
func addMamba(add func(string, ...int), p string, hidden, inner, rank, states int) {
	add(p+"in_proj.weight", 2*inner, hidden)
	add(p+"conv1d.weight", inner, 1, 4)
	add(p+"conv1d.bias", inner)
	add(p+"x_proj.weight", rank+2*states, inner)
	add(p+"dt_layernorm.weight", rank)
	add(p+"b_layernorm.weight", states)
	add(p+"c_layernorm.weight", states)
	add(p+"dt_proj.weight", inner, rank)
	add(p+"dt_proj.bias", inner)
	add(p+"A_log", inner, states)
	add(p+"D", inner)
	add(p+"out_proj.weight", hidden, inner)
}
