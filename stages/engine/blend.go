package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"scbench/kernels"
	"scbench/stages/kv"
)

// Chunking puts the keys and values of a prompt's context together from chunks that were computed each alone, as a beginning of a
// prompt of its own. The first chunk is right as it is. Of the others, keys are turned to their new positions, and some rows are
// computed afresh: all of them up to a check layer, where those go on that the method chooses.
type Chunking struct {
	Chunk int // tokens of a chunk; the last one of a context may have fewer
	Check int // the layer, counted from 0, whose values are compared
	Last  int // last rows of the context, which are computed afresh in any case; at least 1
	// Choose returns which rows to go on with, ascending. deviation has the squared distance between the fresh value and the chunk's, all
	// KV heads together, of each row after the known first ones and before the Last ones; indices are into it.
	Choose func(deviation []float32, known int) []int32
}

// Known is how many rows of a context of n tokens are taken from its first chunk.
func (r *Chunking) Known(n int) int { return max(0, min(r.Chunk, n-r.Last)) }

// Blend says of a Chunk that its session's first prompt is put together so. The session holds the rows known from the first of the
// chunks already, and Chunk.Tokens are those that follow them.
type Blend struct {
	*Chunking
	Chunks []*Session // their tokens, one after the other, are the context
}

// find returns the chunk that holds token i of the context, and its slot there.
func (p *part) find(i int) (*Session, int) {
	at, exact := slices.BinarySearch(p.starts, i)
	if !exact {
		at--
	}
	return p.chunk.Blend.Chunks[at], i - p.starts[at]
}

// lay notes where the chunks of a part begin.
func (p *part) lay() {
	at := 0
	for _, c := range p.chunk.Blend.Chunks {
		p.starts = append(p.starts, at)
		at += len(c.Tokens)
	}
	if at != p.first+p.all {
		panic(fmt.Sprintf("engine: chunks of %d tokens for a context of %d", at, p.first+p.all))
	}
}

// Blend computes the context of the first prompt of c's session, which is empty, as the Retrieve of its policy says, from chunks: sessions that
// hold one after the other the context's tokens, each as the beginning of a conversation. It fills in c's Tokens and Blend, and returns
// the seconds that took; the chunks' cells are counted with those of the session, their time is not. After an error the session must be
// released.
func (e *Engine) Blend(ctx context.Context, c Chunk, chunks []*Session) (float64, error) {
	start := time.Now()
	s := c.Session
	r := s.Policy.Retrieve
	if len(s.Tokens) > 0 || s.settled {
		panic(fmt.Sprintf("engine: a blend of chunks into a session of %d tokens", len(s.Tokens)))
	}
	s.Unwatch() // observers see all rows or none
	var tokens []int32
	for _, c := range chunks {
		tokens = append(tokens, c.Tokens...)
	}
	known := r.Known(len(tokens))
	if err := e.begin(s, chunks[0], known); err != nil {
		return 0, err
	}
	spent := time.Since(start).Seconds()
	c.Tokens, c.Blend = tokens[known:], &Blend{Chunking: r, Chunks: chunks}
	seconds, err := e.Forward(ctx, []Chunk{c})
	if err != nil {
		return 0, err
	}
	at := 0
	for _, c := range chunks {
		apart := Cost{Cells: c.Cost.Cells, Stored: c.Cost.Stored, ReadBytes: c.Cost.ReadBytes}
		s.Cost = s.Cost.Add(apart)
		p := &s.Pages[at/kernels.PageTokens]
		*p = p.Add(apart)
		at += len(c.Tokens)
	}
	return spent + seconds[0], nil
}

// begin gives s the first n tokens of a chunk.
func (e *Engine) begin(s, chunk *Session, n int) error {
	if n == 0 {
		return nil
	}
	shape := e.Model.Shape()
	w := shape.KVHeads * shape.Dim
	pos, k, v := make([]int32, n), make([]float32, n*w), make([]float32, n*w)
	for i := range pos {
		pos[i] = int32(i)
	}
	for l, to := range s.Layers {
		from := chunk.Layers[l]
		e.Pool.Run(n, func(i int) { load(from, k[i*w:(i+1)*w], v[i*w:(i+1)*w], i) })
		if err := to.Append(k, v, pos); err != nil {
			return err
		}
	}
	s.Tokens = append(s.Tokens, chunk.Tokens[:n]...)
	rows := part{all: n, rows: []int32{}, pages: make([]pageCost, (n-1)/kernels.PageTokens+1)}
	costs := rows.costs(shape)
	for _, c := range costs {
		s.Cost = s.Cost.Add(c)
	}
	s.AddPages(costs)
	return nil
}

