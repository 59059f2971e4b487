package gguftest

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// squeezed takes the middle dimension off a convolution.
func squeezed(_ *converter, x []float32, shape []int) ([]float32, []int) {
	return x, []int{shape[0], shape[2]}
}

// decay makes A of A_log.
func decay(_ *converter, x []float32, shape []int) ([]float32, []int) {
	for i, v := range x {
		x[i] = float32(-math.Exp(float64(v)))
	}
	return x, shape
}

func column(_ *converter, x []float32, _ []int) ([]float32, []int) { return x, []int{len(x), 1} }

func mambaNames(prefix, mixer string) []rename {
	names := layer(prefix, "norm.weight", "attn_norm.weight", mixer+"in_proj.weight", "ssm_in.weight", mixer+"conv1d.weight", "ssm_conv1d.weight",
		mixer+"conv1d.bias", "ssm_conv1d.bias", mixer+"x_proj.weight", "ssm_x.weight", mixer+"dt_proj.weight", "ssm_dt.weight", mixer+"dt_proj.bias", "ssm_dt.bias",
		mixer+"A_log", "ssm_a", mixer+"D", "ssm_d", mixer+"out_proj.weight", "ssm_out.weight")
	names = edited(edited(names, "ssm_conv1d.weight", squeezed), "ssm_a", decay)
	return append(names, rename{"backbone.embeddings.weight", "token_embd.weight", nil}, rename{"backbone.norm_f.weight", "output_norm.weight", nil},
		rename{"lm_head.weight", "output.weight", nil})
}

func mamba2Names() []rename {
	columns := func(c *converter, x []float32, shape []int) ([]float32, []int) {
		x, _ = decay(c, x, shape)
		return column(c, x, shape)
	}
	names := edited(edited(mambaNames("backbone.layers.", "mixer."), "ssm_a", columns), "ssm_d", nil)
	for i := range names {
		if strings.HasSuffix(names[i].to, "ssm_d") {
			names[i].edit = column
		}
	}
	groups := func(c *converter, x []float32, _ []int) ([]float32, []int) {
		n := int(c.num("n_groups", 1))
		return x, []int{n, len(x) / n}
	}
	return append(names, rename{"backbone.layers.#.mixer.dt_bias", "blk.#.ssm_dt.bias", nil}, rename{"backbone.layers.#.mixer.norm.weight", "blk.#.ssm_norm.weight", groups})
}

func (c *converter) ssm(inner int, width, states, rank string) {
	c.put("ssm.inner_size", inner)
	c.put("ssm.conv_kernel", int(c.num(width, 4)))
	c.put("ssm.state_size", int(c.num(states, 16)))
	c.put("ssm.time_step_rank", int(c.num(rank, 0)))
}

func (c *converter) mamba() {
	c.put("context_length", 1<<20)
	c.put("feed_forward_length", 0)
	c.put("attention.head_count", 0)
	c.ssm(int(c.num("expand", 2)*c.num("hidden_size", 0)), "conv_kernel", "state_size", "time_step_rank")
	c.put("ssm.dt_b_c_rms", false)
}

func (c *converter) mamba2() {
	c.put("context_length", 1<<20)
	c.put("feed_forward_length", 0)
	c.put("attention.head_count", 0)
	c.ssm(int(c.num("expand", 2)*c.num("hidden_size", 0)), "conv_kernel", "state_size", "num_heads")
	c.put("ssm.group_count", int(c.num("n_groups", 1)))
}

func (c *converter) jamba() {
	c.put("context_length", int(c.num("max_position_embeddings", 0)))
	c.put("feed_forward_length", int(c.num("intermediate_size", 0)))
	c.put("attention.head_count", c.heads())
	var kv []int32
	for i := range int(c.num("num_hidden_layers", 0)) {
		n := int32(0)
		if i%int(c.num("attn_layer_period", 1)) == int(c.num("attn_layer_offset", 0)) {
			n = int32(c.kvHeads())
		}
		kv = append(kv, n)
	}
	c.put("attention.head_count_kv", kv)
	c.ssm(int(c.num("mamba_expand", 2)*c.num("hidden_size", 0)), "mamba_d_conv", "mamba_d_state", "mamba_dt_rank")
	c.put("expert_count", int(c.num("num_experts", 0)))
	c.put("expert_used_count", int(c.num("num_experts_per_tok", 0)))
}

// dropped leaves a tensor to what comes after.
func dropped(*converter, []float32, []int) ([]float32, []int) { return nil, nil }

func jambaNames() []rename {
	names := slices.Concat(around[:1], around[2:], []rename{{"model.final_layernorm.weight", "output_norm.weight", nil}}, split, mambaNames("model.layers.", "mamba."),
		layer("model.layers.", "input_layernorm.weight", "attn_norm.weight", "pre_ff_layernorm.weight", "ffn_norm.weight", "feed_forward.router.weight", "ffn_gate_inp.weight",
			"feed_forward.gate_proj.weight", "ffn_gate.weight", "feed_forward.up_proj.weight", "ffn_up.weight", "feed_forward.down_proj.weight", "ffn_down.weight",
			"mamba.dt_layernorm.weight", "ssm_dt_norm.weight", "mamba.b_layernorm.weight", "ssm_b_norm.weight", "mamba.c_layernorm.weight", "ssm_c_norm.weight"))
	for _, kind := range []string{"gate", "up", "down"} {
		names = append(names, rename{"model.layers.#.feed_forward.experts.#." + kind + "_proj.weight", skip, dropped})
	}
	return names
}

// jambaExperts writes the experts of each layer as one tensor.
func (c *converter) jambaExperts() {
	for i := range int(c.num("num_hidden_layers", 0)) {
		for _, kind := range []string{"gate", "up", "down"} {
			var all []float32
			var shape []int
			for e := range int(c.num("num_experts", 0)) {
				t, ok := c.tensors[fmt.Sprintf("model.layers.%d.feed_forward.experts.%d.%s_proj.weight", i, e, kind)]
				if !ok {
					break
				}
				x, err := t.Float32s()
				if err != nil {
					c.err = err
				}
				all, shape = append(all, x...), append([]int{e + 1}, t.Shape...)
			}
			if all != nil {
				c.write(fmt.Sprintf("blk.%d.ffn_%s_exps.weight", i, kind), all, shape)
			}
		}
	}
}
