package methods

import (
	"math"
	"sync"

	"scbench/kernels"
	"scbench/stages/kv"
)

// products writes the scaled products of queries, [Dim] each, with the keys of head h in runs of slots, one run after the other: dst[i] are
// those of query i. A page of keys meets all queries while it is in the processor's cache; a query's products do not depend on the
// others.
func products(dst [][]float32, l *kv.Layer, h int, queries [][]float32, runs ...kv.Run) {
	s := scorers.Get().(*scorer)
	defer scorers.Put(s)
	s.q = s.q[:0]
	for _, q := range queries {
		s.q = append(s.q, q...)
	}
	if n := len(queries) * kernels.PageTokens; len(s.page) < n {
		s.page = make([]float32, n)
	}
	s.Start(l.Format(), s.q, float32(1/math.Sqrt(float64(l.Dim()))), len(queries), l.Dim())
	at := 0
	for _, run := range runs {
		for lo := int(run.Lo); lo < int(run.Hi); {
			first := lo % kernels.PageTokens
			n := min(kernels.PageTokens-first, int(run.Hi)-lo)
			page := l.Page(h, lo/kernels.PageTokens)
			s.Page(s.page[:len(queries)*kernels.PageTokens], page.Format, page.Data)
			for i := range queries {
				copy(dst[i][at:at+n], s.page[i*kernels.PageTokens+first:][:n])
			}
			at, lo = at+n, lo+n
		}
	}
}

// scorer is a kernel with the memory that its user needs beside it.
type scorer struct {
	kernels.Scorer
	q, page []float32
}

var scorers = sync.Pool{New: func() any { return &scorer{} }}

// groupRows is rows of queries as the query heads of one KV head have them, a few at a time.
type groupRows struct {
	q     []float32 // [rows, heads, dim]
	rows  int
	heads int
	dim   int
	first int // query head
	group int // query heads
}

// groupOf is the part of q [rows, query heads, Dim] that reads KV head h of l.
func groupOf(l *kv.Layer, q []float32, rows, h int) groupRows {
	heads := len(q) / (rows * l.Dim())
	group := heads / l.Heads()
	return groupRows{q, rows, heads, l.Dim(), h * group, group}
}

// row is row r of member m of the group.
func (g groupRows) row(r, m int) []float32 {
	at := (r*g.heads + g.first + m) * g.dim
	return g.q[at : at+g.dim]
}

// tileRows is the number of rows of a group that meet a page of keys together.
const tileRows = 32

// tiles calls f for some rows at a time: r is the first of them, queries are the members of row r, then those of the next, and so on,
// and scores has room for width numbers for each.
func (g groupRows) tiles(width int, f func(r int, queries, scores [][]float32)) {
	room := make([]float32, min(tileRows, g.rows)*g.group*width)
	for r := 0; r < g.rows; r += tileRows {
		var queries, scores [][]float32
		for i := r; i < min(r+tileRows, g.rows); i++ {
			for m := range g.group {
				at := len(queries) * width
				queries, scores = append(queries, g.row(i, m)), append(scores, room[at:at+width])
			}
		}
		f(r, queries, scores)
	}
}
