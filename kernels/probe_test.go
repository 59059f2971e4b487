package kernels

import "testing"

func TestProbe(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a gigabyte")
	}
	eachTier(t, func(t *testing.T) {
		l := Probe()
		t.Logf("bf16 %.0f GFLOP/s, f32 %.1f GFLOP/s, read %.1f GB/s", l.BF16/1e9, l.F32/1e9, l.Read/1e9)
		if l.F32 <= 0 || l.Read <= 0 || (l.BF16 > 0) != (active == tierAMX) {
			t.Errorf("limits %+v", l)
		}
	})
}
