package models

import (
	"scbench/kernels"
	"scbench/stages/engine"
)

// NewQwen3 is the decoder of Qwen3: a Llama that normalises every head of queries and keys before RoPE.
//
// Differs from the reference (transformers 4.52.4) in sliding windows as NewQwen2 does.
func NewQwen3(c Config, w *Weights, pool *kernels.Pool, choice Choice) (engine.Model, error) {
	sliding, err := qwenSliding(c)
	if err != nil {
		return nil, err
	}
	return newDecoder(c, w, pool, choice, design{
		names: hfNames, attnBias: true, sliding: sliding, understood: qwenFields,
		block: func(r *reader, p string) block {
			b := preNorms(r, p, c)
			b.q, b.k, b.v = r.qkv(p+"self_attn.", c, c.AttentionBias)
			b.queryNorm = r.norm(p+"self_attn.q_norm.weight", c.HeadDim)
			b.keyNorm = r.norm(p+"self_attn.k_norm.weight", c.HeadDim)
			b.o = r.linear(p+"self_attn.o_proj", c.Hidden, c.Heads*c.HeadDim, c.AttentionBias)
			b.gate, b.up, b.down = r.gated(p+"mlp.", c, false)
			return b
		},
	})
}
