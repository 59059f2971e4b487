package models

import (
	"scbench/kernels"
	"scbench/stages/engine"
)

// NewLlama is the decoder of Llama 1 to 3.2: RMSNorm before each part, grouped-query attention with RoPE, SwiGLU.
//
// Same as the reference (transformers 4.52.4): attention_bias is that of all four projections.
func NewLlama(c Config, w *Weights, pool *kernels.Pool, choice Choice) (engine.Model, error) {
	return newDecoder(c, w, pool, choice, design{
		names: hfNames, attnBias: true, mlpBias: true,
		block: func(r *reader, p string) block {
			b := preNorms(r, p, c)
			b.q, b.k, b.v = r.qkv(p+"self_attn.", c, c.AttentionBias)
			b.o = r.linear(p+"self_attn.o_proj", c.Hidden, c.Heads*c.HeadDim, c.AttentionBias)
			b.gate, b.up, b.down = r.gated(p+"mlp.", c, c.MLPBias)
			return b
		},
	})
}
