package methods

import (
	"fmt"

	"scbench/kernels"
	"scbench/stages/engine"
)

// KIVI stores the prompt's keys and values in codes of a few bits: keys by channel in groups of 32 tokens, values by token in
// groups of 32 channels, scales and minima in binary16. The last tokens of the prompt and all that follow stay in full precision.
var KIVI = engine.Method{
	Name:    "kivi",
	Paper:   "Liu et al. 2024, arXiv:2402.02750",
	Doc:     "Stores the prompt's keys and values in 2, 4 or 8 bits.",
	Stage:   engine.Compression,
	Differs: "Differs from the reference: tokens are quantised in whole pages of kernels.PageTokens, keys and values alike, so that up to a page more than residual stays in full precision (the reference: keys in groups of residual tokens, values all but the last residual), and scales and minima are rounded to binary16 before codes are chosen, as they are stored. Like the benchmark's code and unlike the paper's it does not quantise what is appended later. A group of equal numbers is exact, where the reference divides by zero.",
	Cost:    engine.CostClass{Prefill: "n² / 2", Decode: "n at bits/16 of the size + scales", Memory: "n at bits/16 of the size + scales", Decided: "static", Aware: "no"},
	Params: []engine.Param{
		{Name: "bits", Default: "2", Doc: "bits of a code: 2, 4 or 8"},
		{Name: "residual", Default: "32", Doc: "last tokens of the prompt that stay in full precision, at least"},
	},
	New: func(s engine.Shape, a engine.Args) (engine.Policy, error) {
		formats := map[string]kernels.PageFormat{"2": kernels.PageQ2, "4": kernels.PageQ4, "8": kernels.PageQ8}
		p := engine.Policy{Quantise: formats[a.Choice("bits", "2", "4", "8")], Residual: a.Int("residual", 0)}
		if s.Dim%kernels.QuantGroup != 0 {
			return p, fmt.Errorf("method kivi: it quantises values in groups of %d channels, and the model's heads have %d", kernels.QuantGroup, s.Dim)
		}
		return p, nil
	},
}
