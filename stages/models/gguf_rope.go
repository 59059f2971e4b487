package models

import (
	"fmt"
	"math"
)

// The tensors that RoPE depends on: what its frequencies are divided by, in Llama 3.1 and in Phi-3's two lengths.
const (
	ropeDivisors = "rope_freqs.weight"
	ropeShort    = "rope_factors_short.weight"
	ropeLong     = "rope_factors_long.weight"
)

// rope translates what the rotary embedding depends on.
func (m *ggufMeta) rope() {
	m.number("rope.freq_base", "rope_theta")
	if dim, rotated := m.headDim(), m.whole("rope.dimension_count", ""); rotated > 0 && dim > 0 {
		share := float64(rotated) / float64(dim)
		if int64(float64(dim)*share) < rotated {
			share = math.Nextafter(share, 2) // so that the product is the number itself
		}
		m.out["partial_rotary_factor"] = share
	}
	kind := "none"
	lookup(m, "rope.scaling.type", &kind)
	scaling := map[string]any{}
	var factor, original float64
	lookup(m, "rope.scaling.factor", &factor)
	lookup(m, "rope.scaling.original_context_length", &original)
	if lookup(m, "rope.scale_linear", &factor) && kind == "none" {
		kind = "linear" // the name of 2023
	}
	attention := 0.0
	lookup(m, "rope.scaling.attn_factor", &attention)
	short, long := vectorOf(m.File, ropeShort), vectorOf(m.File, ropeLong)
	switch {
	case short != nil && long != nil:
		scaling["type"], scaling["short_factor"], scaling["long_factor"] = "longrope", short, long
		m.out["original_max_position_embeddings"] = original
		if attention != 0 {
			scaling["attention_factor"] = attention
		}
	case m.has(ropeDivisors):
		m.divisors(scaling, vectorOf(m.File, ropeDivisors), original)
	case kind == "linear" && factor != 0 && factor != 1:
		scaling["type"], scaling["factor"] = "linear", factor
	case kind == "yarn":
		m.yarn(factor, original, attention)
	case kind != "none" && kind != "linear" && kind != "longrope":
		m.wrong("%s.rope.scaling.type is %q, which is not supported", m.arch, kind)
	}
	if len(scaling) > 0 {
		m.out["rope_scaling"] = scaling
	}
}

// yarn translates YaRN. Written as rope_parameters, factor is the one that counts, as in llama.cpp.
func (m *ggufMeta) yarn(factor, original, attention float64) {
	scaling := map[string]any{"rope_type": "yarn", "factor": factor}
	if original != 0 {
		scaling["original_max_position_embeddings"] = original
	}
	for _, field := range []string{"beta_fast", "beta_slow"} {
		var v float64
		if lookup(m, "rope.scaling.yarn_"+field, &v) {
			scaling[field] = v
		}
	}
	for _, x := range []struct {
		key  string
		want float64
	}{{"yarn_log_multiplier", 0}, {"yarn_ext_factor", 1}, {"yarn_attn_factor", 1}} {
		v := x.want
		if lookup(m, "rope.scaling."+x.key, &v); v != x.want {
			m.wrong("%s.rope.scaling.%s is %v, only %v is supported", m.arch, x.key, v, x.want)
		}
	}
	if attention != 0 && attention != 1 {
		m.wrong("%s.rope.scaling.attn_factor is %v, only 1 is supported with yarn", m.arch, attention)
	}
	m.out["rope_parameters"] = scaling
}

// divisors translates what frequencies are divided by. Where they are those that Llama 3.1's formula gives, the formula is what is
// computed, in the same steps as for a folder; otherwise they are taken as they are.
func (m *ggufMeta) divisors(scaling map[string]any, divisors []float64, original float64) {
	theta, ok := m.out["rope_theta"].(float64)
	if !ok {
		theta = 10000
	}
	if len(divisors) == 0 || int64(2*len(divisors)) != m.headDim() {
		m.wrong("%s has %d numbers of type F32, want half the width of a head, %d / 2", ropeDivisors, len(divisors), m.headDim())
		return
	}
	factor := divisors[len(divisors)-1]
	lengths := []float64{8192, original} // of the published models first
	for n := 16.0; n <= 1<<20; n *= 2 {
		lengths = append(lengths, n)
	}
	for _, length := range lengths {
		if isLlama3(divisors, theta, factor, length) {
			scaling["rope_type"], scaling["factor"], scaling["low_freq_factor"], scaling["high_freq_factor"] = "llama3", factor, 1, 4
			scaling["original_max_position_embeddings"] = length
			return
		}
	}
	scaling["rope_type"], scaling["divisors"] = "divided", divisors
}

// isLlama3 reports whether the divisors are those of Llama 3.1's formula with the published low and high factors, 1 and 4, as the converter
// writes them, to what float32 can tell.
func isLlama3(divisors []float64, theta, factor, original float64) bool {
	if !(factor > 1) || !(original >= 1) {
		return false
	}
	for i, got := range divisors {
		wave := 2 * math.Pi * math.Pow(theta, float64(i)/float64(len(divisors)))
		want := 1.0
		switch turns := original / wave; {
		case turns < 1:
			want = factor
		case turns <= 4:
			smooth := (turns - 1) / 3
			want = 1 / ((1-smooth)/factor + smooth)
		}
		if !(math.Abs(got-want) <= 1e-5*want) {
			return false
		}
	}
	return true
}

// dividedRope divides every frequency by a number of its own, as a GGUF file lists them.
func dividedRope(c Config, dim int) (Rope, error) {
	divisors := c.RopeScaling.Divisors
	if len(divisors) != dim/2 {
		return Rope{}, fmt.Errorf("divisors are %d numbers, want %d, half the rotated dimensions", len(divisors), dim/2)
	}
	freqs := plain(c.RopeTheta, dim)
	for i := range freqs {
		freqs[i] /= float32(divisors[i])
	}
	return Rope{scale: 1, freqs: constant(freqs)}, nil
}
