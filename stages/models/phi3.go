package models

import (
	"errors"

	"scbench/kernels"
	"scbench/stages/engine"
)

// NewPhi3 is the decoder of Phi-3, Phi-3.5 and Phi-4-mini: a Llama that stores queries, keys and values as one matrix and the two halves
// of the MLP as another, with longrope for long contexts.
//
// Same as the reference (transformers 4.52.4), but that the set of longrope's frequencies is one for all passes over a conversation: see
// engine.Session.RopeLength.
func NewPhi3(c Config, w *Weights, pool *kernels.Pool, choice Choice) (engine.Model, error) {
	sliding, err := slidingLayers(c, everyLayer)
	if err := errors.Join(err, c.only("lm_head_bias", "false"), c.only("full_attn_mod", "1"), c.only("interpolate_factor", "1")); err != nil {
		return nil, err
	}
	return newDecoder(c, w, pool, choice, design{
		names: hfNames, sliding: sliding,
		understood: []string{"sliding_window", "layer_types", "lm_head_bias", "full_attn_mod", "interpolate_factor"},
		block: func(r *reader, p string) block {
			b := preNorms(r, p, c)
			b.q, b.k, b.v = r.fusedQKV(p+"self_attn.qkv_proj", c, false)
			b.o = r.linear(p+"self_attn.o_proj", c.Hidden, c.Heads*c.HeadDim, false)
			b.gate, b.up = r.halves(p+"mlp.gate_up_proj", c)
			b.down = r.linear(p+"mlp.down_proj", c.Hidden, c.Intermediate, false)
			return b
		},
	})
}
