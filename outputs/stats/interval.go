package stats

import (
	"math"
	"slices"
)

// Interval is an estimate and what is known of it. Without OK, fewer than two clusters were seen and Low and High are those
// of the range; without N, there is no Value either.
type Interval struct {
	Value    float64 `json:"value"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	N        int     `json:"n"`        // values
	Clusters int     `json:"clusters"` // that they come from
	OK       bool    `json:"ok"`
}

// Range is what values can be: scores lie in Range{0, 1}, their differences in Range{-1, 1}.
type Range struct{ Low, High float64 }

// of is what a statistic of such values can be.
func (r Range) of(st Statistic) (out Range) {
	for _, t := range st {
		out.Low += min(t.Weight*r.Low, t.Weight*r.High)
		out.High += max(t.Weight*r.Low, t.Weight*r.High)
	}
	return out
}

const (
	replicates = 2000
	few        = 8 // clusters below which resampling them has too few outcomes, and Student's t stands in
)

// Intervals are two-sided intervals of statistics of the sample at a level such as 0.95, by resampling clusters with a
// seed: percentiles of the bootstrap, its deviations and tails widened for the number of clusters, without which a percentile
// interval of few clusters is too narrow (Hesterberg: What teachers should know about the bootstrap, 2015). Under 8 clusters it
// is Student's t with the cluster-robust standard error. Where all clusters agree, resampling them says nothing: then it is the
// set of means that a distribution can have which puts enough weight on one value to show it in every cluster. All values lie in
// the range values.
func (s *Sample) Intervals(seed uint64, level float64, values Range, of ...Statistic) []Interval {
	out := make([]Interval, len(of))
	var open []int // statistics to resample
	se := make([]float64, len(of))
	for i, st := range of {
		within := values.of(st)
		v, ok := s.Value(st)
		if !ok {
			out[i] = Interval{Low: within.Low, High: within.High}
			continue
		}
		var k int
		se[i], k = s.StandardError(st)
		out[i] = Interval{Value: v, Low: within.Low, High: within.High, N: s.count(st), Clusters: k, OK: k > 1}
		switch {
		case k < 2:
		case se[i] < 1e-12:
			q := math.Pow((1-level)/2, 1/float64(k))
			out[i].Low, out[i].High = q*v+(1-q)*within.Low, q*v+(1-q)*within.High
		case k < few:
			d := se[i] * StudentQuantile((1+level)/2, float64(k-1))
			out[i].Low, out[i].High = max(v-d, within.Low), min(v+d, within.High)
		default:
			open = append(open, i)
		}
	}
	if len(open) == 0 {
		return out
	}
	chosen := make([]Statistic, len(open))
	for j, i := range open {
		chosen[j] = of[i]
	}
	for j, draws := range s.resample(seed, chosen) {
		iv, within := &out[open[j]], values.of(chosen[j])
		k := float64(iv.Clusters)
		tail, widen := NormalCDF(-StudentQuantile((1+level)/2, k-1)), math.Sqrt(k/(k-1))
		slices.Sort(draws)
		iv.Low = max(iv.Value+widen*(quantile(draws, tail)-iv.Value), within.Low)
		iv.High = min(iv.Value+widen*(quantile(draws, 1-tail)-iv.Value), within.High)
	}
	return out
}

// resample draws clusters with replacement and returns the replicates of each statistic. A replicate in which a term
// has no values is left out.
func (s *Sample) resample(seed uint64, of []Statistic) [][]float64 {
	dense, bins, rnd := s.tallies(), s.bins, random(seed)
	out := make([][]float64, len(of))
	totals := make([]tally, bins)
	k := uint64(s.clusters)
	for range replicates {
		clear(totals)
		for range s.clusters {
			c := int((rnd.next() >> 32) * k >> 32)
			for b, t := range dense[c*bins : (c+1)*bins] {
				totals[b].sum += t.sum
				totals[b].n += t.n
			}
		}
		for i, st := range of {
			if x, ok := st.of(totals); ok {
				out[i] = append(out[i], x)
			}
		}
	}
	return out
}

// quantile interpolates between the order statistics.
func quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := p * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-1)
	j := min(i+1, len(sorted)-1)
	return sorted[i] + (at-float64(i))*(sorted[j]-sorted[i])
}

// Mix is the interval of a weighted sum of independent estimates, such as a mean over tasks, at the level that theirs have.
// Distances to each bound add up in quadrature (Zou and Donner: Construction of confidence limits about effect measures,
// 2008), each as so many standard errors of Student's t for its own clusters, and the sum for its own (Welch,
// Satterthwaite). It is not OK where one of them is not. It panics where there are not as many weights as estimates.
func Mix(level float64, within Range, weights []float64, of []Interval) Interval {
	if len(weights) != len(of) {
		panic("stats: Mix of other numbers of weights and estimates")
	}
	out := Interval{OK: len(of) > 0}
	for i, iv := range of {
		out.Value += weights[i] * iv.Value
		out.N += iv.N
		out.Clusters += iv.Clusters
		out.OK = out.OK && iv.OK
	}
	out.Low, out.High = within.Low, within.High
	if out.OK {
		out.Low = max(out.Value-reach(level, weights, of, Interval.below), within.Low)
		out.High = min(out.Value+reach(level, weights, of, Interval.above), within.High)
	}
	return out
}

func (iv Interval) below() float64 { return iv.Value - iv.Low }
func (iv Interval) above() float64 { return iv.High - iv.Value }

// reach is how far one bound of a mix lies from its value.
func reach(level float64, weights []float64, of []Interval, side func(Interval) float64) float64 {
	sum, spread := 0.0, 0.0
	for i, iv := range of {
		df := float64(iv.Clusters - 1)
		d := weights[i] * side(iv) / StudentQuantile((1+level)/2, df)
		sum += d * d
		spread += d * d * d * d / df
	}
	if sum == 0 {
		return 0
	}
	return math.Sqrt(sum) * StudentQuantile((1+level)/2, sum*sum/spread)
}
