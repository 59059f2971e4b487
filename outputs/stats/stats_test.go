package stats

import (
	"math"
	"slices"
	"testing"
)

func close(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// The wanted values are those of R: qt, pt, power.t.test, mcnemar.test's exact form, p.adjust.
func TestKnownValues(t *testing.T) {
	close(t, "qt(.975, 1)", StudentQuantile(0.975, 1), 12.7062047361747, 1e-8)
	close(t, "qt(.975, 7)", StudentQuantile(0.975, 7), 2.36462425159278, 1e-9)
	close(t, "qt(.8, 19)", StudentQuantile(0.8, 19), 0.860950551, 1e-8)
	close(t, "qt(.025, 30)", StudentQuantile(0.025, 30), -2.04227245630124, 1e-9)
	close(t, "pt(1, 1)", StudentCDF(1, 1), 0.75, 1e-12)
	close(t, "pt(-2, 2)", StudentCDF(-2, 2), (1-2/math.Sqrt(6))/2, 1e-12)
	close(t, "noncentral without shift", noncentral(1.5, 9, 0), StudentCDF(1.5, 9), 1e-9)
	close(t, "power.t.test(n=20, delta=.5, type=one.sample)", 1-noncentral(StudentQuantile(0.975, 19), 19, math.Sqrt(5)), 0.5644829, 1e-7)
	close(t, "no effect", Power(0, 1, 20, 0.05), 0.05, 1e-7)
	close(t, "six clusters could", Power(100, 1, 6, 0.05), 1, 1e-9)
	close(t, "five could not", Power(100, 1, 5, 0.05), 0, 0)
	close(t, "McNemar 1:8", McNemar(1, 8), 0.0390625, 1e-12)
	close(t, "McNemar 5:5", McNemar(5, 5), 1, 0)
	close(t, "McNemar 0:0", McNemar(0, 0), 1, 0)
	want := []float64{0.03, 0.06, math.NaN(), 0.06, 0.02}
	for i, got := range Holm([]float64{0.01, 0.04, math.NaN(), 0.03, 0.005}) {
		if math.IsNaN(want[i]) != math.IsNaN(got) || math.Abs(got-want[i]) > 1e-12 {
			t.Errorf("Holm %d is %v, want %v", i, got, want[i])
		}
	}
}

func TestSmallestHasThePowerItNames(t *testing.T) {
	for _, clusters := range []int{6, 8, 30, 500} {
		d, ok := Smallest(0.8, 0.03, clusters, 0.05)
		if !ok {
			t.Fatalf("%d clusters see nothing", clusters)
		}
		close(t, "power at the smallest effect", Power(d, 0.03, clusters, 0.05), 0.8, 1e-6)
	}
	for _, c := range []struct {
		se       float64
		clusters int
	}{{0.03, 5}, {0, 50}, {math.NaN(), 1}} {
		if d, ok := Smallest(0.8, c.se, c.clusters, 0.05); ok {
			t.Errorf("standard error %v with %d clusters sees %v", c.se, c.clusters, d)
		}
	}
}

func TestSignFlipTriesAllSigns(t *testing.T) {
	two, less := SignFlip(1, []float64{1, 1, 1, 0, 1, 1, 1})
	close(t, "six alike, two-sided", two, 2.0/64, 0)
	close(t, "six alike, less", less, 1, 0)
	two, less = SignFlip(1, []float64{-3, 1, -2})
	close(t, "two-sided", two, 4.0/8, 0) // ±6, ±4 of 8
	close(t, "less", less, 2.0/8, 0)
	two, less = SignFlip(1, []float64{0, 0})
	close(t, "no difference", two+less, 2, 0)
}

// TestSignFlipDrawn compares drawn signs with the binomial law, which all differences alike have; 70 clusters need two words of signs.
func TestSignFlipDrawn(t *testing.T) {
	c := make([]float64, 70)
	for i := range c {
		c[i] = 1
		if i >= 43 {
			c[i] = -1
		}
	}
	two, less := SignFlip(3, c) // 43 of 70 better
	close(t, "two-sided", two, McNemar(43, 27), 0.008)
	again, _ := SignFlip(3, c)
	close(t, "again", again, two, 0)
	if less < 0.9 {
		t.Errorf("a gain is a loss with p %v", less)
	}
}

// mixed has two subtasks, of which the second has few values.
func mixed() (*Sample, Statistic) {
	var s Sample
	for k := range 10 {
		s.Add(k, 0, float64(k%2))
		s.Add(k, 0, 1)
		if k%2 == 0 {
			s.Add(k, 1, float64(k)/10)
		}
	}
	return &s, Statistic{{0.5, []int{0}}, {0.5, []int{1}}}
}

func TestStatisticOfParts(t *testing.T) {
	s, st := mixed()
	v, ok := s.Value(st)
	if !ok {
		t.Fatal("no value")
	}
	close(t, "value", v, (0.75+0.4)/2, 1e-12)
	sum := 0.0
	for _, c := range s.Contributions(st) {
		sum += c
	}
	close(t, "sum of contributions", sum, v, 1e-12)
	if v, ok := s.Value(Statistic{{1, []int{7}}}); ok {
		t.Errorf("a bin nobody filled has the mean %v", v)
	}
	iv := s.Intervals(1, 0.95, Range{0, 1}, st, Statistic{{1, []int{1}}}, Statistic{{1, []int{7}}})
	if !iv[0].OK || iv[0].N != 25 || iv[0].Clusters != 10 || iv[1].Clusters != 5 || iv[1].N != 5 || iv[2].OK || iv[2].N != 0 {
		t.Errorf("intervals %+v", iv)
	}
	for _, v := range iv[:2] {
		if !(v.Low < v.Value && v.Value < v.High) {
			t.Errorf("interval %+v", v)
		}
	}
	if again := s.Intervals(1, 0.95, Range{0, 1}, st); again[0] != iv[0] {
		t.Errorf("the same seed gives %+v and %+v", iv[0], again[0])
	}
}

func TestIntervalsOfLittle(t *testing.T) {
	sample := func(x ...float64) *Sample {
		var s Sample
		for k, v := range x {
			s.Add(k, 0, v)
		}
		return &s
	}
	all := Statistic{{1, []int{0}}}
	within := Range{0, 1}
	if one := sample(0.5).Intervals(1, 0.95, within, all)[0]; one.OK || one.Value != 0.5 || one.Low != 0 || one.High != 1 {
		t.Errorf("of one cluster: %+v", one)
	}
	same := sample(slices.Repeat([]float64{1}, 20)...).Intervals(1, 0.95, within, all)[0]
	close(t, "low of 20 right ones", same.Low, math.Pow(0.025, 0.05), 1e-12)
	close(t, "high of 20 right ones", same.High, 1, 0)
	three := sample(0.4, 0.5, 0.6).Intervals(1, 0.95, within, all)[0]
	close(t, "low of three", three.Low, 0.5-0.1/math.Sqrt(3)*StudentQuantile(0.975, 2), 1e-9)
	diff := sample(slices.Repeat([]float64{0}, 20)...).Intervals(1, 0.95, Range{-1, 1}, all)[0]
	close(t, "differences all 0: low", diff.Low, -diff.High, 1e-12)
}

func TestMix(t *testing.T) {
	a := Interval{Value: 0.5, Low: 0.4, High: 0.6, N: 50, Clusters: 20, OK: true}
	m := Mix(0.95, Range{0, 1}, []float64{0.5, 0.5}, []Interval{a, a})
	// two alike have the standard error of one over the root of two, and twice the degrees of freedom
	d := 0.1 / math.Sqrt2 * StudentQuantile(0.975, 38) / StudentQuantile(0.975, 19)
	close(t, "low", m.Low, 0.5-d, 1e-9)
	close(t, "high", m.High, 0.5+d, 1e-9)
	if m.N != 100 || m.Clusters != 40 || !m.OK {
		t.Errorf("mix %+v", m)
	}
	a.OK = false
	if m := Mix(0.95, Range{0, 1}, []float64{0.5, 0.5}, []Interval{a, a}); m.OK || m.Low != 0 || m.High != 1 {
		t.Errorf("of what is not known: %+v", m)
	}
}
