package methods

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// Search is MInference's search for the pattern of each head, done once for a model: on one long prompt it measures how much of a head's
// dense attention each of some candidates would keep, its recall, and chooses the candidate that keeps most.
//
// Source: Jiang et al. 2024, arXiv:2407.02490, with the first search that its authors released.
// Same as the reference in candidates, forced tokens (30 columns, 30 diagonals), blocks of 32 and what is stored for a winner; it holds a
// few rows of attention at a time, never all.
type Search struct {
	Candidates []Candidate // in order of preference: the first of those with equal recall wins; none: PublishedCandidates
	Scale      float64     // what columns, diagonals, sinks and windows are multiplied by; 0: 1
	From       int         // the first row whose attention is measured; it must be below the number of tokens
	// Progress is told, from one goroutine, how many of all parts of the work are done; nil: nobody is.
	Progress func(done, total int)
}

// PublishedFrom is the first row that the published search measures, of a sample of PublishedTokens tokens.
const (
	PublishedFrom   = 2500
	PublishedTokens = 30000
)

// Candidate is a pattern that a search tries.
type Candidate struct {
	Kind     string // vertical_and_slash, stream_llm or block_sparse
	Vertical int    // columns; sinks, of stream_llm; of block_sparse, one out of how many blocks is read
	Slash    int    // diagonals; of stream_llm how far the window reaches, a row's own token not counted; not used by block_sparse
}

// PublishedCandidates are those of the published search.
func PublishedCandidates() []Candidate {
	return []Candidate{
		{streamLLM, 100, 800},
		{verticalAndSlash, 30, 800}, {verticalAndSlash, 100, 750}, {verticalAndSlash, 500, 700}, {verticalAndSlash, 3500, 100},
		{blockSparse, 8, 1},
	}
}

// ParseCandidate reads what Candidate.String writes: "vertical_and_slash:500,700", "stream_llm:100,800" or "block_sparse:8".
func ParseCandidate(s string) (Candidate, error) {
	kind, sizes, _ := strings.Cut(s, ":")
	first, second, two := strings.Cut(sizes, ",")
	c := Candidate{Kind: kind, Slash: 1}
	if !slices.Contains([]string{verticalAndSlash, streamLLM, blockSparse}, kind) || two == (kind == blockSparse) {
		return c, fmt.Errorf("candidate %q: want %s:COLUMNS,DIAGONALS, %s:SINKS,WINDOW or %s:ONE_OUT_OF", s, verticalAndSlash, streamLLM, blockSparse)
	}
	for _, n := range []struct {
		text string
		to   *int
	}{{first, &c.Vertical}, {second, &c.Slash}} {
		if n.to == &c.Slash && !two {
			continue
		}
		v, err := strconv.Atoi(n.text)
		if err != nil || v < 1 || v > 1<<30 {
			return c, fmt.Errorf("candidate %q: %q is no whole number from 1 to %d", s, n.text, 1<<30)
		}
		*n.to = v
	}
	return c, nil
}

// String is the candidate as ParseCandidate reads it.
func (c Candidate) String() string {
	if c.Kind == blockSparse {
		return fmt.Sprintf("%s:%d", c.Kind, c.Vertical)
	}
	return fmt.Sprintf("%s:%d,%d", c.Kind, c.Vertical, c.Slash)
}

// Sizes of the published search.
const (
	searchBlock = 32 // rows and keys of a block
	searchNear  = 30 // nearest diagonals that are kept in any case
	searchRows  = 32 // rows of a head's attention that are worked out at once
)

// scaled is the candidate for a prompt of another length; the tokens that are kept in any case stay as many.
func (c Candidate) scaled(by float64) Candidate {
	if c.Kind == blockSparse {
		return c
	}
	size := func(n, least int) int { return int(min(max(math.Round(float64(n)*by), float64(least)), 1<<30)) }
	if c.Kind == streamLLM {
		return Candidate{c.Kind, size(c.Vertical, 1), size(c.Slash, 1)}
	}
	return Candidate{c.Kind, size(c.Vertical, forcedSinks), size(c.Slash, searchNear)}
}

