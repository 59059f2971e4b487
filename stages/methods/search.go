package methods

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// Candidate is a pattern with its sizes that a search tries: columns and diagonals kept, or, for block_sparse, one part in Vertical of
// the blocks.
type Candidate struct {
	Kind            string
	Vertical, Slash int
}

// SearchCandidates are those of MInference's published search.
var SearchCandidates = []Candidate{
	{streamLLM, 100, 800},
	{verticalAndSlash, 30, 800}, {verticalAndSlash, 100, 750}, {verticalAndSlash, 500, 700}, {verticalAndSlash, 3500, 100},
	{blockSparse, 8, 1},
}

// Sizes of the search: rows that estimate, columns and diagonals that are kept in any case, and tokens of a block. MInference itself forces
// more diagonals and has larger blocks.
const (
	searchRows   = 64
	searchForced = 30
	searchBlock  = 32
)

// Search finds, for each query head, the candidate that keeps most of its attention: MInference's offline search. A session with its Policy, fed
// a prompt in one pass, fills it in; attention itself is dense meanwhile. A search is for one prompt.
//
// Source: Jiang et al. 2024, arXiv:2407.02490, and the reference's search_pattern. Same as the reference: a candidate's recall is the share of
// attention that its mask keeps, the mean over the rows from From on; the best stream_llm is written down as vertical_and_slash of the
// same sizes, the best block_sparse as vertical_and_slash of 1000 and 6096.
type Search struct {
	Candidates []Candidate
	From       int       // first row that counts
	Done       func(int) // called after each layer with its number; or nil

	recall [][][]float64 // per layer, query head and candidate
}

// Policy observes a prompt for the search.
func (s *Search) Policy() engine.Policy {
	return engine.Policy{Name: "search", WholePrompt: true, Generate: func(layer int, t engine.Tile) engine.Plan {
		for len(s.recall) <= layer {
			s.recall = append(s.recall, nil)
		}
		s.recall[layer] = s.layer(t)
		if s.Done != nil {
			s.Done(layer)
		}
		return engine.Plan{}
	}}
}

// Recall is the share of attention that each candidate keeps of a query head.
func (s *Search) Recall(layer, head int) []float64 { return s.recall[layer][head] }

// Best is the candidate of a query head, as it is written down, and its recall. Of equal ones it is the first.
func (s *Search) Best(layer, head int) (Candidate, float64) {
	best := 0
	list := s.recall[layer][head]
	for i, r := range list {
		if r > list[best] {
			best = i
		}
	}
	c := s.Candidates[best]
	switch c.Kind {
	case streamLLM:
		c.Kind = verticalAndSlash
	case blockSparse:
		c = Candidate{verticalAndSlash, 1000, 6096}
	}
	return c, list[best]
}

// JSON is the best candidates in the published layout, which minference:config=FILE reads.
func (s *Search) JSON() ([]byte, error) {
	layers := make([]map[string][]any, len(s.recall))
	for l := range layers {
		layers[l] = map[string][]any{}
		for h := range s.recall[l] {
			c, r := s.Best(l, h)
			layers[l][strconv.Itoa(h)] = []any{c.Kind, c.Vertical, c.Slash, r}
		}
	}
	return json.Marshal(layers)
}

// layer is the recall of each head and candidate.
func (s *Search) layer(t engine.Tile) [][]float64 {
	if t.Lo > 0 {
		panic(fmt.Sprintf("methods: a search of a prompt from row %d on; it needs all in one pass", t.Lo))
	}
	n := t.Hi
	masks := s.masks(t)
	sums := make([][]float64, t.Heads)
	for h := range sums {
		sums[h] = make([]float64, len(s.Candidates))
	}
	for lo := s.From / searchBlock * searchBlock; lo < n; lo += searchRows {
		hi := min(lo+searchRows, n)
		q := t.Queries(lo, hi)
		t.Pool.Run(t.Heads, func(h int) {
			p := attention(t, q, lo, hi, h)
			for c, m := range masks[h] {
				for r, row := range p {
					if i := lo + r; i >= s.From {
						sums[h][c] += m.kept(row, i)
					}
				}
			}
		})
	}
	for h := range sums {
		for c := range sums[h] {
			sums[h][c] /= float64(max(1, n-s.From))
		}
	}
	return sums
}

// attention is the rows [lo, hi) of query head h's attention, each up to its own token; q is their queries.
func attention(t engine.Tile, q []float32, lo, hi, h int) [][]float32 {
	rows := hi - lo
	p, queries, room := make([][]float32, rows), make([][]float32, rows), make([]float32, rows*hi)
	for r := range p {
		p[r], queries[r] = room[r*hi:(r+1)*hi], query(t, q, r, h)
	}
	products(p, t.Layer, h/(t.Heads/t.KVHeads), queries, kv.Run{Lo: 0, Hi: int32(hi)})
	for r := range p {
		p[r] = p[r][:lo+r+1]
		kernels.Softmax(p[r])
	}
	return p
}

