package stats

import (
	"cmp"
	"math"
	"slices"
)

const (
	exactFlips = 13   // clusters up to which all signs are tried
	randFlips  = 9999 // signs drawn above that
	breakTies  = 1e-6 // weight of what decides between equal sums
)

// SignFlip tests that paired differences are symmetric around 0 by flipping the sign of whole clusters. contributions are
// what each cluster adds to the difference (Sample.Contributions). All signs are tried for up to 13 clusters that are not 0,
// and 9,999 are drawn with the seed for more. two is the p-value of a difference of either sign, less that of a
// negative one; both are 1 where there is no difference anywhere. Of two equal sums, which few scores in few sessions often
// give, that one counts as more extreme whose sum of square roots is: the same difference, spread over more clusters.
func SignFlip(seed uint64, contributions []float64) (two, less float64) {
	c := slices.DeleteFunc(slices.Clone(contributions), func(x float64) bool { return x == 0 })
	observed, size := 0.0, 0.0
	for _, x := range c {
		size += math.Abs(x)
	}
	if len(c) == 0 {
		return 1, 1
	}
	for i, x := range c {
		c[i] += math.Copysign(breakTies*math.Sqrt(math.Abs(x)*size), x)
	}
	observed = flipped(c, func(int) uint64 { return 0 })
	slack := 1e-12 * size // sums in another order are the same sums
	var extreme, below, n int
	count := func(sum float64) {
		n++
		if math.Abs(sum) >= math.Abs(observed)-slack {
			extreme++
		}
		if sum <= observed+slack {
			below++
		}
	}
	if len(c) <= exactFlips {
		for signs := range uint64(1) << len(c) {
			count(flipped(c, func(int) uint64 { return signs }))
		}
	} else {
		count(observed) // is one of the possible outcomes
		rnd := random(seed)
		for range randFlips {
			count(flipped(c, func(int) uint64 { return rnd.next() }))
		}
	}
	return float64(extreme) / float64(n), float64(below) / float64(n)
}

// flipped is the sum of c with the signs that bits says, 64 of them at a time.
func flipped(c []float64, bits func(from int) uint64) (sum float64) {
	for from := 0; from < len(c); from += 64 {
		signs := bits(from)
		for _, x := range c[from:min(from+64, len(c))] {
			sum += math.Float64frombits(math.Float64bits(x) ^ signs<<63)
			signs >>= 1
		}
	}
	return sum
}

// McNemar is the exact two-sided p-value of better and worse being equally likely, where so many of the paired binary
// scores changed each way (McNemar 1947, by the binomial). It takes queries as independent, which those of one session are
// not: read it beside SignFlip, not in its place.
func McNemar(better, worse int) float64 {
	n := better + worse
	p := 0.0
	whole, _ := math.Lgamma(float64(n + 1))
	for i := range min(better, worse) + 1 {
		a, _ := math.Lgamma(float64(i + 1))
		b, _ := math.Lgamma(float64(n - i + 1))
		p += math.Exp(whole - a - b - float64(n)*math.Ln2)
	}
	return min(1, 2*p)
}

// Holm adjusts the p-values of a table so that the chance of one false finding or more in it is at most the level they are
// compared with (Holm 1979), whatever hangs on what. NaN stands for a test that was not made, and does not count.
func Holm(p []float64) []float64 {
	var order []int
	out := slices.Clone(p)
	for i, x := range p {
		if !math.IsNaN(x) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	least := 0.0
	for rank, i := range order {
		least = max(least, min(1, float64(len(order)-rank)*p[i]))
		out[i] = least
	}
	return out
}
