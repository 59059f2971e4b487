package kernels

import (
	"fmt"
	"math"
	"testing"
)

func TestSoftmax(t *testing.T) { eachTier(t, testSoftmax) }

func testSoftmax(t *testing.T) {
	rng := newRand(16)
	for _, n := range sizes[1:] {
		x := normals(rng, n)
		for i := range x {
			x[i] = x[i]*20 + 500
		}
		largest := float64(maxOf(x))
		sum := 0.0
		for _, v := range x {
			sum += math.Exp(float64(v) - largest)
		}
		want := make([]float64, n)
		for i, v := range x {
			want[i] = math.Exp(float64(v)-largest) / sum
		}
		if got := LogSumExp(x); math.Abs(got-largest-math.Log(sum)) > 3e-7 {
			t.Errorf("n=%d: LogSumExp %v, want %v", n, got, largest+math.Log(sum))
		}
		Softmax(x)
		near(t, fmt.Sprint("n=", n), x, want, 3e-7)
	}
	Softmax(nil)
	x := []float32{ninf, 2, ninf, 2}
	Softmax(x)
	sameBits(t, "masked", x, []float32{0, 0.5, 0, 0.5})
	if got := LogSumExp(nil); !math.IsInf(got, -1) {
		t.Errorf("LogSumExp of nothing = %v", got)
	}
	for _, bad := range [][]float32{{ninf, ninf}, {0, inf}, {nan, 1}} {
		lse := LogSumExp(bad)
		Softmax(bad)
		if lse == lse || !hasNaN(bad) {
			t.Errorf("LogSumExp = %v, Softmax = %v, want NaN", lse, bad)
		}
	}
}

func hasNaN(x []float32) bool {
	for _, v := range x {
		if v != v {
			return true
		}
	}
	return false
}

func TestArgmax(t *testing.T) { eachTier(t, testArgmax) }

func testArgmax(t *testing.T) {
	for _, c := range []struct {
		x    []float32
		want int
	}{
		{nil, -1}, {[]float32{nan, nan}, -1}, {[]float32{nan, ninf, nan}, 1}, {[]float32{1, 3, 3, 2}, 1},
		{[]float32{5}, 0}, {[]float32{ninf, ninf}, 0}, {[]float32{-1, nan, inf, inf}, 2}, {[]float32{0, float32(math.Copysign(0, -1))}, 0},
	} {
		if got := Argmax(c.x); got != c.want {
			t.Errorf("Argmax(%v) = %d, want %d", c.x, got, c.want)
		}
	}
}

// TestExpSum holds every tier's e^x to the bound of expNeg, and to its special values.
func TestExpSum(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		var x []float32
		for v := float32(0); v >= -87; v -= 0.00037 {
			x = append(x, v)
		}
		e := make([]float32, len(x))
		expSum(e, x, 0)
		worst := 0.0
		for i, v := range x {
			want := math.Exp(float64(v))
			worst = max(worst, math.Abs(float64(e[i])-want)/want)
		}
		t.Logf("largest relative error %.2g", worst)
		if worst > 2e-7 {
			t.Errorf("relative error %g", worst)
		}
		x = []float32{0, -88, -1e30, ninf, -1e-30, expMin, nan}
		e = make([]float32, len(x))
		expSum(e, x, 0)
		for i, want := range []float32{1, 0, 0, 0, 1} {
			if e[i] != want {
				t.Errorf("e^%v = %v, want %v", x[i], e[i], want)
			}
		}
		if e[5] <= 0 || e[6] == e[6] {
			t.Errorf("e^%v = %v, e^NaN = %v", x[5], e[5], e[6])
		}
	})
}
