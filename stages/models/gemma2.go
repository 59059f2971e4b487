package models

import (
	"errors"
	"math"

	"scbench/kernels"
	"scbench/stages/engine"
)

// NewGemma2 is the decoder of Gemma 2 (https://arxiv.org/abs/2408.00118): norms with 1 + weight before and after each part, embeddings
// times √hidden, GELU by tanh, every other layer with a sliding window beginning with the first, and soft bounds on attention scores and
// logits.
//
// Same as the reference (transformers 4.52.4, eager attention). In bfloat16 it rounds √hidden and bounds to bfloat16; here they are
// float32 in any precision.
func NewGemma2(c Config, w *Weights, pool *kernels.Pool, choice Choice) (engine.Model, error) {
	sliding, err1 := slidingLayers(c, func(l int) bool { return l%2 == 0 })
	scoreCap, err2 := c.bound("attn_logit_softcapping", 50)
	logitCap, err3 := c.bound("final_logit_softcapping", 30)
	scalar, err4 := c.bound("query_pre_attn_scalar", 256)
	act := "gelu_pytorch_tanh"
	_, err5 := c.Field("hidden_activation", &act)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	c.HiddenAct = act // hidden_act is of the first release and not heeded
	return newDecoder(c, w, pool, choice, design{
		names: hfNames, attnBias: true,
		needs:      []string{"head_dim", "query_pre_attn_scalar"},
		understood: []string{"sliding_window", "sliding_window_size", "layer_types", "attn_logit_softcapping", "final_logit_softcapping", "query_pre_attn_scalar", "hidden_activation"},
		onePlus:    true, gelu: true, sliding: sliding, scoreCap: float32(scoreCap), logitCap: float32(logitCap),
		embedScale: float32(math.Sqrt(float64(c.Hidden))),
		queryScale: float32(math.Sqrt(float64(c.HeadDim) / scalar)),
		block: func(r *reader, p string) block {
			b := block{
				attnNorm:    r.norm(p+"input_layernorm.weight", c.Hidden),
				attnOutNorm: r.norm(p+"post_attention_layernorm.weight", c.Hidden),
				mlpNorm:     r.norm(p+"pre_feedforward_layernorm.weight", c.Hidden),
				mlpOutNorm:  r.norm(p+"post_feedforward_layernorm.weight", c.Hidden),
				o:           r.linear(p+"self_attn.o_proj", c.Hidden, c.Heads*c.HeadDim, c.AttentionBias),
			}
			b.q, b.k, b.v = r.qkv(p+"self_attn.", c, c.AttentionBias)
			b.gate, b.up, b.down = r.gated(p+"mlp.", c, false)
			return b
		},
	})
}
