package stats

import "math"

// Sample is what was scored of one cell: values by cluster (a session) and bin (queries that a Statistic takes together,
// such as those of one turn). The zero value is empty. Methods that compute must not run at the same time as Add.
type Sample struct {
	values         []value
	clusters, bins int
	dense          []tally // cluster-major, clusters × bins; nil where values were added since
}

type value struct {
	cluster, bin int32
	x            float64
}

// tally is a number of values and their sum.
type tally struct{ sum, n float64 }

// Add takes a value in. Clusters and bins count from 0; one that never gets a value does not count.
func (s *Sample) Add(cluster, bin int, x float64) {
	s.values = append(s.values, value{int32(cluster), int32(bin), x})
	s.clusters, s.bins, s.dense = max(s.clusters, cluster+1), max(s.bins, bin+1), nil
}

func (s *Sample) tallies() []tally {
	if s.dense == nil {
		s.dense = make([]tally, s.clusters*s.bins)
		for _, v := range s.values {
			t := &s.dense[int(v.cluster)*s.bins+int(v.bin)]
			t.sum += v.x
			t.n++
		}
	}
	return s.dense
}

// Term is a weight times the mean over the values of some bins.
type Term struct {
	Weight float64
	Bins   []int
}

// Statistic is a sum of terms. A mean over all queries is one term; a mixed task has a term for each subtask; a decay has
// terms of both signs.
type Statistic []Term

// Value is the statistic of the sample; ok is false where a term has no values, or there is no term.
func (s *Sample) Value(of Statistic) (x float64, ok bool) {
	totals := make([]tally, s.bins)
	for i, t := range s.tallies() {
		totals[i%s.bins].sum += t.sum
		totals[i%s.bins].n += t.n
	}
	return of.of(totals)
}

// of computes the statistic from the totals of the bins.
func (st Statistic) of(totals []tally) (x float64, ok bool) {
	for _, term := range st {
		t := term.over(totals)
		if t.n == 0 {
			return 0, false
		}
		x += term.Weight * t.sum / t.n
	}
	return x, len(st) > 0
}

// over adds up the bins of a term; bins that the sample does not have are empty.
func (t Term) over(bins []tally) (all tally) {
	for _, b := range t.Bins {
		if b < len(bins) {
			all.sum += bins[b].sum
			all.n += bins[b].n
		}
	}
	return all
}

// Contributions are what each cluster adds to the statistic, which is their sum, as numbers of queries stand. A cluster
// without a value that counts has none, and is left out. Nil where the statistic has no value.
func (s *Sample) Contributions(of Statistic) []float64 {
	return s.perCluster(of, func(t, all tally) float64 { return t.sum / all.n })
}

// StandardError is the cluster-robust standard error of the statistic, in its unit, by linearisation with the correction
// K/(K-1) for K clusters, and K. It is NaN for fewer than two clusters.
func (s *Sample) StandardError(of Statistic) (se float64, clusters int) {
	dev := s.perCluster(of, func(t, all tally) float64 { return (t.sum - all.sum/all.n*t.n) / all.n })
	if len(dev) < 2 {
		return math.NaN(), len(dev)
	}
	sum := 0.0
	for _, u := range dev {
		sum += u * u
	}
	k := float64(len(dev))
	return math.Sqrt(sum * k / (k - 1)), len(dev)
}

// perCluster adds up, for each cluster that has a value in a term, what f makes of its tally and the total of the term.
func (s *Sample) perCluster(of Statistic, f func(t, all tally) float64) (out []float64) {
	dense := s.tallies()
	totals := make([]tally, len(of))
	for i, term := range of {
		for k := range s.clusters {
			t := term.over(dense[k*s.bins : (k+1)*s.bins])
			totals[i].sum += t.sum
			totals[i].n += t.n
		}
		if totals[i].n == 0 {
			return nil
		}
	}
	for k := range s.clusters {
		x, n := 0.0, 0.0
		for i, term := range of {
			if t := term.over(dense[k*s.bins : (k+1)*s.bins]); t.n > 0 {
				x += term.Weight * f(t, totals[i])
				n += t.n
			}
		}
		if n > 0 {
			out = append(out, x)
		}
	}
	return out
}

// count is the number of values that the statistic counts.
func (s *Sample) count(of Statistic) (n int) {
	dense := s.tallies()
	for k := range s.clusters {
		for _, term := range of {
			n += int(term.over(dense[k*s.bins : (k+1)*s.bins]).n)
		}
	}
	return n
}
