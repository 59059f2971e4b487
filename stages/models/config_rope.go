package models

import (
	"cmp"
	"fmt"
	"slices"
)

// RopeScaling is config.json's rope_scaling, or rope_parameters as transformers 5 names it. Zero values stand for what
// the file does not say; none of them is a legal value.
type RopeScaling struct {
	Kind                          string // as in rope_type, "default" if there is no scaling
	Factor                        float64
	OriginalMaxPositions          int
	LowFreqFactor, HighFreqFactor float64   // llama3
	AttentionFactor               float64   // yarn, longrope: what cos and sin are multiplied by
	Mscale, MscaleAllDim          float64   // yarn
	BetaFast, BetaSlow            float64   // yarn
	ShortFactor, LongFactor       []float64 // longrope, one per frequency
	Divisors                      []float64 // divided, one per frequency

	parameters bool     // written as rope_parameters
	given      []string // fields present, sorted
	unknown    []string // fields present that nobody understands, sorted
}

// readRope reads all that RoPE depends on.
func (c *Config) readRope(f *fields) {
	above1 := func(v float64) bool { return v > 1 }
	share := func(v float64) bool { return v > 0 && v <= 1 }
	f.number("rope_theta", &c.RopeTheta, "a number above 1", above1)
	f.number("partial_rotary_factor", &c.PartialRotary, "a number above 0, at most 1", share)
	old, parameters := f.take("rope_scaling"), f.take("rope_parameters")
	c.RopeScaling.Kind = "default"
	switch {
	case old != nil && parameters != nil:
		f.errs = append(f.errs, fmt.Errorf("%s: has both rope_scaling and rope_parameters; remove one of them", f.file))
		return
	case old == nil && parameters == nil:
		return
	}
	key, raw := "rope_scaling", old
	if parameters != nil {
		key, raw = "rope_parameters", parameters
	}
	g, err := parseFields(f.file, key+".", raw)
	if err != nil {
		f.errs = append(f.errs, fmt.Errorf("%s: %s is not an object: %.60s", f.file, key, raw))
		return
	}
	c.RopeScaling.parameters = parameters != nil
	if parameters != nil {
		theta, rotary := c.RopeTheta, c.PartialRotary
		g.number("rope_theta", &c.RopeTheta, "a number above 1", above1)
		g.number("partial_rotary_factor", &c.PartialRotary, "a number above 0, at most 1", share)
		g.sameAs(f, "rope_theta", theta, c.RopeTheta)
		g.sameAs(f, "partial_rotary_factor", rotary, c.PartialRotary)
	}
	c.RopeScaling.read(g, c.ModelType)
	f.errs = append(f.errs, g.errs...)
}

// sameAs records an error if outer, too, has the field but with another value.
func (f *fields) sameAs(outer *fields, key string, outside, inside float64) {
	if outer.raw[key] != nil && outside != inside {
		f.wrong(key, fmt.Sprintf("the same as %s outside, %v", key, outside))
	}
}

func (r *RopeScaling) read(f *fields, modelType string) {
	positive := func(v float64) bool { return v > 0 }
	var oldName, newName string
	f.text("type", &oldName)
	f.text("rope_type", &newName)
	if oldName != "" && newName != "" && oldName != newName {
		f.wrong("type", fmt.Sprintf("the same as rope_type, %q", newName))
	}
	r.Kind = kindOf(cmp.Or(newName, oldName, "default"), modelType)
	f.size("original_max_position_embeddings", &r.OriginalMaxPositions, maxSize)
	for _, n := range []struct {
		key string
		dst *float64
	}{
		{"factor", &r.Factor}, {"low_freq_factor", &r.LowFreqFactor}, {"high_freq_factor", &r.HighFreqFactor},
		{"attention_factor", &r.AttentionFactor}, {"mscale", &r.Mscale}, {"mscale_all_dim", &r.MscaleAllDim},
		{"beta_fast", &r.BetaFast}, {"beta_slow", &r.BetaSlow},
	} {
		f.number(n.key, n.dst, "a number above 0", positive)
	}
	f.numbers("short_factor", &r.ShortFactor, "numbers above 0", positive)
	f.numbers("long_factor", &r.LongFactor, "numbers above 0", positive)
	f.numbers("divisors", &r.Divisors, "numbers above 0", positive)
	f.take("finetuned") // provenance, in the first YaRN checkpoints
	for key, raw := range f.raw {
		switch {
		case string(raw) == "null":
		case f.read[key]:
			r.given = append(r.given, key)
		default:
			r.unknown = append(r.unknown, key)
		}
	}
	slices.Sort(r.given)
	slices.Sort(r.unknown)
}

// kindOf resolves names that transformers has renamed: longrope was "su" once, and "yarn" in the first Phi-3 models.
func kindOf(name, modelType string) string {
	if name == "su" || name == "yarn" && modelType == "phi3" {
		return "longrope"
	}
	return name
}
