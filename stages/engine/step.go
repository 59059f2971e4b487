package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"scbench/kernels"
	"scbench/stages/kv"
)

// BlockRows is the most rows of a pass that are in scratch memory at once.
const BlockRows = 512

// tileQueries is the most queries that one task of attention takes: enough to be worth loading a page for.
const tileQueries = 512

// Step is one forward pass over a ragged batch, layer by layer. An architecture uses it so:
//
//	step, err := Begin(ctx, shape, pool, batch)
//	for l := range layers {
//		for lo, hi := range step.Blocks() {         pass one
//			… k, v of rows [lo, hi) …
//			step.Append(l, k, v, lo, hi)
//		}
//		step.Select(l)                              goes on with some rows
//		step.Plan(l, queries)
//		for lo, hi := range step.Blocks() {         pass two
//			… q of rows [lo, hi) …
//			step.Attend(l, out, q, lo, hi)
//		}
//	}
//	return step.End()
//
// A recurrent layer takes the rows in one pass, and States has what it remembers of each conversation.
//
// Two passes a layer, so that methods see all keys of the prompt before the first query is answered, while
// scratch memory for queries and the MLP stays small.
type Step struct {
	Rows int     // rows of all chunks
	Pos  []int32 // position of each row in its conversation

	ctx     context.Context
	shape   Shape
	pool    *kernels.Pool
	parts   []part
	failure atomic.Pointer[error]
}

// part is one chunk's share of the rows.
type part struct {
	chunk  *Chunk
	lo     int     // first row
	n      int     // rows in the pass
	all    int     // the chunk's tokens
	rows   []int32 // of them, those in the pass, since Select has chosen; nil: all
	first  int     // position of the first token
	starts []int   // of a blend's chunks
	plan   Plan
	base   []int        // per KV head: slots before this chunk, in the current layer
	pages  []pageCost   // what its rows cost, by the pages that they fall into
	nanos  atomic.Int64 // processor time of attention

	together []float32 // [n, Heads, Dim]: queries of all rows, for policies that want them
}

// pageCost is what the rows of a page of tokens cost.
type pageCost struct{ cells, stored, bytes atomic.Int64 }

// add counts what rows of the page with that number in the conversation cost.
func (p *part) add(page int, c Cost) {
	if page >= 0 {
		x := &p.pages[page-p.first/kernels.PageTokens]
		x.cells.Add(c.Cells)
		x.stored.Add(c.Stored)
		x.bytes.Add(c.ReadBytes)
	}
}

// costs is what the rows cost, page by page.
func (p *part) costs(shape Shape) []Cost {
	out := make([]Cost, len(p.pages))
	for i := range out {
		first := p.first / kernels.PageTokens
		lo := int64(max((first+i)*kernels.PageTokens, p.first))
		hi := int64(min((first+i+1)*kernels.PageTokens, p.first+p.all))
		fresh := hi - lo
		if p.rows != nil {
			a, _ := slices.BinarySearch(p.rows, int32(int(lo)-p.first))
			b, _ := slices.BinarySearch(p.rows, int32(int(hi)-p.first))
			fresh = int64(b - a)
		}
		x := &p.pages[i]
		out[i] = Cost{
			Cells: x.cells.Load(), Stored: x.stored.Load(), ReadBytes: x.bytes.Load(), Rows: hi - lo, Fresh: fresh,
			DenseCells: shape.cells(lo, hi),
		}
		out[i].ReadBytes += out[i].Rows * shape.StateBytes()
	}
	return out
}

// Begin lays out the rows of a batch.
func Begin(ctx context.Context, shape Shape, pool *kernels.Pool, batch []Chunk) (*Step, error) {
	s := &Step{ctx: ctx, shape: shape, pool: pool, parts: make([]part, len(batch))}
	for i := range batch {
		c := &batch[i]
		if len(c.Tokens) == 0 {
			panic(fmt.Sprintf("engine: chunk %d has no tokens", i))
		}
		for _, t := range c.Tokens {
			if t < 0 || int(t) >= shape.Vocab {
				return nil, fmt.Errorf("token %d is not in the model's vocabulary of %d: the tokenizer belongs to another model", t, shape.Vocab)
			}
		}
		for _, other := range batch[:i] {
			if other.Session == c.Session {
				panic(fmt.Sprintf("engine: chunk %d is of the same session as one before it", i))
			}
		}
		if len(c.Logits)%shape.Vocab != 0 || len(c.Logits)/shape.Vocab > len(c.Tokens) {
			panic(fmt.Sprintf("engine: %d logits for %d tokens and a vocabulary of %d", len(c.Logits), len(c.Tokens), shape.Vocab))
		}
		if err := c.Session.ownState(); err != nil {
			return nil, err
		}
		p := &s.parts[i]
		p.chunk, p.lo, p.n, p.all, p.first = c, s.Rows, len(c.Tokens), len(c.Tokens), len(c.Session.Tokens)
		if c.Blend != nil && (c.Session.settled || c.Session.Policy.Generate != nil || len(c.Session.watch) > 0) {
			panic(fmt.Sprintf("engine: chunk %d is a blend after the first prompt, or one that %s plans or observes", i, c.Session.Policy.Name))
		}
		if c.Blend != nil && shape.State > 0 {
			panic("engine: a blend of chunks with a model that has recurrent layers")
		}
		if c.Blend != nil {
			p.lay()
		}
		p.base = make([]int, shape.KVHeads)
		p.pages = make([]pageCost, (p.first+p.n-1)/kernels.PageTokens-p.first/kernels.PageTokens+1)
		for j := range c.Tokens {
			s.Pos = append(s.Pos, int32(p.first+j-c.Session.missing))
		}
		s.Rows += p.n
	}
	return s, nil
}

