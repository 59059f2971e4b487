package models

import (
	"cmp"
	"errors"
	"fmt"
	"math"
)

// yarnRope keeps frequencies that turn often within the original context, divides those that do not complete a turn,
// and blends between them by a ramp over the dimensions: https://arxiv.org/abs/2309.00071.
//
// With original_max_position_embeddings present, rope_scaling.factor is not used but max_position_embeddings divided by
// it: transformers 4.52.4 does so, other engines and (for rope_parameters) transformers 5 use the factor. Where the two
// differ, Notes says so.
func yarnRope(c Config, dim int) (Rope, error) {
	s := c.RopeScaling
	if c.MaxPositions == 0 {
		return Rope{}, errors.New("needs max_position_embeddings")
	}
	original, factor := c.MaxPositions, s.Factor
	var notes []string
	if s.OriginalMaxPositions != 0 {
		original = s.OriginalMaxPositions
		if ratio := float64(c.MaxPositions) / float64(original); !s.parameters {
			factor = ratio
		}
		if factor != s.Factor {
			notes = append(notes, fmt.Sprintf("%s: yarn uses the factor max_position_embeddings / original_max_position_embeddings = %v as transformers 4.52.4 does, not rope_scaling.factor = %v as other engines do; set max_position_embeddings to %v to make them agree", c.Name, factor, s.Factor, s.Factor*float64(original)))
		}
	}
	low, high := yarnRange(c, dim, original)
	freqs := make([]float32, dim/2)
	for i, w := range wavelengths(c.RopeTheta, dim) {
		keep := 1 - min(max((float32(i)-float32(low))/float32(high-low), 0), 1)
		freqs[i] = float32(1/(float32(factor)*w)*(1-keep)) + float32(1/w*keep)
	}
	return Rope{scale: float32(yarnScale(s, factor)), freqs: constant(freqs), notes: notes}, nil
}

// yarnRange returns the frequencies between which the ramp runs: those that turn beta_fast and beta_slow times within
// the original context.
func yarnRange(c Config, dim, original int) (low, high float64) {
	turning := func(turns float64) float64 {
		return float64(dim) * math.Log(float64(original)/(turns*2*math.Pi)) / (2 * math.Log(c.RopeTheta))
	}
	low = max(math.Floor(turning(cmp.Or(c.RopeScaling.BetaFast, 32))), 0)
	high = min(math.Ceil(turning(cmp.Or(c.RopeScaling.BetaSlow, 1))), float64(dim-1))
	if low == high {
		high += 0.001
	}
	return low, high
}

// yarnScale is what cos and sin are multiplied by, so that attention is as sharp over the longer context.
func yarnScale(s RopeScaling, factor float64) float64 {
	mscale := func(m float64) float64 {
		if factor <= 1 {
			return 1
		}
		return 0.1*m*math.Log(factor) + 1
	}
	switch {
	case s.AttentionFactor != 0:
		return s.AttentionFactor
	case s.Mscale != 0 && s.MscaleAllDim != 0:
		return mscale(s.Mscale) / mscale(s.MscaleAllDim)
	}
	return mscale(1)
}