// mask is the keys that a candidate keeps: columns, diagonals, or blocks of rows and columns. Members are 0 or 1.
type mask struct {
	columns []float32
	listed  []int32   // the columns
	near    []float32 // [n]: number n-1-t is the diagonal at distance t
	blocks  [][]float32
}

// kept is the share of row i's attention p that the mask keeps.
func (m *mask) kept(p []float32, i int) float64 {
	if m.blocks != nil {
		return innerProduct(p, m.blocks[i/searchBlock][:len(p)])
	}
	near := m.near[len(m.near)-1-i:][:len(p)]
	sum := innerProduct(p, m.columns[:len(p)]) + innerProduct(p, near)
	for _, c := range m.listed {
		if int(c) > i {
			break
		}
		sum -= float64(p[c] * near[c]) // counted twice
	}
	return sum
}

func innerProduct(a, b []float32) float64 {
	var sum [1]float32
	kernels.KeyScores(sum[:], a, b, 1)
	return float64(sum[0])
}

// masks makes the masks of all heads and candidates from the last rows.
func (s *Search) masks(t engine.Tile) [][]mask {
	n := t.Hi
	rows := min(searchRows, n)
	last := t.Queries(n-rows, n)
	pooledQ := s.pooledQueries(t)
	out := make([][]mask, t.Heads)
	t.Pool.Run(t.Heads, func(h int) {
		p := attention(t, last, n-rows, n, h)
		for r := range p {
			p[r] = p[r][:len(p[r]):n]
			p[r] = append(p[r], make([]float32, n-len(p[r]))...)
		}
		columns, diagonals := columnMass(p), diagonalMass(p)
		for i := range min(searchForced, n) {
			columns[i], diagonals[n-1-i] = float32(math.Inf(1)), float32(math.Inf(1))
		}
		for _, c := range s.Candidates {
			switch c.Kind {
			case streamLLM:
				out[h] = append(out[h], newMask(n, firstSlots(min(c.Vertical, n)), lastSlots(n, min(c.Slash+1, n))))
			case verticalAndSlash:
				out[h] = append(out[h], newMask(n, kernels.TopK(nil, columns, min(c.Vertical, n)), kernels.TopK(nil, diagonals, min(c.Slash, n))))
			default:
				out[h] = append(out[h], searchBlockMask(t, pooledQ[h], h, c.Vertical))
			}
		}
	})
	return out
}

// newMask keeps columns, ascending, and diagonals by their place in mask.near.
func newMask(n int, columns, near []int32) mask {
	m := mask{columns: make([]float32, n), listed: columns, near: make([]float32, n)}
	for _, c := range columns {
		m.columns[c] = 1
	}
	for _, d := range near {
		m.near[d] = 1
	}
	return m
}

// firstSlots is the slots [0, n), lastSlots the last k of n.
func firstSlots(n int) []int32 { return lastSlots(n, n) }

func lastSlots(n, k int) []int32 {
	s := make([]int32, k)
	for i := range s {
		s[i] = int32(n - k + i)
	}
	return s
}

// pooledQueries is, per query head and block, the mean query; the last block's mean counts what it lacks as zeros.
func (s *Search) pooledQueries(t engine.Tile) [][][]float32 {
	out := make([][][]float32, t.Heads)
	for lo := 0; lo < t.Hi; lo += searchRows {
		hi := min(lo+searchRows, t.Hi)
		q := t.Queries(lo, hi)
		for h := range out {
			for r := range hi - lo {
				if r%searchBlock == 0 {
					out[h] = append(out[h], make([]float32, t.Dim))
				}
				addScaled(out[h][len(out[h])-1], query(t, q, r, h), 1.0/searchBlock)
			}
		}
	}
	return out
}

func addScaled(sum, x []float32, by float32) {
	for i, v := range x {
		sum[i] += by * v
	}
}

// searchBlockMask keeps, for each block of rows, one part in parts of all blocks, of those up to it the ones whose mean keys have the largest products with its mean
// query.
func searchBlockMask(t engine.Tile, queries [][]float32, h, parts int) mask {
	n, d := t.Hi, t.Dim
	blocks := len(queries)
	keys := make([]float32, blocks*d)
	k := make([]float32, d)
	for j := range n {
		t.Layer.Key(k, h/(t.Heads/t.KVHeads), j)
		addScaled(keys[j/searchBlock*d:][:d], k, 1.0/searchBlock)
	}
	scores := make([]float32, blocks)
	m := mask{blocks: make([][]float32, blocks)}
	for b, q := range queries {
		kernels.KeyScores(scores, q, keys, 1)
		for c := b + 1; c < blocks; c++ {
			scores[c] = float32(math.Inf(-1)) // not before the row
		}
		row := make([]float32, blocks*searchBlock)
		for _, c := range kernels.TopK(nil, scores, blocks/parts) {
			for i := range searchBlock {
				row[int(c)*searchBlock+i] = 1
			}
		}
		m.blocks[b] = row
	}
	return m
}
