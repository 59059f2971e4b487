package methods

import (
	"math"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// MInference gives each head one of three patterns, chosen beforehand, and estimates at the start of a prompt where the pattern's
// columns, diagonals or blocks lie: vertical-slash from the attention of the last 64 rows, block-sparse from the means of blocks.
var MInference = engine.Method{
	Name:    "minference",
	Paper:   "Jiang et al. 2024, arXiv:2407.02490",
	Doc:     "Sparse prefill: columns and diagonals, blocks, or A-shape per head, estimated for each prompt; the cache stays whole.",
	Stage:   engine.Generation,
	Differs: "Differs from the reference: at least 100 diagonals are kept, which are those that it forces (with fewer, it drops any of them, even a row's own token); equal scores go to the lower index.",
	Cost:    engine.CostClass{Prefill: "n·(vertical + 64·slash blocks) + 64·n to estimate; or n·64·blocks", Decode: "all n tokens", Memory: "all n tokens", Decided: "pattern per head before, indices at prefill", Aware: "last 64 queries"},
	Params:  minferenceParams,
	New: func(s engine.Shape, a engine.Args) (engine.Policy, error) {
		m, err := newMInference(s, a)
		if err != nil {
			return engine.Policy{}, err
		}
		return engine.Policy{Generate: m.plan, WholePrompt: true, Budget: m.budget}, nil
	},
}

// minferenceParams are also TriangleMix's, for its lower layers.
var minferenceParams = []engine.Param{
	{Name: "pattern", Default: verticalAndSlash, Doc: "pattern of heads that the configuration does not name: vertical_and_slash, block_sparse or stream_llm"},
	{Name: "vertical", Default: "1000", Doc: "columns of such heads, the first 30 included; sinks, of stream_llm"},
	{Name: "slash", Default: "6096", Doc: "diagonals of such heads, the nearest 100 included; local window, of stream_llm"},
	{Name: "blocks", Default: "100", Doc: "blocks of 64 keys that a row of a block_sparse head reads"},
	{Name: "dense", Default: "0", Doc: "layers at the bottom that stay dense"},
	{Name: "config", Default: "", Doc: "file of patterns per layer and head, in the published layout, as scbench methods search writes it; its name may have no comma and no plus"},
}

// The names of patterns, as published configurations write them.
const (
	verticalAndSlash = "vertical_and_slash"
	blockSparse      = "block_sparse"
	streamLLM        = "stream_llm"
)

// Sizes that the method fixes.
const (
	sparseBlock  = 64 // rows and keys of a block
	lastQueries  = 64 // rows that the estimate looks at
	forcedSinks  = 30
	forcedNearby = 100
)

// headPattern is what one head does. Sizes are columns and diagonals; sinks and window, of stream_llm.
type headPattern struct {
	kind            string
	vertical, slash int
}

// minference is the patterns of a model.
type minference struct {
	heads    []map[int]headPattern // per layer; those not named have the fallback
	fallback headPattern
	blocks   int
	dense    int
}

func newMInference(s engine.Shape, a engine.Args) (*minference, error) {
	m := &minference{
		fallback: headPattern{a.Choice("pattern", verticalAndSlash, blockSparse, streamLLM), a.Int("vertical", 0), a.Int("slash", 1)},
		blocks:   a.Int("blocks", 1), dense: a.Int("dense", 0),
	}
	name, data := a.File("config")
	if data == nil {
		return m, nil
	}
	heads, err := parseHeadPatterns(data, s)
	if err != nil {
		return nil, fileError(name, err)
	}
	m.heads = heads
	return m, nil
}

// of returns the pattern of a head.
func (m *minference) of(layer, head int) headPattern {
	if layer < len(m.heads) {
		if p, ok := m.heads[layer][head]; ok {
			return p
		}
	}
	return m.fallback
}

// budget is the most that a row can read: a diagonal costs up to a block of keys.
func (m *minference) budget(n int) int {
	most := m.fallback.reads(m.blocks)
	for _, layer := range m.heads {
		for _, p := range layer { // the largest, whatever the order
			most = max(most, p.reads(m.blocks))
		}
	}
	return min(n, most)
}

func (p headPattern) reads(blocks int) int {
	switch p.kind {
	case streamLLM:
		return p.vertical + p.slash
	case blockSparse:
		return blocks * sparseBlock
	}
	return max(p.vertical, forcedSinks) + sparseBlock*max(p.slash, forcedNearby)
}

// plan estimates the patterns of one layer.
func (m *minference) plan(layer int, t engine.Tile) engine.Plan {
	if layer < m.dense {
		return engine.Plan{}
	}
	uses := map[string]bool{}
	for h := range t.Heads {
		uses[m.of(layer, h).kind] = true
	}
	rows := min(lastQueries, t.Hi)
	var q []float32
	var means pooledBlocks
	if uses[verticalAndSlash] {
		q = t.Queries(t.Hi-rows, t.Hi)
	}
	if uses[blockSparse] {
		means = poolBlocks(t, sparseBlock)
	}
	plan := engine.Plan{Cuts: cuts(t.Hi, sparseBlock), Heads: make([]engine.Pattern, t.Heads)}
	t.Pool.Run(t.Heads, func(h int) {
		p := m.of(layer, h)
		switch p.kind {
		case streamLLM:
			plan.Heads[h] = aShape(int32(p.vertical), int32(p.slash))
		case blockSparse:
			plan.Heads[h] = means.choose(t, h, m.blocks).pattern
		default:
			seen := recent(t, q, rows, h)
			plan.Heads[h] = choose(columnMass(seen), diagonalMass(seen), p, forcedNearby).pattern
		}
	})
	return plan
}

// slashes is a vertical-slash choice.
type slashes struct {
	columns   []int32 // ascending
	distances []int32 // descending
}

// choose keeps the heaviest columns and diagonals, the first and the nearest always.
func choose(columns, diagonals []float32, p headPattern, nearby int) slashes {
	n := len(columns)
	for i := range min(forcedSinks, n) {
		columns[i] = float32(math.Inf(1))
	}
	for i := range min(nearby, n) {
		diagonals[n-1-i] = float32(math.Inf(1))
	}
	s := slashes{
		columns:   kernels.TopK(nil, columns, max(p.vertical, forcedSinks)),
		distances: kernels.TopK(nil, diagonals, max(p.slash, nearby)),
	}
	for i, at := range s.distances {
		s.distances[i] = int32(n-1) - at
	}
	return s
}

// ranges are the keys that the diagonals need for the 64 rows of block r, ascending and disjoint. They begin where the farthest
// diagonal does and grow by whole blocks, so that they take in keys that no diagonal asked for, as in the reference.
func (s slashes) ranges(r int32) []kv.Run {
	var out []kv.Run
	end := (r + 1) * sparseBlock
	for _, t := range s.distances {
		if t >= end {
			continue
		}
		hi := max(end-t, sparseBlock)
		switch last := len(out) - 1; {
		case last < 0 || hi > out[last].Hi+sparseBlock:
			out = append(out, kv.Run{Lo: hi - sparseBlock, Hi: hi})
		case hi > out[last].Hi:
			out[last].Hi += sparseBlock
		}
	}
	return out
}

// merge hands out, in ascending order, the ranges, and the columns that lie before the end of the last range and in none of them.
func (s slashes) merge(ranges []kv.Run, column func(c int32), run func(r kv.Run)) {
	c := 0
	for _, r := range ranges {
		for ; c < len(s.columns) && s.columns[c] < r.Hi; c++ {
			if s.columns[c] < r.Lo {
				column(s.columns[c])
			}
		}
		run(r)
	}
}

// pattern reads the ranges and the columns between them; it must not be asked for rows of two blocks.
func (s slashes) pattern(dst []kv.Span, lo, _ int32) []kv.Span {
	s.merge(s.ranges(lo/sparseBlock),
		func(c int32) { dst = append(dst, kv.Column(c, c+1)) },
		func(r kv.Run) { dst = append(dst, kv.Column(r.Lo, r.Hi)) })
	return dst
}

// pooledBlocks is the means of the queries and keys of blocks of size tokens.
type pooledBlocks struct {
	size int
	q, k [][]float32
}

// poolBlocks takes the means over blocks of size rows, zero rows after the prompt's end included.
func poolBlocks(t engine.Tile, size int) pooledBlocks {
	p := pooledBlocks{size, blockQueries(t, size), blockKeys(t, size)}
	for _, heads := range [][][]float32{p.q, p.k} {
		for _, x := range heads {
			for i := range x {
				x[i] /= float32(size)
			}
		}
	}
	return p
}

// choose keeps, for each block of rows of head h, the blocks of keys with the largest product of means. The rows' own block is not
// forced.
func (p pooledBlocks) choose(t engine.Tile, h, blocks int) *blockMask {
	mask := newBlockMask(t.Hi, p.size)
	q, k := p.q[h], p.k[h/(t.Heads/t.KVHeads)]
	scores := make([]float32, blocksOf(t.Hi, p.size))
	var best []int32
	for r := range scores {
		kernels.KeyScores(scores[:r+1], q[r*t.Dim:(r+1)*t.Dim], k, 1)
		best = kernels.TopK(best, scores[:r+1], blocks)
		for _, c := range best {
			mask.set(r, int(c))
		}
	}
	return mask
}
