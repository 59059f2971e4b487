package kernels

import "testing"

// TestAttentionSerial: the AMX kernels that weave units together give the bits of the one that does not.
func TestAttentionSerial(t *testing.T) {
	if !available(tierAMX) {
		t.Skip("no AMX here")
	}
	before := Tier()
	defer selectTier(t, before)
	selectTier(t, "amx")
	for _, d := range []int{64, 128} {
		for i, kind := range maskKinds {
			rng := newRand(uint64(d + i))
			p := pagedAttention(randomAttention(rng, 40, d, 9, func() uint64 {
				if rng.IntN(50) > 0 {
					return ^uint64(0)
				}
				return kind.draw(rng)
			}), PageBF16)
			var a Attention
			a.Start(PageBF16, p.q, 1, p.rows, d)
			a.tiles.run = flashAMX
			a.Pages(p.views)
			got := make([]float32, p.rows*d)
			a.Finish(got)
			sameBits(t, kind.name, got, p.finish(0, p.rows, 4))
		}
	}
}
