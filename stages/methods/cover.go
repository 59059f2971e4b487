package methods

import (
	"math"
	"slices"
)

// blockMass sums a distribution over tokens in blocks of size.
func blockMass(x []float32, size int) []float32 {
	out := make([]float32, blocksOf(len(x), size))
	for i, v := range x {
		out[i/size] += v
	}
	return out
}

// cover is one more than the number of the largest numbers of x that together are at most share.
func cover(x []float32, share float64) int {
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	sum, n := 0.0, 1
	for i := len(sorted) - 1; i >= 0; i-- {
		if sum += float64(sorted[i]); sum > share {
			break
		}
		n++
	}
	return n
}

// jensenShannon is the distance of two distributions, the root of their divergence in nats.
func jensenShannon(p, q []float32) float64 {
	var sum float64
	for i := range p {
		a, b := float64(p[i]), float64(q[i])
		m := (a + b) / 2
		sum += half(a, m) + half(b, m)
	}
	return math.Sqrt(max(0, sum/2))
}

// half is x·ln(x/m), 0 for x = 0.
func half(x, m float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(x/m)
}

// leadingShare finds which of many non-negative numbers, taken in descending order, add up to no more than limit: all that are larger than
// bound, and ties of those equal to it. rows hands out the numbers, part by part, and is run three times, so that they need
// not be kept: each run sums them by some more bits of their representation, which orders them.
func leadingShare(rows func(yield func([]float32)), limit float64) (bound float32, ties int) {
	var key, known uint32
	var sum float64 // of the numbers above all that begin with key
	for _, digit := range [...]struct{ shift, bits int }{{21, 11}, {10, 11}, {0, 10}} {
		mask := uint32(1)<<digit.bits - 1
		mass := make([]float64, mask+1)
		rows(func(row []float32) {
			for _, x := range row {
				if u := math.Float32bits(x); u&known == key {
					mass[u>>digit.shift&mask] += float64(x)
				}
			}
		})
		at := mask
		for ; at > 0 && sum+mass[at] <= limit; at-- {
			sum += mass[at]
		}
		key |= at << digit.shift
		known |= mask << digit.shift
	}
	if bound = math.Float32frombits(key); bound > 0 {
		ties = int((limit - sum) / float64(bound))
	}
	return bound, ties
}
