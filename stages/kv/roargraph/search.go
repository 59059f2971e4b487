package roargraph

import (
	"math"
	"sync"

	"scbench/kernels"
)

// Hit is a vector that a search has found, by number, and its product with the query.
type Hit struct {
	ID    int32
	Score float32
}

// Work is what a search looked at: vectors that it computed the product of, and edges that it followed.
type Work struct{ Vectors, Edges int }

// Search finds the k vectors that have the largest products with query q, as far as a best-first walk from the entry meets them: it
// follows the edges of the width best vectors met, until it has followed all of theirs, and may meet fewer than k. gather writes the vectors of the
// given numbers to dst, one after the other, as they were before Build. Hits are appended to dst[:0], the largest products first, ties
// by number.
func (g *Graph) Search(dst []Hit, q []float32, k, width int, gather func(dst []float32, ids []int32)) ([]Hit, Work) {
	dst = dst[:0]
	if g.Len() == 0 {
		return dst, Work{}
	}
	w := walks.Get().(*walk)
	defer walks.Put(w)
	w.run(q, g.entry, g.Len(), width, max(k, width), g.edges, gather)
	for _, c := range w.beam[:min(k, len(w.beam))] {
		dst = append(dst, c.Hit)
	}
	return dst, w.work
}

// candidate is a vector that a walk has met.
type candidate struct {
	Hit
	followed bool // its edges have been followed
}

// walk is a best-first search. Its memory serves one after the other.
type walk struct {
	beam    []candidate // the best met so far, the best first
	seen    []uint64    // a bit for each vector
	work    Work
	fresh   []int32
	vectors []float32
	scores  []float32
}

var walks = sync.Pool{New: func() any { return &walk{} }}

// run searches n vectors for those close to q, from the entry on: it follows the follow best, and keeps the width best.
func (w *walk) run(q []float32, entry int32, n, follow, width int, edges func(int32) []int32, gather func([]float32, []int32)) {
	words := (n + 63) / 64
	if cap(w.seen) < words {
		w.seen = make([]uint64, words)
	}
	w.seen = w.seen[:words]
	clear(w.seen)
	w.beam, w.work = w.beam[:0], Work{}
	w.meet(q, []int32{entry}, width, gather)
	for at := 0; at < min(follow, len(w.beam)); {
		if w.beam[at].followed {
			at++
			continue
		}
		w.beam[at].followed = true
		next := edges(w.beam[at].ID)
		w.work.Edges += len(next)
		at = min(at, w.meet(q, next, width, gather))
	}
}

// meet looks at those of the vectors that have not been seen, and returns the first place in the beam that one of them took.
func (w *walk) meet(q []float32, ids []int32, width int, gather func([]float32, []int32)) (first int) {
	w.fresh = w.fresh[:0]
	for _, id := range ids {
		if bit := uint64(1) << (id & 63); w.seen[id>>6]&bit == 0 {
			w.seen[id>>6] |= bit
			w.fresh = append(w.fresh, id)
		}
	}
	n := len(w.fresh)
	if len(w.scores) < n || len(w.vectors) < n*len(q) {
		w.scores, w.vectors = make([]float32, 2*n), make([]float32, 2*n*len(q))
	}
	gather(w.vectors[:n*len(q)], w.fresh)
	kernels.KeyScores(w.scores[:n], q, w.vectors, 1)
	w.work.Vectors += n
	first = math.MaxInt
	for i, id := range w.fresh {
		first = min(first, w.insert(w.scores[i], id, width))
	}
	return first
}

// insert gives a vector its place in the beam; math.MaxInt: it has none.
func (w *walk) insert(score float32, id int32, width int) int {
	before := func(c candidate) bool { return c.Score > score || c.Score == score && c.ID < id }
	if len(w.beam) == width {
		if before(w.beam[width-1]) {
			return math.MaxInt
		}
		w.beam = w.beam[:width-1]
	}
	lo, hi := 0, len(w.beam)
	for lo < hi {
		if mid := (lo + hi) / 2; before(w.beam[mid]) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	w.beam = append(w.beam, candidate{})
	copy(w.beam[lo+1:], w.beam[lo:])
	w.beam[lo] = candidate{Hit: Hit{id, score}}
	return lo
}
