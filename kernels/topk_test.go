package kernels

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
)

// topKOracle sorts: larger first, NaN last, then the lower index.
func topKOracle(scores []float32, k int) []int32 {
	order := make([]int32, len(scores))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(scores[b], scores[a]) }) // NaN sorts lowest
	order = order[:max(0, min(k, len(order)))]
	slices.Sort(order)
	return order
}

func TestTopK(t *testing.T) { eachTier(t, testTopK) }

func testTopK(t *testing.T) {
	rng := newRand(17)
	special := []float32{0, float32(math.Copysign(0, -1)), nan, inf, ninf, 1, -1, math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32}
	draws := []func() float32{
		func() float32 { return float32(rng.NormFloat64()) },
		func() float32 { return float32(rng.IntN(5)) }, // many ties
		func() float32 { return special[rng.IntN(len(special))] },
		func() float32 { return math.Float32frombits(rng.Uint32()) },
		func() float32 { return 1 + float32(rng.IntN(64))/(1<<23) }, // equal but for the last bits
	}
	dst := make([]int32, 3)
	for _, n := range append(sizes, 5000) {
		for _, draw := range draws {
			scores := make([]float32, n)
			for i := range scores {
				scores[i] = draw()
			}
			for _, k := range []int{-1, 0, 1, 2, 7, n / 3, n / 2, n - 1, n, n + 1} {
				dst = TopK(dst, scores, k)
				if want := topKOracle(scores, k); !slices.Equal(dst, want) {
					t.Fatalf("n=%d k=%d: %v, want %v of %v", n, k, dst, want, scores)
				}
			}
		}
	}
}

func TestOrderKey(t *testing.T) {
	order := []float32{nan, ninf, -math.MaxFloat32, -1, -math.SmallestNonzeroFloat32, 0, math.SmallestNonzeroFloat32, 1, math.MaxFloat32, inf}
	for i := 1; i < len(order); i++ {
		if a, b := orderKey(order[i-1]), orderKey(order[i]); a >= b {
			t.Errorf("key of %v is %#x, of %v %#x", order[i-1], a, order[i], b)
		}
	}
	if a, b := orderKey(0), orderKey(float32(math.Copysign(0, -1))); a != b {
		t.Errorf("keys of the zeros are %#x and %#x", a, b)
	}
}

func BenchmarkTopK(b *testing.B) {
	for _, n := range []int{256, 1024, 8192, 131072} {
		for _, kind := range []string{"normal", "ties"} {
			scores := normals(newRand(18), n)
			if kind == "ties" {
				for i := range scores {
					scores[i] = float32(int(scores[i] * 8))
				}
			}
			dst := make([]int32, 0, n)
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) { eachBench(b, 4*n, func() { dst = TopK(dst, scores, n/16) }) })
		}
	}
}
