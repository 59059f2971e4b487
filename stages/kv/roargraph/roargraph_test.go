package roargraph

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"scbench/kernels"
)

const testDim = 16

// clustered makes n vectors around some centres, and queries that point elsewhere than they do, as those of attention.
func clustered(n, queries int, seed uint64) (vectors, training, fresh []float32) {
	r := rand.New(rand.NewPCG(seed, 1))
	normal := func(dst, around []float32, spread float64) []float32 {
		for _, c := range around {
			dst = append(dst, c+float32(spread*r.NormFloat64()))
		}
		return dst
	}
	zero := make([]float32, testDim)
	var centres, wants []float32
	for range 32 {
		centres, wants = normal(centres, zero, 1), normal(wants, zero, 1)
	}
	for i := range n {
		at := i % 32 * testDim
		vectors = normal(vectors, centres[at:at+testDim], 0.4)
	}
	for i := range queries {
		at := i % 32 * testDim
		training = normal(training, wants[at:at+testDim], 0.4)
		fresh = normal(fresh, wants[at:at+testDim], 0.4)
	}
	return vectors, training, fresh
}

// from gathers out of vectors.
func from(vectors []float32) func([]float32, []int32) {
	return func(dst []float32, ids []int32) {
		for i, id := range ids {
			copy(dst[i*testDim:(i+1)*testDim], vectors[int(id)*testDim:])
		}
	}
}

func ids(hits []Hit) (out []int32) {
	for _, h := range hits {
		out = append(out, h.ID)
	}
	return out
}

// exact is the k vectors with the largest products, ascending.
func exact(vectors, q []float32, k int) []int32 {
	scores := make([]float32, len(vectors)/testDim)
	kernels.KeyScores(scores, q, vectors, 1)
	return kernels.TopK(nil, scores, k)
}

// recall searches for every query, and returns the share of the true nearest that is found and the share of vectors looked at.
func recall(t *testing.T, g *Graph, vectors, queries []float32, k, width int) (found, looked float64) {
	t.Helper()
	common, seen, rows := 0, 0, len(queries)/testDim
	for i := range rows {
		q := queries[i*testDim : (i+1)*testDim]
		hits, work := g.Search(nil, q, k, width, from(vectors))
		got := ids(hits)
		seen += work.Vectors
		if len(got) != min(k, g.Len()) {
			t.Fatalf("query %d: %d vectors found, want %d", i, len(got), k)
		}
		for _, v := range exact(vectors, q, k) {
			if slices.Contains(got, v) {
				common++
			}
		}
	}
	return float64(common) / float64(k*rows), float64(seen) / float64(g.Len()*rows)
}

// TestRecall wants queries like those that a graph was built from to find what they look for by looking at few vectors.
func TestRecall(t *testing.T) {
	vectors, training, fresh := clustered(4000, 400, 1)
	g := Build(slices.Clone(vectors), training, testDim, Settings{Nearest: 50, Degree: 24, Width: 32})
	found, looked := recall(t, g, vectors, fresh, 20, 150)
	t.Logf("recall@20 %.3f, %.1f %% of the vectors looked at", found, 100*looked)
	if found < 0.95 || looked > 0.2 {
		t.Errorf("recall@20 is %.3f and %.1f %% of the vectors are looked at", found, 100*looked)
	}
}

// TestWidth wants wider walks to look at more vectors and to find more, those narrower than what is asked for included.
func TestWidth(t *testing.T) {
	vectors, training, fresh := clustered(4000, 100, 1)
	g := Build(slices.Clone(vectors), training, testDim, Settings{Nearest: 50, Degree: 24, Width: 32})
	var found, looked float64
	for _, width := range []int{5, 20, 80, 320} {
		f, l := recall(t, g, vectors, fresh, 20, width)
		if f <= found || l <= looked {
			t.Errorf("width %d: recall %.3f after %.3f, %.3f of the vectors after %.3f", width, f, found, l, looked)
		}
		found, looked = f, l
	}
}

// TestTraining wants the training queries to be what makes a graph good: without them the same walks find less.
func TestTraining(t *testing.T) {
	vectors, training, fresh := clustered(4000, 400, 2)
	s := Settings{Nearest: 50, Degree: 16, Width: 8}
	with, _ := recall(t, Build(slices.Clone(vectors), training, testDim, s), vectors, fresh, 20, 20)
	without, _ := recall(t, Build(slices.Clone(vectors), nil, testDim, s), vectors, fresh, 20, 20)
	t.Logf("recall@20 %.3f with training queries, %.3f without", with, without)
	if with <= without {
		t.Errorf("recall@20 is %.3f with training queries and %.3f without", with, without)
	}
}

// TestGraph wants a graph within its bounds, the same every time, and every vector reachable by a walk that is wide enough.
func TestGraph(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7, 300} {
		vectors, training, fresh := clustered(n, 40, 3)
		s := Settings{Nearest: 10, Degree: 8, Width: 16}
		g := Build(slices.Clone(vectors), training, testDim, s)
		again := Build(slices.Clone(vectors), training, testDim, s)
		if g.entry != again.entry || !slices.Equal(g.first, again.first) || !slices.Equal(g.to, again.to) {
			t.Errorf("%d vectors: two graphs", n)
		}
		if g.Len() != n || g.Bytes() != int64(4*(n+1+len(g.to))) {
			t.Errorf("%d vectors: a graph of %d and %d bytes", n, g.Len(), g.Bytes())
		}
		if len(g.to) > n*(s.Degree+1) {
			t.Errorf("%d vectors: %d edges", n, len(g.to))
		}
		for v := range int32(n) {
			if e := g.edges(v); slices.Contains(e, v) || len(slices.Compact(slices.Sorted(slices.Values(e)))) != len(e) {
				t.Errorf("%d vectors: edges %v of %d", n, e, v)
			}
		}
		hits, work := g.Search(nil, fresh[:testDim], n, n, from(vectors))
		got, looked := ids(hits), work.Vectors
		if len(got) != n || looked != n {
			t.Errorf("%d vectors: a walk as wide as that finds %d and looks at %d", n, len(got), looked)
		}
		scores := make([]float32, n)
		kernels.KeyScores(scores, fresh[:testDim], vectors, 1)
		if !slices.IsSortedFunc(got, func(a, b int32) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) }) {
			t.Errorf("%d vectors: found out of order", n)
		}
	}
}

// TestTies wants equal vectors to be found by number.
func TestTies(t *testing.T) {
	vectors := make([]float32, 20*testDim)
	for i := range vectors {
		vectors[i] = 1
	}
	g := Build(slices.Clone(vectors), vectors[:testDim], testDim, Settings{Nearest: 5, Degree: 20, Width: 20})
	hits, _ := g.Search(nil, vectors[:testDim], 5, 20, from(vectors))
	if got := ids(hits); !slices.Equal(got, []int32{0, 1, 2, 3, 4}) {
		t.Errorf("found %v of 20 equal vectors", got)
	}
}
