package models

import (
	"errors"
	"fmt"
	"math"
)

// ropeKinds lists the kinds of RoPE, in the order of transformers' modeling_rope_utils.py, and what GGUF files have beside them.
var ropeKinds = []ropeKind{
	{name: "default", make: defaultRope},
	{name: "linear", keys: []string{"factor"}, needs: []string{"factor"}, make: linearRope},
	{name: "dynamic", keys: []string{"factor"}, needs: []string{"factor"}, make: dynamicRope, moves: true},
	{
		name:  "yarn",
		keys:  []string{"factor", "original_max_position_embeddings", "attention_factor", "mscale", "mscale_all_dim", "beta_fast", "beta_slow"},
		needs: []string{"factor"}, make: yarnRope,
	},
	{
		name:  "longrope",
		keys:  []string{"short_factor", "long_factor", "attention_factor", "factor", "original_max_position_embeddings"},
		needs: []string{"short_factor", "long_factor"}, make: longRope, moves: true,
	},
	{
		name:  "llama3",
		keys:  []string{"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"},
		needs: []string{"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}, make: llama3Rope,
	},
	{name: "divided", keys: []string{"divisors"}, needs: []string{"divisors"}, make: dividedRope},
}

// wavelengths returns base^(2i/dim), the inverse of the plain frequencies, in the float32 steps of the reference.
func wavelengths(base float64, dim int) []float32 {
	out := make([]float32, dim/2)
	for i := range out {
		out[i] = pow32(float32(base), float32(2*i)/float32(dim))
	}
	return out
}

func pow32(x, y float32) float32 { return float32(math.Pow(float64(x), float64(y))) }

// plain returns the frequencies of the original RoPE.
func plain(base float64, dim int) []float32 {
	out := wavelengths(base, dim)
	for i, w := range out {
		out[i] = 1 / w
	}
	return out
}

// constant is frequencies that hold for every length.
func constant(freqs []float32) func(int) []float32 { return func(int) []float32 { return freqs } }

// defaultRope: https://arxiv.org/abs/2104.09864.
func defaultRope(c Config, dim int) (Rope, error) {
	return Rope{scale: 1, freqs: constant(plain(c.RopeTheta, dim))}, nil
}

// linearRope divides all frequencies: https://arxiv.org/abs/2306.15595.
func linearRope(c Config, dim int) (Rope, error) {
	freqs := plain(c.RopeTheta, dim)
	for i := range freqs {
		freqs[i] /= float32(c.RopeScaling.Factor)
	}
	return Rope{scale: 1, freqs: constant(freqs)}, nil
}

// dynamicRope raises the base with the length once the length exceeds what the model was trained for.
//
// Differs from the reference: transformers keeps the base of the longest sequence seen until a short one comes; here
// the base is a function of the length alone.
func dynamicRope(c Config, dim int) (Rope, error) {
	if dim < 4 || c.MaxPositions == 0 {
		return Rope{}, fmt.Errorf("needs max_position_embeddings and at least 4 rotated dimensions, got %d and %d", c.MaxPositions, dim)
	}
	short := plain(c.RopeTheta, dim)
	exponent := float64(dim) / float64(dim-2)
	return Rope{scale: 1, freqs: func(n int) []float32 {
		if n <= c.MaxPositions {
			return short
		}
		stretch := 1 + c.RopeScaling.Factor*(float64(n)/float64(c.MaxPositions)-1)
		return plain(c.RopeTheta*math.Pow(stretch, exponent), dim)
	}}, nil
}

// longRope divides every frequency by a factor of its own, one set for sequences within the original context and one
// for longer ones: https://arxiv.org/abs/2402.13753.
func longRope(c Config, dim int) (Rope, error) {
	s := c.RopeScaling
	if len(s.ShortFactor) != dim/2 || len(s.LongFactor) != dim/2 {
		return Rope{}, fmt.Errorf("short_factor and long_factor have %d and %d values, want %d, half the rotated dimensions", len(s.ShortFactor), len(s.LongFactor), dim/2)
	}
	original, factor, err := longRopeLengths(c)
	if err != nil {
		return Rope{}, err
	}
	scale := s.AttentionFactor
	if scale == 0 {
		scale = 1
		if factor > 1 {
			scale = math.Sqrt(1 + math.Log(factor)/math.Log(float64(original)))
		}
	}
	short, long := wavelengths(c.RopeTheta, dim), wavelengths(c.RopeTheta, dim)
	for i := range short {
		short[i] = 1 / (float32(s.ShortFactor[i]) * short[i])
		long[i] = 1 / (float32(s.LongFactor[i]) * long[i])
	}
	return Rope{scale: float32(scale), freqs: func(n int) []float32 {
		if n > original {
			return long
		}
		return short
	}}, nil
}

// longRopeLengths returns the original context and how much longer the extended one is.
func longRopeLengths(c Config) (original int, factor float64, err error) {
	s := c.RopeScaling
	original = c.OriginalMaxPositions
	if original == 0 && s.parameters {
		original = s.OriginalMaxPositions
	}
	switch {
	case original == 0 && s.OriginalMaxPositions != 0:
		return 0, 0, errors.New("original_max_position_embeddings is inside rope_scaling, where transformers 4.52 ignores it and later versions do not; move it to the top level of config.json")
	case s.OriginalMaxPositions != 0 && s.OriginalMaxPositions != original:
		return 0, 0, fmt.Errorf("original_max_position_embeddings is %d here and %d at the top level", s.OriginalMaxPositions, original)
	case c.MaxPositions < 2 || original == 1:
		return 0, 0, errors.New("needs max_position_embeddings and original_max_position_embeddings of at least 2")
	case original != 0:
		return original, float64(c.MaxPositions) / float64(original), nil
	case s.Factor == 0 && s.AttentionFactor == 0:
		return 0, 0, errors.New("needs original_max_position_embeddings, factor or attention_factor")
	}
	return c.MaxPositions, s.Factor, nil
}

// llama3Rope divides low frequencies, keeps high ones and blends between, as Llama 3.1 does.
func llama3Rope(c Config, dim int) (Rope, error) {
	s := c.RopeScaling
	if s.HighFreqFactor <= s.LowFreqFactor {
		return Rope{}, fmt.Errorf("high_freq_factor is %v, want more than low_freq_factor, %v", s.HighFreqFactor, s.LowFreqFactor)
	}
	original := float64(s.OriginalMaxPositions)
	longest, shortest := float32(original/s.LowFreqFactor), float32(original/s.HighFreqFactor)
	factor := float32(s.Factor)
	freqs := plain(c.RopeTheta, dim)
	for i, f := range freqs {
		wave := (1 / f) * float32(2*math.Pi)
		switch {
		case wave > longest:
			freqs[i] = f / factor
		case wave >= shortest:
			smooth := (float32((1/wave)*float32(original)) - float32(s.LowFreqFactor)) / float32(s.HighFreqFactor-s.LowFreqFactor)
			freqs[i] = float32((1-smooth)*f/factor) + float32(smooth*f)
		}
	}
	return Rope{scale: 1, freqs: constant(freqs)}, nil
}
