package kernels

import (
	"math"
	"testing"
)

func TestExpNeg(t *testing.T) {
	worst := 0.0
	for x := float32(0); x >= -87; x -= 0.00037 {
		want := math.Exp(float64(x))
		worst = max(worst, math.Abs(float64(expNeg(x))-want)/want)
	}
	t.Logf("largest relative error %.2g", worst)
	if worst > 2e-7 {
		t.Errorf("relative error %g", worst)
	}
	for x, want := range map[float32]float32{0: 1, -88: 0, -1e30: 0, ninf: 0, -1e-30: 1} {
		if got := expNeg(x); got != want {
			t.Errorf("expNeg(%v) = %v, want %v", x, got, want)
		}
	}
	if v := expNeg(nan); v == v {
		t.Errorf("expNeg(NaN) = %v", v)
	}
	if v := expNeg(expMin); v <= 0 {
		t.Errorf("expNeg(%v) = %v", expMin, v)
	}
}

func TestLog(t *testing.T) {
	for x := 1e-3; x < 1e9; x *= 1.00173 {
		if got, want := log(x), math.Log(x); math.Abs(got-want) > 1e-15*max(1, math.Abs(want)) {
			t.Fatalf("log(%v) = %v, want %v", x, got, want)
		}
	}
	if log(1) != 0 {
		t.Errorf("log(1) = %v", log(1))
	}
}
