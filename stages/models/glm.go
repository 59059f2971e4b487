package models

import (
	"scbench/kernels"
	"scbench/stages/engine"
)

// NewGLM is the decoder of GLM-4 in Hugging Face's layout: RoPE turns neighbours in the first half of each head, queries, keys and
// values have a bias, and the MLP's two halves are one matrix.
//
// Same as the reference (transformers 4.52.4).
func NewGLM(c Config, w *Weights, pool *kernels.Pool, choice Choice) (engine.Model, error) {
	return newDecoder(c, w, pool, choice, design{
		names: hfNames, attnBias: true, pairs: true,
		block: func(r *reader, p string) block { return glmBlock(r, p, c) },
	})
}

// NewGLM4 is the decoder of GLM-4-0414: a GLM that also normalises what comes out of attention and of the MLP.
//
// Same as the reference (transformers 4.52.4).
func NewGLM4(c Config, w *Weights, pool *kernels.Pool, choice Choice) (engine.Model, error) {
	return newDecoder(c, w, pool, choice, design{
		names: hfNames, attnBias: true, pairs: true,
		block: func(r *reader, p string) block {
			b := glmBlock(r, p, c)
			b.attnOutNorm = r.norm(p+"post_self_attn_layernorm.weight", c.Hidden)
			b.mlpOutNorm = r.norm(p+"post_mlp_layernorm.weight", c.Hidden)
			return b
		},
	})
}

func glmBlock(r *reader, p string, c Config) block {
	b := preNorms(r, p, c)
	b.q, b.k, b.v = r.qkv(p+"self_attn.", c, c.AttentionBias)
	b.o = r.linear(p+"self_attn.o_proj", c.Hidden, c.Heads*c.HeadDim, false)
	b.gate, b.up = r.halves(p+"mlp.gate_up_proj", c)
	b.down = r.linear(p+"mlp.down_proj", c.Hidden, c.Intermediate, false)
	return b
}
