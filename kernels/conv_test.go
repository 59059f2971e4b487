package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestCausalConvSiLU(t *testing.T) {
	pool := NewPool(3)
	defer pool.Close()
	eachTier(t, func(t *testing.T) {
		rng := newRand(70)
		for _, channels := range []int{1, 8, 16, 40, 256, 275} {
			for _, width := range []int{1, 2, 4, 9} {
				const tokens, extra = 21, 5
				stride := channels + extra
				x, weight, bias := normals(rng, tokens*stride), normals(rng, width*channels), normals(rng, channels)
				start := normals(rng, (width-1)*channels)
				input := func(t, c int) float64 { // with the state before token 0
					if t < 0 {
						return float64(start[(t+width-1)*channels+c])
					}
					return float64(x[t*stride+c])
				}
				want := make([]float64, tokens*channels)
				for t := range tokens {
					for c := range channels {
						s := float64(bias[c])
						for r := range width {
							s += input(t-width+1+r, c) * float64(weight[r*channels+c])
						}
						want[t*channels+c] = s / (1 + math.Exp(-s))
					}
				}
				var first []float32
				for _, cut := range []int{tokens, 1, 2, 5} {
					what := fmt.Sprintf("channels=%d width=%d cut=%d", channels, width, cut)
					state, out := slices.Clone(start), filled(tokens*channels, nan)
					for from := 0; from < tokens; from += cut {
						m := min(cut, tokens-from)
						last := (from+m-1)*stride + channels // the last row may end there
						CausalConvSiLU(pool, out[from*channels:][:m*channels], state, x[from*stride:last], weight, bias, m, channels, stride, width)
					}
					near(t, what, out, want, 2e-6)
					if first == nil {
						first = out
					}
					sameBits(t, what, out, first)
					for r := range width - 1 {
						for c := range channels {
							if got := state[r*channels+c]; float64(got) != input(tokens-width+1+r, c) {
								t.Fatalf("%s: state [%d, %d] = %v, want %v", what, r, c, got, input(tokens-width+1+r, c))
							}
						}
					}
				}
			}
		}
		mustPanic(t, "state", func() {
			CausalConvSiLU(nil, nil, make([]float32, 1), nil, make([]float32, 4), make([]float32, 2), 0, 2, 2, 2)
		})
	})
}
