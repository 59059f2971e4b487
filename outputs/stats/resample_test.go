package stats

import (
	"math"
	"testing"
)

// TestResample compares with Intervals on what both can compute: a mean over clusters.
func TestResample(t *testing.T) {
	const n = 40
	var s Sample
	values := make([]float64, n)
	for i := range values {
		values[i] = math.Mod(float64(i*i)*0.37, 1)
		s.Add(i, 0, values[i])
	}
	mean := func(times [][]int) (float64, bool) {
		sum, count := 0.0, 0
		for i, k := range times[0] {
			sum, count = sum+float64(k)*values[i], count+k
		}
		return sum / float64(count), count > 0
	}
	want := s.Intervals(3, 0.95, Range{0, 1}, Statistic{{Weight: 1, Bins: []int{0}}})[0]
	got := Resample(3, 0.95, []int{n}, Range{0, 1}, mean)
	if !got.OK || got.Clusters != n || math.Abs(got.Value-want.Value) > 1e-12 || math.Abs(got.Low-want.Low) > 0.02 || math.Abs(got.High-want.High) > 0.02 {
		t.Errorf("resampled %+v, as means %+v", got, want)
	}
	if again := Resample(3, 0.95, []int{n}, Range{0, 1}, mean); again != got {
		t.Errorf("the same seed gives %+v and %+v", got, again)
	}
	if none := Resample(3, 0.95, []int{n}, Range{0, 1}, func([][]int) (float64, bool) { return 0, false }); none.N != 0 || none.OK {
		t.Errorf("without a value: %+v", none)
	}
	if one := Resample(3, 0.95, []int{n, 1}, Range{0, 1}, mean); one.OK || one.N == 0 {
		t.Errorf("a stratum of one cluster: %+v", one)
	}
}