// stored is what a configuration says of a head that the candidate has won: columns and diagonals, whatever it was.
func (c Candidate) stored(scale float64) Candidate {
	if c.Kind == blockSparse {
		return Candidate{verticalAndSlash, 1000, 6096}.scaled(scale)
	}
	return Candidate{verticalAndSlash, c.Vertical, c.Slash}
}

// Found is what a search has found.
type Found struct {
	Candidates []Candidate   // as they were tried: scaled
	Recall     [][][]float64 // by layer, query head and candidate: the mean share of a row's attention that is kept
	scale      float64
}

// Best is the number of the candidate that keeps most in a head.
func (f *Found) Best(layer, head int) int {
	best := 0
	for c, r := range f.Recall[layer][head] {
		if r > f.Recall[layer][head][best] {
			best = c
		}
	}
	return best
}

// Write writes the configuration that minference:config=FILE reads: a list of layers, each an object from query head to
// [pattern, vertical, slash, recall], one layer a line.
func (f *Found) Write(w io.Writer) error {
	var b strings.Builder
	for l, heads := range f.Recall {
		b.WriteString([]string{"[\n{", ",\n{"}[min(l, 1)])
		for h, recall := range heads {
			c := f.Best(l, h)
			s := f.Candidates[c].stored(f.scale)
			fmt.Fprintf(&b, `%s"%d": ["%s", %d, %d, %.6f]`, []string{"", ", "}[min(h, 1)], h, s.Kind, s.Vertical, s.Slash, recall[c])
		}
		b.WriteString("}")
	}
	b.WriteString("\n]\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// Run feeds tokens, in one pass of dense attention, to a conversation that it opens and releases, and measures every layer and head.
func (s Search) Run(ctx context.Context, e *engine.Engine, tokens []int32) (*Found, error) {
	if s.From < 0 || s.From >= len(tokens) {
		return nil, fmt.Errorf("a search that measures rows from %d on needs a longer prompt than one of %d tokens", s.From, len(tokens))
	}
	if s.Scale == 0 {
		s.Scale = 1
	}
	f := &Found{scale: s.Scale, Recall: make([][][]float64, e.Model.Shape().Layers)}
	if len(s.Candidates) == 0 {
		s.Candidates = PublishedCandidates()
	}
	for _, c := range s.Candidates {
		f.Candidates = append(f.Candidates, c.scaled(s.Scale))
	}
	parts := blocksOf(len(tokens)-s.From, passRows)
	session := e.Open(engine.Policy{Name: "search", WholePrompt: true, Generate: func(layer int, t engine.Tile) engine.Plan {
		f.Recall[layer] = recall(ctx, t, f.Candidates, s.From, func(done int) {
			if s.Progress != nil {
				s.Progress(layer*parts+done, len(f.Recall)*parts)
			}
		})
		return engine.Plan{} // dense: what is looked at must not change what there is to see
	}})
	defer session.Release()
	if _, err := e.Forward(ctx, []engine.Chunk{{Session: session, Tokens: tokens}}); err != nil {
		return nil, err
	}
	return f, ctx.Err()
}

// recall is the recall of each candidate in each head of a layer, over the rows from first on. It gives up when ctx is done.
func recall(ctx context.Context, t engine.Tile, candidates []Candidate, first int, done func(parts int)) [][]float64 {
	kept := keepers(t, candidates)
	sum := make([][]float64, t.Heads)
	for h := range sum {
		sum[h] = make([]float64, len(candidates))
	}
	for lo := first; lo < t.Hi && ctx.Err() == nil; lo += passRows {
		hi := min(lo+passRows, t.Hi)
		q := t.Queries(lo, hi)
		batches := blocksOf(hi-lo, searchRows)
		part := make([][]float64, t.Heads*batches)
		t.Pool.Run(len(part), func(i int) {
			h, from := i%t.Heads, lo+i/t.Heads*searchRows
			part[i] = measure(t, q[(from-lo)*t.Heads*t.Dim:], h, from, min(from+searchRows, hi), kept[h])
		})
		for i, masses := range part { // in order, so that the sums do not depend on the threads
			for c, m := range masses {
				sum[i%t.Heads][c] += m
			}
		}
		done((lo-first)/passRows + 1)
	}
	for h := range sum {
		for c := range sum[h] {
			sum[h][c] /= float64(t.Hi - first)
		}
	}
	return sum
}

// keeper sums what a pattern keeps of a row's attention p, which has an entry for each token up to the row's own.
type keeper func(p []float32) float64

// measure adds up what each keeper keeps of the rows [lo, hi) of head h, whose queries are the first of q.
func measure(t engine.Tile, q []float32, h, lo, hi int, kept []keeper) []float64 {
	room := searchRoom.Get().(*[]float32)
	defer searchRoom.Put(room)
	if need := (hi - lo) * hi; cap(*room) < need {
		*room = make([]float32, need)
	}
	p, queries := make([][]float32, hi-lo), make([][]float32, hi-lo)
	for r := range p {
		p[r], queries[r] = (*room)[:cap(*room)][r*hi:(r+1)*hi], query(t, q, r, h)
	}
	products(p, t.Layer, h/(t.Heads/t.KVHeads), queries, kv.Run{Lo: 0, Hi: int32(hi)})
	sum := make([]float64, len(kept))
	for r := range p {
		row := p[r][:lo+r+1]
		kernels.Softmax(row)
		for c, keep := range kept {
			sum[c] += keep(row)
		}
	}
	return sum
}

// searchRoom is memory for rows of attention.
var searchRoom = sync.Pool{New: func() any { return new([]float32) }}

// keepers estimates the candidates' patterns in each head, as they would be for this prompt.
func keepers(t engine.Tile, candidates []Candidate) [][]keeper {
	var means pooledBlocks
	if slices.ContainsFunc(candidates, func(c Candidate) bool { return c.Kind == blockSparse }) {
		means = poolBlocks(t, searchBlock)
	}
	rows := min(lastQueries, t.Hi)
	q := t.Queries(t.Hi-rows, t.Hi)
	out := make([][]keeper, t.Heads)
	t.Pool.Run(t.Heads, func(h int) {
		seen := recent(t, q, rows, h)
		columns, diagonals := columnMass(seen), diagonalMass(seen)
		for _, c := range candidates {
			switch c.Kind {
			case streamLLM:
				out[h] = append(out[h], endsKeeper(c.Vertical, c.Slash+1))
			case blockSparse:
				out[h] = append(out[h], means.choose(t, h, max(1, blocksOf(t.Hi, searchBlock)/c.Vertical)).keep)
			default:
				s := choose(columns, diagonals, headPattern{c.Kind, c.Vertical, c.Slash}, searchNear)
				out[h] = append(out[h], s.keeper(t.Hi))
			}
		}
	})
	return out
}

// endsKeeper keeps the first tokens and the last ones.
func endsKeeper(sinks, local int) keeper {
	return func(p []float32) float64 {
		from := max(0, len(p)-local)
		return total(p[from:]) + total(p[:min(sinks, from)])
	}
}

// keeper keeps the columns and diagonals themselves, of n tokens, and not the blocks that the kernels of a prefill widen them to.
func (s slashes) keeper(n int) keeper {
	near := make([]bool, n)
	for _, d := range s.distances {
		near[d] = true
	}
	return func(p []float32) float64 {
		var sum float64
		own := int32(len(p)) - 1
		for _, d := range s.distances {
			if d <= own {
				sum += float64(p[own-d])
			}
		}
		for _, c := range s.columns {
			if c > own {
				break
			}
			if !near[own-c] {
				sum += float64(p[c])
			}
		}
		return sum
	}
}

// keep keeps the blocks that the mask has for the row.
func (b *blockMask) keep(p []float32) float64 {
	var sum float64
	r := (len(p) - 1) / b.size
	for c := range r + 1 {
		if b.has(r, c) {
			sum += total(p[c*b.size : min((c+1)*b.size, len(p))])
		}
	}
	return sum
}

func total(p []float32) (sum float64) {
	for _, x := range p {
		sum += float64(x)
	}
	return sum
}
