// Package roargraph finds the vectors with the largest inner products with a query, where queries are distributed unlike the vectors,
// as the queries and keys of attention are: a graph over the vectors whose edges come from a sample of the queries themselves.
//
// RoarGraph, Chen et al. 2024, arXiv:2408.08933, as RetrievalAttention uses it (Liu et al. 2024, arXiv:2409.10516).
package roargraph

import (
	"cmp"
	"fmt"
	"slices"

	"scbench/kernels"
)

// Settings shape a graph. All are at least 1.
type Settings struct {
	Nearest int // vectors with the largest products that are found, exactly, for each training query; the paper: 100
	Degree  int // most edges that leave a vector, but for those without which others could not be reached; the paper: 35
	Width   int // width of the walks that join vectors which no training query is near to; the paper: 500
}

// Graph is the edges between vectors, which it does not hold. It is immutable.
type Graph struct {
	entry int32
	first []int32 // [Len+1] where the edges of each vector begin in to
	to    []int32
}

// Len is the number of vectors.
func (g *Graph) Len() int { return len(g.first) - 1 }

// Bytes is the memory of the graph.
func (g *Graph) Bytes() int64 { return 4 * int64(len(g.first)+len(g.to)) }

func (g *Graph) edges(v int32) []int32 { return g.to[g.first[v]:g.first[v+1]] }

// Build makes the graph of vectors [n, dim] from training queries [any number, dim]. It overwrites vectors. The result depends on the
// arguments alone: ties go to the lower number.
// Differs from the reference: vectors are taken relative to their mean, which changes no query's order of them but keeps the few that
// point along it from being everyone's neighbours; a training query's nearest vectors are joined not only with the very nearest, of
// which there are few where queries are attention's, but each vector with those of the two queries that it stands highest with. The
// reference is parallel, and so another graph every time.
func Build(vectors, queries []float32, dim int, s Settings) *Graph {
	if dim < 1 || len(vectors)%dim != 0 || len(queries)%dim != 0 || s.Nearest < 1 || s.Degree < 1 || s.Width < 1 {
		panic(fmt.Sprintf("roargraph: %d and %d numbers in vectors of %d, with %+v", len(vectors), len(queries), dim, s))
	}
	b := &builder{Settings: s, vectors: vectors, dim: dim, lists: make([][]int32, len(vectors)/dim)}
	if len(b.lists) == 0 {
		return &Graph{first: make([]int32, 1)}
	}
	entry := b.center()
	b.project(queries)
	for v, list := range slices.Clone(b.lists) {
		b.reverse(int32(v), list)
	}
	b.connect(entry)
	for v, list := range b.lists {
		b.lists[v] = b.prune(int32(v), list)
	}
	b.reach(entry)
	g := &Graph{entry: entry, first: make([]int32, 1, len(b.lists)+1)}
	for _, list := range b.lists {
		g.to = append(g.to, list...)
		g.first = append(g.first, int32(len(g.to)))
	}
	g.to = slices.Clip(g.to)
	return g
}

// builder is a graph that grows. A list may have some edges more than Degree, so that it need not be pruned for each of them.
type builder struct {
	Settings
	vectors []float32
	dim     int
	lists   [][]int32

	order  []Hit // room for prune
	skip   []int32
	kept   []float32
	scores []float32
}

func (b *builder) vector(v int32) []float32 { return b.vectors[int(v)*b.dim : (int(v)+1)*b.dim] }

func (b *builder) gather(dst []float32, ids []int32) {
	for i, v := range ids {
		copy(dst[i*b.dim:(i+1)*b.dim], b.vector(v))
	}
}

// center subtracts the mean from all vectors and returns the medoid, the one that lay closest to it.
func (b *builder) center() int32 {
	sum := make([]float64, b.dim)
	for i, x := range b.vectors {
		sum[i%b.dim] += float64(x)
	}
	mean := make([]float32, b.dim)
	for c := range mean {
		mean[c] = float32(sum[c] / float64(len(b.lists)))
	}
	closeness := make([]float32, len(b.lists))
	for v := range b.lists {
		x := b.vector(int32(v))
		for c := range x {
			x[c] -= mean[c]
		}
		kernels.KeyScores(closeness[v:v+1], x, x, -1)
	}
	return int32(max(kernels.Argmax(closeness), 0))
}

// queryBlock is the number of training queries that meet all vectors in one product.
const queryBlock = 64

// pivotal is the number of training queries whose nearest vectors are joined with a vector that is among them.
const pivotal = 2

// place is where a vector stands among the nearest of a training query; 0: it is the very nearest.
type place struct{ rank, query int32 }

