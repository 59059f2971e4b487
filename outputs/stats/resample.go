package stats

import (
	"math"
	"slices"
)

// Resample is the two-sided interval, at a level such as 0.95, of whatever of computes from clusters, as Intervals makes it of
// statistics that are sums of means: for those that are not. strata are numbers of clusters, such as the sessions of each task;
// each is resampled by itself. of is given how often each cluster of each stratum counts, and says whether there is a value; it may
// keep nothing of its argument. Without a value of the clusters as they are there is no N; with fewer than two clusters in a stratum
// the interval is not OK. Low and High stay within the range.
func Resample(seed uint64, level float64, strata []int, within Range, of func(times [][]int) (float64, bool)) Interval {
	out := Interval{Low: within.Low, High: within.High}
	times := make([][]int, len(strata))
	least := math.MaxInt
	for i, n := range strata {
		times[i] = slices.Repeat([]int{1}, n)
		out.Clusters += n
		least = min(least, n)
	}
	v, ok := of(times)
	if !ok {
		return out
	}
	out.Value, out.N = v, out.Clusters
	if least < 2 || len(strata) == 0 {
		return out
	}
	rnd := random(seed)
	var draws []float64
	for range replicates {
		for i, n := range strata {
			clear(times[i])
			for range n {
				times[i][int((rnd.next()>>32)*uint64(n)>>32)]++
			}
		}
		if x, ok := of(times); ok {
			draws = append(draws, x)
		}
	}
	if len(draws) < replicates/2 { // the others are no sample of it
		return out
	}
	k := float64(least)
	tail, widen := NormalCDF(-StudentQuantile((1+level)/2, k-1)), math.Sqrt(k/(k-1))
	slices.Sort(draws)
	out.OK = true
	out.Low = max(v+widen*(quantile(draws, tail)-v), within.Low)
	out.High = min(v+widen*(quantile(draws, 1-tail)-v), within.High)
	return out
}
