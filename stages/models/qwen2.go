package models

import (
	"scbench/kernels"
	"scbench/stages/engine"
)

// NewQwen2 is the decoder of Qwen2 and Qwen2.5: a Llama whose queries, keys and values have a bias.
//
// Differs from the reference (transformers 4.52.4): a sliding window that is in use (use_sliding_window) holds in the layers from
// max_window_layers on, as published; its eager attention there masks all layers.
func NewQwen2(c Config, w *Weights, pool *kernels.Pool, choice Choice) (engine.Model, error) {
	sliding, err := qwenSliding(c)
	if err != nil {
		return nil, err
	}
	if err := c.only("use_mrope", "false"); err != nil {
		return nil, err
	}
	return newDecoder(c, w, pool, choice, design{
		names: hfNames, sliding: sliding, understood: append(qwenFields, "use_mrope"),
		block: func(r *reader, p string) block {
			b := preNorms(r, p, c)
			b.q, b.k, b.v = r.qkv(p+"self_attn.", c, true)
			b.o = r.linear(p+"self_attn.o_proj", c.Hidden, c.Heads*c.HeadDim, false)
			b.gate, b.up, b.down = r.gated(p+"mlp.", c, false)
			return b
		},
	})
}

// qwenFields is the fields of config.json that Qwen's sliding windows depend on.
var qwenFields = []string{"sliding_window", "use_sliding_window", "max_window_layers", "layer_types"}

// qwenSliding reads them.
func qwenSliding(c Config) ([]int, error) {
	var use bool
	first := c.Layers
	if _, err := c.Field("use_sliding_window", &use); err != nil {
		return nil, err
	}
	if _, err := c.Field("max_window_layers", &first); err != nil {
		return nil, err
	}
	if !use {
		return nil, c.onlyLayers("full_attention")
	}
	return slidingLayers(c, func(l int) bool { return l >= first })
}
