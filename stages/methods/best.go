package methods

import (
	"math"
	"slices"

	"scbench/kernels"
)

// best chooses the total highest of several lists of scores together, and returns the indices chosen of each list, ascending. Ties go to the
// earlier list, then to the lower index.
func best(scores [][]float32, total int) [][]int32 {
	chosen := kernels.TopK(nil, slices.Concat(scores...), total)
	out := make([][]int32, len(scores))
	start, at := 0, 0
	for i, list := range scores {
		out[i] = []int32{}
		for ; at < len(chosen) && int(chosen[at]) < start+len(list); at++ {
			out[i] = append(out[i], chosen[at]-int32(start))
		}
		start += len(list)
	}
	return out
}

// guarded returns scores with the safe highest of each list raised above all others, so that best chooses them in any case.
func guarded(scores [][]float32, safe int) [][]float32 {
	out := make([][]float32, len(scores))
	for i, list := range scores {
		out[i] = slices.Clone(list)
		for _, s := range kernels.TopK(nil, list, safe) {
			out[i][s] = float32(math.Inf(1))
		}
	}
	return out
}