// Each calls f for every chunk with its rows [lo, hi) of the batch and the length that a RoPE which depends on it goes by.
func (s *Step) Each(f func(c *Chunk, lo, hi, length int)) {
	for i := range s.parts {
		p := &s.parts[i]
		f(p.chunk, p.lo, p.lo+p.n, p.length())
	}
}

// length is the length that a RoPE which depends on it goes by.
func (p *part) length() int {
	if n := p.chunk.Session.RopeLength; n > 0 {
		return n
	}
	return p.first + p.all
}

// Append stores the keys and values of the rows [lo, hi), [hi-lo, KVHeads, Dim], in layer l. Rows are appended in order, and with them
// those of tokens between them that Select has left out, from the chunks.
func (s *Step) Append(l int, k, v []float32, lo, hi int) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	w := s.shape.KVHeads * s.shape.Dim
	type job struct {
		p    *part
		h    int
		k, v []float32
		pos  []int32
	}
	var jobs, borrowed []job
	for i := range s.parts {
		p := &s.parts[i]
		a, b := max(lo, p.lo), min(hi, p.lo+p.n)
		if a >= b {
			continue
		}
		pk, pv, pos := k[(a-lo)*w:(b-lo)*w], v[(a-lo)*w:(b-lo)*w], s.Pos[a:b]
		if p.rows != nil {
			pk, pv, pos = s.merged(p, l, pk, pv, a, b)
		} else if p.chunk.Blend != nil && l > p.chunk.Blend.Check {
			panic(fmt.Sprintf("engine: layer %d of a blend, and the model did not Select", l))
		}
		for h := range p.base {
			if a == p.lo {
				p.base[h] = p.chunk.Session.Layers[l].Slots(h)
			}
			jobs = append(jobs, job{p, h, pk, pv, pos})
			if p.chunk.Session.Layers[l].Borrowed(h) {
				borrowed = append(borrowed, jobs[len(jobs)-1])
			}
		}
	}
	errs := make([]error, len(jobs))
	s.pool.Run(len(borrowed), func(i int) { // before their owners, who may be in the same batch, write to them
		errs[i] = borrowed[i].p.chunk.Session.Layers[l].Own(borrowed[i].h)
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.pool.Run(len(jobs), func(i int) {
		j := jobs[i]
		errs[i] = j.p.chunk.Session.Layers[l].AppendHead(j.h, j.k, j.v, j.pos)
	})
	for i, j := range jobs {
		if j.h == len(j.p.base)-1 {
			j.p.chunk.Session.Layers[l].Extend()
		}
		if errs[i] != nil {
			return errs[i]
		}
	}
	return nil
}

// Plan asks the policies of sessions in their first prompt for the plan of layer l. queries computes the queries of rows
// [lo, hi) of the batch, [hi-lo, Heads, Dim], after RoPE.
func (s *Step) Plan(l int, queries func(lo, hi int) []float32) {
	for i := range s.parts {
		p := &s.parts[i]
		ses := p.chunk.Session
		p.plan, p.together = Plan{}, nil
		if ses.settled && ses.Policy.Together {
			p.together = queries(p.lo, p.lo+p.n)
		}
		if ses.settled || ses.Policy.Generate == nil {
			continue
		}
		p.plan = ses.Policy.Generate(l, Tile{
			Lo: p.first, Hi: p.first + p.n, Heads: s.shape.Heads, KVHeads: s.shape.KVHeads, Dim: s.shape.Dim,
			Layer: ses.Layers[l], Pool: s.pool,
			Queries: func(lo, hi int) []float32 {
				if lo < p.first || hi > p.first+p.n {
					panic(fmt.Sprintf("engine: queries of positions [%d, %d) asked in a pass over [%d, %d)", lo, hi, p.first, p.first+p.n))
				}
				return queries(lo-p.first+p.lo, hi-p.first+p.lo)
			},
		})
		if n := len(p.plan.Heads); n > 1 && n != s.shape.Heads {
			panic(fmt.Sprintf("engine: a plan with %d patterns for %d heads", n, s.shape.Heads))
		}
	}
}

// Blocks yields the rows [lo, hi) of a pass, in order.
func (s *Step) Blocks() func(yield func(lo, hi int) bool) {
	return func(yield func(lo, hi int) bool) {
		for lo := 0; lo < s.Rows; lo += BlockRows {
			if !yield(lo, min(lo+BlockRows, s.Rows)) {
				return
			}
		}
	}
}

// Attend computes attention of the rows [lo, hi) in layer l: out and q are [hi-lo, Heads, Dim], q after RoPE and not scaled.
func (s *Step) Attend(l int, out, q []float32, lo, hi int) {
	w := s.shape.Heads * s.shape.Dim
	var tiles []member
	for i := range s.parts {
		p := &s.parts[i]
		a, b := max(lo, p.lo), min(hi, p.lo+p.n)
		if a >= b {
			continue
		}
		ses := p.chunk.Session
		if !ses.settled {
			ses.Layers[l].Remember(q[(a-lo)*w:(b-lo)*w], b-a)
		}
		for i := range ses.watch {
			start := time.Now()
			cache := ses.Layers[l]
			cache.Observer(ses.watch[i].name).Observe(s.pool, cache, q[(a-lo)*w:(b-lo)*w], p.base[0]+a-p.lo, b-a)
			ses.watch[i].seconds += time.Since(start).Seconds()
		}
		for from := a; from < b; {
			to := s.tileEnd(p, from, b)
			tiles = append(tiles, member{p, from, to, out[(from-lo)*w : (to-lo)*w], q[(from-lo)*w : (to-lo)*w]})
			from = to
		}
	}
	var tasks []task
	for h := range s.shape.KVHeads {
		tasks = append(tasks, s.tasks(l, h, tiles)...)
	}
	slices.SortStableFunc(tasks, func(a, b task) int { return b.size() - a.size() }) // the long ones first
	s.pool.Run(len(tasks), func(i int) { tasks[i].run() })
}

// tasks makes the tasks of one KV head: tiles whose sessions begin with the same pages go together, as far as they fit a tile.
func (s *Step) tasks(l, head int, tiles []member) []task {
	var tasks []task
	for _, m := range tiles {
		rows := (m.hi - m.lo) * s.shape.Group()
		joined := false
		for i := len(tasks) - 1; i >= 0 && !joined; i-- {
			t := &tasks[i]
			if t.rows(s.shape.Group())+rows > tileQueries {
				continue
			}
			common := commonPages(t.members[0].cache(l), m.cache(l), head)
			if len(t.members) > 1 {
				common = min(common, t.common)
			}
			if joined = common > 0; joined {
				t.members, t.common = append(t.members, m), common
			}
		}
		if !joined {
			tasks = append(tasks, task{step: s, layer: l, head: head, members: []member{m}})
		}
	}
	return tasks
}

// commonPages is the number of leading full pages that two caches share.
func commonPages(a, b *kv.Layer, head int) int {
	n := min(a.Slots(head), b.Slots(head)) / kernels.PageTokens
	for i := range n {
		if a.Page(head, i) != b.Page(head, i) {
			return i
		}
	}
	return n
}

// rows is the number of queries of a task.
func (t *task) rows(group int) (n int) {
	for _, m := range t.members {
		n += (m.hi - m.lo) * group
	}
	return n
}

// size is about the work of a task: rows times the slots that they may read.
func (t *task) size() (n int) {
	for _, m := range t.members {
		n += (m.hi - m.lo) * (m.part.base[t.head] + m.hi - m.part.lo)
	}
	return n
}

// tileEnd returns where the tile that begins at row from ends: at a multiple of the position, at a cut of the plan, or at end.
func (s *Step) tileEnd(p *part, from, end int) int {
	pos := p.first + from - p.lo
	tile := max(tileQueries/s.shape.Group(), 16)
	next := (pos/tile + 1) * tile
	if i, _ := slices.BinarySearch(p.plan.Cuts, int32(pos)+1); i < len(p.plan.Cuts) {
		next = min(next, int(p.plan.Cuts[i]))
	}
	return min(end, from+next-pos)
}

// End adds the tokens and the costs to the sessions. It is an error if a row had no key to read.
func (s *Step) End() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	for i := range s.parts {
		p := &s.parts[i]
		ses := p.chunk.Session
		ses.Tokens = append(ses.Tokens, p.chunk.Tokens...)
		ses.AttendSeconds += float64(p.nanos.Load()) / 1e9
		costs := p.costs(s.shape)
		for _, c := range costs {
			ses.Cost = ses.Cost.Add(c)
		}
		if !ses.settled {
			ses.AddPages(costs)
		}
	}
	return nil
}

// fail keeps an error for End.
func (s *Step) fail(err error) { s.failure.CompareAndSwap(nil, &err) }

// scale is what queries are multiplied by before they meet keys.
func (s *Step) scale() float32 { return float32(1 / math.Sqrt(float64(s.shape.Dim))) }
