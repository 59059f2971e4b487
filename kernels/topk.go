package kernels

import "math"

// TopK returns the indices of the k largest scores in ascending order, appended to dst[:0]. Ties go to the lower
// index, -0 equals 0, and NaN ranks below every number. All indices are returned if k ≥ len(scores), none if
// k ≤ 0. It takes a fixed number of passes over the scores at most, whatever they are. All tiers agree.
func TopK(dst []int32, scores []float32, k int) []int32 {
	dst = dst[:0]
	if k <= 0 {
		return dst
	}
	if k >= len(scores) {
		for i := range scores {
			dst = append(dst, int32(i))
		}
		return dst
	}
	return topK(dst, scores, k)
}

// topKGo is the portable twin for 0 < k < len(scores).
func topKGo(dst []int32, scores []float32, k int) []int32 {
	bound, ties := kthLargest(scores, k)
	for i, v := range scores {
		switch key := orderKey(v); {
		case key > bound:
			dst = append(dst, int32(i))
		case key == bound && ties > 0:
			dst = append(dst, int32(i))
			ties--
		}
	}
	return dst
}

// kthLargest returns the key of the k-th largest score, 0 < k < len(scores), and how many scores equal to it are
// among the k largest. It fixes the key from the top, eleven bits and a histogram at a time.
func kthLargest(scores []float32, k int) (key uint32, ties int) {
	const digit = 11
	known := uint32(0) // mask of the bits already fixed in key
	for shift := 32 - digit; ; shift = max(shift-digit, 0) {
		var count [1 << digit]int32
		for _, v := range scores {
			if u := orderKey(v); u&known == key {
				count[u>>shift&(1<<digit-1)]++
			}
		}
		d := len(count) - 1
		for ; int(count[d]) < k; d-- {
			k -= int(count[d])
		}
		key |= uint32(d) << shift
		known = ^uint32(0) << shift
		if shift == 0 {
			return key, k
		}
	}
}

// orderKey maps scores to integers in the same order: NaN lowest, the two zeros alike.
func orderKey(v float32) uint32 {
	if v != v {
		return 0
	}
	u := math.Float32bits(v + 0) // -0+0 is 0
	return u ^ (uint32(int32(u)>>31) | 1<<31)
}
