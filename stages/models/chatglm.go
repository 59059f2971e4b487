package models

import (
	"fmt"

	"scbench/kernels"
	"scbench/stages/engine"
)

// NewChatGLM is the decoder of glm-4-9b-chat and its 1M relative as their authors publish them: a GLM with names of its own, queries,
// keys and values in one matrix.
//
// Same as the reference (modeling_chatglm.py of glm-4-9b-chat-1m), whose scaling of queries by the layer's number cancels out.
func NewChatGLM(c Config, w *Weights, pool *kernels.Pool, choice Choice) (engine.Model, error) {
	return newDecoder(c, w, pool, choice, design{
		names: names{
			"transformer.embedding.word_embeddings.weight", "transformer.encoder.layers.%d.",
			"transformer.encoder.final_layernorm.weight", "transformer.output_layer.weight",
		},
		ignored: []string{"transformer.rotary_pos_emb.inv_freq"}, attnBias: true, pairs: true,
		needs: []string{"padded_vocab_size", "ffn_hidden_size", "seq_length", "kv_channels"},
		block: func(r *reader, p string) block {
			b := preNorms(r, p, c)
			b.q, b.k, b.v = r.fusedQKV(p+"self_attention.query_key_value", c, c.AttentionBias)
			b.o = r.linear(p+"self_attention.dense", c.Hidden, c.Heads*c.HeadDim, false)
			b.gate, b.up = r.halves(p+"mlp.dense_h_to_4h", c)
			b.down = r.linear(p+"mlp.dense_4h_to_h", c.Hidden, c.Intermediate, false)
			return b
		},
	})
}

// readChatGLM reads the names that ChatGLM's configuration has for what others have, and refuses variants that no GLM-4 is.
func (c *Config) readChatGLM(f *fields) {
	f.size("padded_vocab_size", &c.Vocab, maxSize)
	f.size("ffn_hidden_size", &c.Intermediate, maxSize)
	layers := c.Layers
	f.size("num_layers", &c.Layers, maxLayers)
	if layers != 0 && layers != c.Layers {
		f.wrong("num_layers", fmt.Sprintf("the same as num_hidden_layers, %d", layers))
	}
	f.size("kv_channels", &c.HeadDim, maxHeadDim)
	f.size("seq_length", &c.MaxPositions, maxSize)
	f.number("layernorm_epsilon", &c.RMSNormEps, "a number of at least 0", func(v float64) bool { return v >= 0 })
	f.flag("add_qkv_bias", &c.AttentionBias)
	grouped, groups := false, 0
	f.flag("multi_query_attention", &grouped)
	f.size("multi_query_group_num", &groups, maxSize)
	if grouped {
		c.KVHeads = groups
	}
	ratio := 1.0
	f.number("rope_ratio", &ratio, "a number above 0", func(v float64) bool { return v > 0 })
	c.RopeTheta *= ratio
	for _, x := range []struct {
		key  string
		want bool
	}{
		{"rmsnorm", true}, {"post_layer_norm", true}, {"original_rope", true},
		{"apply_residual_connection_post_layernorm", false}, {"add_bias_linear", false},
	} {
		got := x.want
		if f.flag(x.key, &got); got != x.want {
			f.wrong(x.key, map[bool]string{true: "true, as in GLM-4", false: "false, as in GLM-4"}[x.want])
		}
	}
	for _, key := range []string{"apply_query_key_layer_scaling", "attention_softmax_in_fp32", "bias_dropout_fusion", "fp32_residual_connection"} {
		f.take(key) // how the reference computes, not what
	}
}