// project finds each training query's nearest vectors, exactly, and joins each vector with those of the queries that it is nearest to.
func (b *builder) project(queries []float32) {
	n := len(b.lists)
	data := make([]byte, len(b.vectors)*kernels.F32.Size())
	kernels.Narrow(data, kernels.F32, b.vectors)
	m, err := kernels.NewMatrix(kernels.F32, data, n, b.dim)
	if err != nil {
		panic(err) // the shapes are those that data was made for
	}
	weight := m.Pack(nil, kernels.PrecisionF32)
	defer weight.Close()
	var block kernels.Rows
	products := make([]float32, queryBlock*n)
	places := make([][]place, n)
	var near [][]int32 // of each query, the nearest first
	for len(queries) > 0 {
		rows := min(queryBlock, len(queries)/b.dim)
		block.Set(nil, kernels.PrecisionF32, queries[:rows*b.dim], rows, b.dim)
		kernels.Product(nil, products[:rows*n], &block, weight, kernels.Epilogue{})
		for r := range rows {
			scores := products[r*n : (r+1)*n]
			list := kernels.TopK(nil, scores, b.Nearest)
			slices.SortStableFunc(list, func(u, v int32) int { return cmp.Compare(scores[v], scores[u]) })
			for rank, v := range list {
				places[v] = closest(places[v], place{int32(rank), int32(len(near))})
			}
			near = append(near, list)
		}
		queries = queries[rows*b.dim:]
	}
	for v := range b.lists {
		for _, p := range places[v] {
			b.lists[v] = append(b.lists[v], near[p.query]...)
		}
		b.lists[v] = b.prune(int32(v), b.lists[v])
	}
}

// closest adds a place to a vector's, of which it keeps the pivotal nearest, those of earlier queries first.
func closest(places []place, p place) []place {
	at := len(places)
	for at > 0 && places[at-1].rank > p.rank {
		at--
	}
	places = slices.Insert(places, at, p)
	return places[:min(len(places), pivotal)]
}

// reverse adds the edges of a list of v in the other direction.
func (b *builder) reverse(v int32, list []int32) {
	for _, u := range list {
		if slices.Contains(b.lists[u], v) {
			continue
		}
		if b.lists[u] = append(b.lists[u], v); len(b.lists[u]) > b.Degree+b.Degree/2 {
			b.lists[u] = b.prune(u, b.lists[u])
		}
	}
}

// connect looks for each vector from the entry and joins it with what the walk has met, so that vectors can be reached that no training
// query is near to.
func (b *builder) connect(entry int32) {
	var w walk
	edges := func(v int32) []int32 { return b.lists[v] }
	for v := range int32(len(b.lists)) {
		w.run(b.vector(v), entry, len(b.lists), b.Width, b.Width, edges, b.gather)
		list := b.lists[v]
		for _, c := range w.beam {
			list = append(list, c.ID)
		}
		b.lists[v] = b.prune(v, list)
		b.reverse(v, b.lists[v])
	}
}

// reach gives vectors that cannot be reached from the entry, since others have crowded out the edges to them, one more edge each, from the
// closest vector that a walk meets.
func (b *builder) reach(entry int32) {
	reached := make([]bool, len(b.lists))
	spread := func(v int32) {
		reached[v] = true
		for next := []int32{v}; len(next) > 0; {
			v, next = next[len(next)-1], next[:len(next)-1]
			for _, u := range b.lists[v] {
				if !reached[u] {
					reached[u] = true
					next = append(next, u)
				}
			}
		}
	}
	spread(entry)
	var w walk
	for v := range int32(len(b.lists)) {
		if !reached[v] {
			w.run(b.vector(v), entry, len(b.lists), b.Width, b.Width, func(u int32) []int32 { return b.lists[u] }, b.gather)
			u := w.beam[0].ID
			b.lists[u] = append(b.lists[u], v)
			spread(v)
		}
	}
}

// prune chooses at most Degree edges of v out of a list: from the closest on, those that lie closer to v than to any chosen before, and if
// there are too few such, the closest others.
func (b *builder) prune(v int32, list []int32) []int32 {
	list = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(list))), func(u int32) bool { return u == v })
	b.scores = slices.Grow(b.scores[:0], max(len(list), b.Degree))[:max(len(list), b.Degree)]
	b.kept = slices.Grow(b.kept[:0], len(list)*b.dim)[:len(list)*b.dim]
	b.gather(b.kept, list)
	kernels.KeyScores(b.scores[:len(list)], b.vector(v), b.kept, 1)
	b.order = b.order[:0]
	for i, u := range list {
		b.order = append(b.order, Hit{u, b.scores[i]})
	}
	slices.SortFunc(b.order, func(x, y Hit) int { return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.ID, y.ID)) })
	out := make([]int32, 0, b.Degree)
	b.kept, b.skip = b.kept[:0], b.skip[:0]
	for _, c := range b.order {
		if len(out) == b.Degree {
			return out
		}
		between := b.scores[:len(out)]
		kernels.KeyScores(between, b.vector(c.ID), b.kept, 1)
		if len(between) > 0 && slices.Max(between) > c.Score {
			b.skip = append(b.skip, c.ID)
			continue
		}
		out = append(out, c.ID)
		b.kept = append(b.kept, b.vector(c.ID)...)
	}
	return append(out, b.skip[:min(len(b.skip), b.Degree-len(out))]...)
}