// load reads the keys and values of a slot of all heads, [KVHeads, Dim].
func load(l *kv.Layer, k, v []float32, slot int) {
	d := l.Dim()
	for h := range l.Heads() {
		l.Key(k[h*d:(h+1)*d], h, slot)
		l.Value(v[h*d:(h+1)*d], h, slot)
	}
}

// Select returns, after the keys and values of layer l have been appended, the rows of the pass that go on; nil: all do. What a Model
// holds of the others it drops: rows are numbered anew from here on, in the same order.
func (s *Step) Select(l int) []int32 {
	any := false
	for i := range s.parts {
		any = any || s.parts[i].checked(l)
	}
	if !any {
		return nil
	}
	var keep []int32
	for i := range s.parts {
		p := &s.parts[i]
		lo := len(keep)
		if p.checked(l) {
			p.rows = s.choose(p, l)
			for _, r := range p.rows {
				keep = append(keep, int32(p.lo)+r)
			}
		} else {
			for r := range p.n {
				keep = append(keep, int32(p.lo+r))
			}
		}
		p.lo, p.n = lo, len(keep)-lo
	}
	for i, r := range keep {
		s.Pos[i] = s.Pos[r]
	}
	s.Rows, s.Pos = len(keep), s.Pos[:len(keep)]
	return keep
}

// checked reports whether layer l is where rows of the part are chosen.
func (p *part) checked(l int) bool { return p.chunk.Blend != nil && p.chunk.Blend.Check == l }

// choose returns the rows of a part that go on after layer l.
func (s *Step) choose(p *part, l int) []int32 {
	b := p.chunk.Blend
	w := s.shape.KVHeads * s.shape.Dim
	n := max(0, p.all-b.Last)
	deviation := make([]float32, n)
	kernels.Split(s.pool, n, w, func(lo, hi int) {
		k, fresh, old := make([]float32, w), make([]float32, w), make([]float32, w)
		for i := lo; i < hi; i++ {
			c, slot := p.find(p.first + i)
			load(c.Layers[l], k, old, slot)
			load(p.chunk.Session.Layers[l], k, fresh, p.first+i)
			var sum float64
			for j, x := range fresh {
				d := float64(x) - float64(old[j])
				sum += d * d
			}
			deviation[i] = float32(sum)
		}
	})
	rows := b.Choose(deviation, p.first)
	for i, r := range rows {
		if int(r) >= n || r < 0 || i > 0 && r <= rows[i-1] {
			panic(fmt.Sprintf("engine: %s goes on with row %d of %d after %d others", p.chunk.Session.Policy.Name, r, n, i))
		}
	}
	for r := n; r < p.all; r++ {
		rows = append(rows, int32(r))
	}
	return rows
}

// at is the place of a row of the pass among its chunk's tokens.
func (p *part) at(row int) int {
	if p.rows == nil {
		return row - p.lo
	}
	return int(p.rows[row-p.lo])
}

// merged makes the keys and values of all tokens from the one after row a-1 of the pass up to row b-1, or to the chunk's last one, out of
// k and v of the rows [a, b) and of the chunks.
func (s *Step) merged(p *part, l int, k, v []float32, a, b int) (mk, mv []float32, pos []int32) {
	from, to := 0, p.all
	if a > p.lo {
		from = p.at(a-1) + 1
	}
	if b < p.lo+p.n {
		to = p.at(b-1) + 1
	}
	w := s.shape.KVHeads * s.shape.Dim
	mk, mv = make([]float32, (to-from)*w), make([]float32, (to-from)*w)
	pos = make([]int32, to-from)
	kernels.Split(s.pool, to-from, w, func(lo, hi int) {
		var before, now []int32
		for i := lo; i < hi; i++ {
			c, slot := p.find(p.first + from + i)
			pos[i] = int32(p.first + from + i)
			load(c.Layers[l], mk[i*w:(i+1)*w], mv[i*w:(i+1)*w], slot)
			for range s.shape.KVHeads {
				before, now = append(before, int32(slot)), append(now, pos[i])
			}
		}
		s.shape.Rotate(mk[lo*w:hi*w], before, now, p.length())
	})
	for r := a; r < b; r++ {
		at := (p.at(r) - from) * w
		copy(mk[at:at+w], k[(r-a)*w:(r-a+1)*w])
		copy(mv[at:at+w], v[(r-a)*w:(r-a+1)*w])
	}
	return mk, mv, pos
}
