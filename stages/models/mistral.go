package models

import (
	"scbench/kernels"
	"scbench/stages/engine"
)

// NewMistral is the decoder of Mistral: a Llama without biases, of whose rows each reads the last sliding_window tokens, where there is
// such a window: https://arxiv.org/abs/2310.06825.
//
// Same as the reference (transformers 4.52.4); the cache keeps what has left the window.
func NewMistral(c Config, w *Weights, pool *kernels.Pool, choice Choice) (engine.Model, error) {
	sliding, err := slidingLayers(c, everyLayer)
	if err != nil {
		return nil, err
	}
	return newDecoder(c, w, pool, choice, design{
		names: hfNames, sliding: sliding, understood: []string{"sliding_window", "layer_types"},
		block: func(r *reader, p string) block {
			b := preNorms(r, p, c)
			b.q, b.k, b.v = r.qkv(p+"self_attn.", c, false)
			b.o = r.linear(p+"self_attn.o_proj", c.Hidden, c.Heads*c.HeadDim, false)
			b.gate, b.up, b.down = r.gated(p+"mlp.", c, false)
			return b
		},
	})
}
