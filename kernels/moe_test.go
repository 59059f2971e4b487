package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// randomChoice draws k different experts for each token, in ascending order; the first experts get most of them.
func randomChoice(seed uint64, tokens, k, experts int) []int32 {
	rng := newRand(seed)
	var choice []int32
	for range tokens {
		var chosen []int32
		for len(chosen) < k {
			e := int32(float64(experts) * rng.Float64() * rng.Float64())
			if !slices.Contains(chosen, e) {
				chosen = append(chosen, e)
			}
		}
		slices.Sort(chosen)
		choice = append(choice, chosen...)
	}
	return choice
}

func TestTopExperts(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		const tokens, experts, k = 20, 17, 3
		logits := normals(newRand(80), tokens*experts)
		logits[4], logits[9] = 7, 7 // a tie
		for _, renormalize := range []bool{false, true} {
			choice, weight := make([]int32, tokens*k), make([]float32, tokens*k)
			TopExperts(choice, weight, slices.Clone(logits), tokens, experts, k, renormalize)
			for i := range tokens {
				row := logits[i*experts:][:experts]
				want := topKOracle(row, k)
				if got := choice[i*k:][:k]; !slices.Equal(got, want) {
					t.Fatalf("token %d: experts %v, want %v", i, got, want)
				}
				all, chosen := 0.0, 0.0
				for _, v := range row {
					all += math.Exp(float64(v))
				}
				for _, e := range want {
					chosen += math.Exp(float64(row[e]))
				}
				for j, e := range want {
					p := math.Exp(float64(row[e])) / all
					if renormalize {
						p *= all / chosen
					}
					near(t, fmt.Sprint("token ", i), weight[i*k+j:][:1], []float64{p}, 1e-6)
				}
			}
		}
		mustPanic(t, "k", func() { TopExperts(make([]int32, 3), make([]float32, 3), make([]float32, 2), 1, 2, 3, false) })
	})
}

// TestRoutes computes a mixture of linear experts and each token alone, expert by expert; the bits must be equal.
func TestRoutes(t *testing.T) {
	pool := NewPool(3)
	defer pool.Close()
	eachTier(t, func(t *testing.T) {
		rng := newRand(81)
		const experts, k, in, dim = 6, 2, 40, 33
		var w []*Weight
		for range experts {
			w = append(w, randomMatrix(t, rng, BF16, dim, in, 0).Pack(pool, PrecisionF32))
			defer w[len(w)-1].Close()
		}
		var r Routes
		for _, tokens := range []int{50, 0, 1, 7} {
			x, out := normals(rng, tokens*in), normals(rng, tokens*dim)
			choice, weight := randomChoice(82, tokens, k, experts), normals(rng, tokens*k)
			want := slices.Clone(out)
			for i, e := range choice {
				token, y := i/k, make([]float32, dim)
				times(nil, y, x[token*in:][:in], w[e], 1)
				for c, v := range y {
					want[token*dim+c] += float32(weight[i] * v)
				}
			}
			r.Set(choice, tokens, k, experts)
			rows, y := filled(tokens*k*in, nan), filled(tokens*k*dim, nan)
			r.Gather(pool, rows, x, in)
			r.Product(pool, y, rows, w)
			r.Combine(pool, out, y, weight, dim)
			sameBits(t, fmt.Sprint("tokens=", tokens), out, want)
			seen, last := 0, -1
			r.Each(func(e, lo, hi int) {
				if e <= last || lo != seen || hi <= lo || !slices.IsSorted(r.token[lo:hi]) {
					t.Errorf("expert %d has rows [%d, %d) with tokens %v", e, lo, hi, r.token[lo:hi])
				}
				seen, last = hi, e
			})
			if seen != r.Rows() {
				t.Errorf("%d rows, want %d", seen, r.Rows())
			}
		}
		mustPanic(t, "expert", func() { r.Set([]int32{6}, 1, 1, 6) })
		mustPanic(t, "expert -1", func() { r.Set([]int32{-1}, 1, 1, 6) })
		r.Set([]int32{5}, 1, 1, 6)
		mustPanic(t, "weights", func() { r.Product(nil, nil, nil, w[:5]) })
		mustPanic(t, "out", func() { r.Combine(nil, make([]float32, 4), make([]float32, 3), make([]float32, 1), 3) })
	})
}

func BenchmarkCombine(b *testing.B) {
	const tokens, k, dim, experts = 64, 2, 1024, 16
	var r Routes
	r.Set(randomChoice(83, tokens, k, experts), tokens, k, experts)
	out, y, weight := make([]float32, tokens*dim), make([]float32, tokens*k*dim), filled(tokens*k, 0.5)
	eachBench(b, 4*tokens*dim*(k+2), func() { r.Combine(nil, out, y, weight, dim) })
}
