package models

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"scbench/kernels"
)

// TestRecurrentConfigs changes configurations of random models: what would change the mathematics, or does not fit, is refused by name, and
// what does not matter is accepted.
func TestRecurrentConfigs(t *testing.T) {
	pool := kernels.NewPool(1)
	defer pool.Close()
	for _, c := range []struct{ shape, change, want string }{
		{"tiny-mamba2", `{"rms_norm": false}`, "rms_norm is false, want true"},
		{"tiny-mamba2", `{"rms_norm": true, "norm_before_gate": true, "chunk_size": 7, "residual_in_fp32": false, "time_step_rank": 256}`, ""},
		{"tiny-mamba2", `{"norm_groups": 1}`, ""},
		{"tiny-mamba2", `{"norm_groups": 4}`, "norm_groups is 4, want 1 or n_groups, 2"},
		{"tiny-mamba2", `{"n_groups": 3}`, "num_heads is 8, not a multiple of n_groups, 3"},
		{"tiny-mamba2", `{"num_heads": 7}`, "num_heads · head_dim is 7 · 16, not expand · hidden_size"},
		{"tiny-mamba2", `{"state_size": 0}`, "state_size is 0"},
		{"tiny-mamba2", `{"state_size": 8}`, "in_proj.weight"},
		{"tiny-mamba2", `{"time_step_limit": [0.1]}`, "time_step_limit is [0.1]"},
		{"tiny-mamba2", `{"time_step_limit": [0.001, 0.1]}`, ""},
		{"tiny-mamba2", `{"hidden_act": "gelu"}`, "hidden_act"},
		{"tiny-mamba2", `{"use_bias": true}`, "in_proj.bias"},
		{"tiny-mamba2", `{"use_conv_bias": false}`, "conv1d.bias"},
		{"tiny-mamba2", `{"layer_norm_epsilon": -1}`, "layer_norm_epsilon is -1"},
		{"tiny-mamba2", `{"attn_layer_idx": [1]}`, "attn_layer_idx"},
		{"tiny-jamba", `{"num_experts_per_tok": 5}`, "num_experts_per_tok is 5, more than num_experts, 4"},
		{"tiny-jamba", `{"num_experts": 3}`, "router.weight"},
		{"tiny-jamba", `{"num_experts": 1, "num_experts_per_tok": 1}`, "feed_forward"},
		{"tiny-jamba", `{"attn_layer_offset": 8}`, "attn_layer_offset is 8"},
		{"tiny-jamba", `{"attn_layer_offset": 3}`, "self_attn"},
		{"tiny-jamba", `{"sliding_window": 64}`, "sliding_window"},
		{"tiny-jamba", `{"mamba_inner_layernorms": false}`, "mamba_inner_layernorms is false, want true"},
		{"tiny-jamba", `{"mamba_dt_rank": "auto", "use_mamba_kernels": false, "sliding_window": null}`, ""},
		{"tiny-jamba", `{"mamba_dt_rank": 7}`, "x_proj.weight"},
		{"tiny-jamba", `{"attention_bias": true}`, "attention_bias"},
		{"tiny-jamba", `{"mamba_expand": null}`, "mamba_expand"},
	} {
		for _, s := range RandomShapes {
			if s.Name != c.shape {
				continue
			}
			s.config = maps.Clone(s.config)
			var change map[string]any
			if err := json.Unmarshal([]byte(c.change), &change); err != nil {
				t.Fatal(err)
			}
			maps.Copy(s.config, change)
			l, err := Random(s, pool, Choice{})
			if err == nil {
				if left := l.Weights.Unused(); len(left) > 0 {
					err = &unusedError{left[0]}
				}
				l.Close()
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s with %s: error %v, want %q", c.shape, c.change, err, c.want)
			}
		}
	}
}

// unusedError is what Load says of a tensor that no layer asks for.
type unusedError struct{ tensor string }

func (e *unusedError) Error() string { return e.tensor }
