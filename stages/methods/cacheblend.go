package methods

import (
	"errors"
	"strconv"

	"scbench/kernels"
	"scbench/stages/engine"
)

// CacheBlend puts the keys and values of a context together from those of chunks that were computed each alone, and computes afresh the
// tokens whose values differ most from what the whole context makes of them. A question after the context is computed as ever.
var CacheBlend = engine.Method{
	Name:    "cacheblend",
	Paper:   "Yao et al. 2024, arXiv:2405.16444",
	Doc:     "Reuses the keys and values of the context's chunks, computed each alone, and computes the tokens afresh whose values deviate most.",
	Stage:   engine.Retrieval,
	Differs: "Differs from the reference: a recomputed row reads no key after its own token, where the reference's mask is that of as many last rows; the first chunk, which is right as it is, is not computed again, nor in the lower layers; chunks are cut every so many tokens of the context, the first one with the chat template's beginning, without separators; the question is computed after the context is blended, which gives the same numbers; one choice, at the check layer, as in the reference's code and unlike the paper's gradual filter. Equal deviations go to the lower index.",
	Cost:    engine.CostClass{Prefill: "n² / 2 in the lower layers, ratio·n² / 2 in others; and n·chunk / 2 for chunks that are not cached", Decode: "all n tokens", Memory: "all n tokens", Decided: "at prefill, in the check layer", Aware: "no"},
	Params: []engine.Param{
		{Name: "ratio", Default: "0.15", Doc: "share of the context's tokens that are computed afresh, from 0 to 1"},
		{Name: "chunk", Default: "256", Doc: "tokens of a chunk"},
		{Name: "check", Default: "1", Doc: "layer, counted from 0, whose values are compared; up to it all tokens are computed"},
		{Name: "last", Default: "32", Doc: "last tokens of the context that are computed afresh in any case; at least the window of a method composed with this one"},
	},
	New: func(s engine.Shape, a engine.Args) (engine.Policy, error) {
		if s.State > 0 {
			return engine.Policy{}, errors.New("method cacheblend: the model has recurrent layers, and what they remember after several chunks cannot be put together from what they remember after each alone")
		}
		if s.Rotate == nil && s.Layers > 0 {
			return engine.Policy{}, errors.New("method cacheblend: it turns keys to other positions, and the model has no rotary embedding to turn them by")
		}
		ratio := a.Number("ratio", 0, 1)
		c := &engine.Chunking{Chunk: a.Int("chunk", 1), Check: a.Int("check", 0), Last: a.Int("last", 1)}
		if c.Check >= s.Layers && s.Layers > 0 {
			a.Fail("check", "a layer of the model, from 0 to "+strconv.Itoa(s.Layers-1))
		}
		c.Choose = func(deviation []float32, known int) []int32 {
			return kernels.TopK(nil, deviation, int(ratio*float64(known+len(deviation))))
		}
		return engine.Policy{Retrieve: c}, nil
	},
}
