package kernels

import (
	"math"
	"slices"
)

// topK finds the k-th largest score by bisection of its key, counting in each step the scores that are at least as
// large. The comparison of float32 is that of their keys but for NaN, which is smaller than all. It often meets a bound
// that exactly k scores reach, and then needs no look at ties.
func topK(dst []int32, scores []float32, k int) []int32 {
	if active == tierGo || k >= countFrom(scores, float32(math.Inf(-1))) { // NaN is among the chosen, or nearly
		return topKGo(dst, scores, k)
	}
	dst = slices.Grow(dst, k)[:k]
	var key uint32
	for bit := uint32(1) << 31; bit > 0; bit >>= 1 {
		bound, number := fromOrderKey(key | bit)
		if !number {
			key |= bit // all numbers are above
			continue
		}
		switch n := countFrom(scores, bound); {
		case n == k:
			indicesFrom(dst, scores, bound, 0)
			return dst
		case n > k:
			key |= bit
		}
	}
	// Exactly the k-th largest: of those equal to it, the first ones.
	bound, _ := fromOrderKey(key)
	above := math.Nextafter32(bound, float32(math.Inf(1)))
	ties := k
	if above > bound {
		ties -= countFrom(scores, above)
	}
	end := 0 // just behind the last tie that is chosen
	for range ties {
		end += find(scores[end:], bound) + 1
	}
	n := indicesFrom(dst, scores[:end], bound, 0)
	if above > bound {
		indicesFrom(dst[n:], scores[end:], above, end)
	}
	return dst
}

// fromOrderKey is the number that has the key, or false for keys of NaN and below. Both zeros have a key here.
func fromOrderKey(key uint32) (v float32, number bool) {
	if key>>31 == 1 {
		v = math.Float32frombits(key &^ (1 << 31))
		return v, true // NaN above +Inf: no score reaches it
	}
	v = math.Float32frombits(^key)
	return v, v == v
}

// countFrom returns how many scores are at least f.
func countFrom(scores []float32, f float32) int {
	n, count := whole(len(scores)), 0
	for _, v := range scores[n:] {
		if v >= f {
			count++
		}
	}
	for scores = scores[:n]; len(scores) > 0; {
		run := min(len(scores), maxRun)
		if active >= tierAVX512 {
			count += countFromAVX512(&scores[0], f, run)
		} else {
			count += countFromAVX2(&scores[0], f, run)
		}
		scores = scores[run:]
	}
	return count
}

// indicesFrom writes the indices of the scores that are at least f, plus base, and returns their number. dst has room for
// them.
func indicesFrom(dst []int32, scores []float32, f float32, base int) int {
	n, count := whole(len(scores)), 0
	for at := 0; at < n && count < len(dst); at += maxRun {
		run := min(n-at, maxRun)
		if active >= tierAVX512 {
			count += indicesFromAVX512(&dst[count], &scores[at], f, base+at, run)
		} else {
			count += indicesFromAVX2(&dst[count], &scores[at], f, base+at, run)
		}
	}
	for i, v := range scores[n:] {
		if v >= f {
			dst[count] = int32(base + n + i)
			count++
		}
	}
	return count
}

// n is a positive multiple of sixteen in all of the following.

//go:noescape
func countFromAVX512(x *float32, f float32, n int) int

//go:noescape
func indicesFromAVX512(dst *int32, x *float32, f float32, base, n int) int

//go:noescape
func countFromAVX2(x *float32, f float32, n int) int

//go:noescape
func indicesFromAVX2(dst *int32, x *float32, f float32, base, n int) int
