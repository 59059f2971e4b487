package methods

import (
	"math"

	"scbench/kernels"
	"scbench/stages/engine"
)

// FlexPrefill decides for each head and prompt how many blocks hold a share gamma of the attention of the last rows, and keeps
// that many block columns and block diagonals. A head whose last rows attend as the means of blocks suggest is query-aware: it
// keeps the largest products of means besides.
var FlexPrefill = engine.Method{
	Name:    "flexprefill",
	Paper:   "Lai et al. 2025, arXiv:2502.20766",
	Doc:     "Sparse prefill: as many block columns and diagonals as cover a share of the attention; the cache stays whole.",
	Stage:   engine.Generation,
	Differs: "Differs from the reference: 0·ln 0 is 0 in the distance between distributions, where the reference gets NaN and so takes the head for a vertical-slash one; gamma=1 is dense attention without an estimate.",
	Cost:    engine.CostClass{Prefill: "kept blocks + 128·n to estimate", Decode: "all n tokens", Memory: "all n tokens", Decided: "at prefill", Aware: "last 128 queries"},
	Params: []engine.Param{
		{Name: "gamma", Default: "0.9", Doc: "share of the attention to be covered"},
		{Name: "tau", Default: "0.1", Doc: "Jensen-Shannon distance below which a head is query-aware"},
		{Name: "block", Default: "128", Doc: "tokens of a block, and rows that the estimate looks at"},
		{Name: "min", Default: "0", Doc: "tokens that columns and diagonals cover at least, each; 0: one block"},
		{Name: "max", Default: "0", Doc: "tokens that columns and diagonals cover at most, each; 0: no limit"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		f := flexPrefill{
			gamma: a.Number("gamma", 0, 1), tau: a.Number("tau", 0, math.MaxFloat64),
			block: a.Int("block", 1), least: a.Int("min", 0), most: a.Int("max", 0),
		}
		if f.most > 0 && f.most < f.least {
			a.Fail("max", "no fewer tokens than min, or 0")
		}
		return engine.Policy{
			Generate:    func(_ int, t engine.Tile) engine.Plan { return f.plan(t) },
			WholePrompt: true,
		}, nil
	},
}

type flexPrefill struct {
	gamma, tau         float64
	block, least, most int
}

// budgetQuantum is what the reference divides token counts by to get blocks, whatever the size of a block is.
const budgetQuantum = 128

// plan estimates the pattern of each head.
func (f flexPrefill) plan(t engine.Tile) engine.Plan {
	if t.Hi <= max(2*f.block, blocksOf(f.least, f.block)*f.block) || f.gamma >= 1 {
		return engine.Plan{}
	}
	q := t.Queries(t.Hi-f.block, t.Hi)
	keys := blockKeys(t, f.block)
	toMeans(keys, t.Hi, f.block, t.Dim)
	heads := make([]flexHead, t.Heads)
	t.Pool.Run(t.Heads, func(h int) { heads[h] = f.look(t, q, keys[h/(t.Heads/t.KVHeads)], h) })
	var queries [][]float32
	for _, h := range heads {
		if h.distance < f.tau && queries == nil {
			queries = blockQueries(t, f.block)
			toMeans(queries, t.Hi, f.block, t.Dim)
		}
	}
	plan := engine.Plan{Cuts: cuts(t.Hi, f.block), Heads: make([]engine.Pattern, t.Heads)}
	t.Pool.Run(t.Heads, func(h int) {
		mask := f.fixed(heads[h], t.Hi)
		if heads[h].distance < f.tau {
			f.addLargest(mask, queries[h], keys[h/(t.Heads/t.KVHeads)], t.Dim)
		}
		plan.Heads[h] = mask.pattern
	})
	return plan
}

// flexHead is what the last rows of a head say.
type flexHead struct {
	columns   []float32 // what each block of keys receives of their attention; sums to 1
	diagonals []float32 // along each block of distances, the farthest first; sums to 1
	means     []float32 // what it would receive by the means of blocks; sums to 1
	distance  float64   // Jensen-Shannon distance of columns and means
	nColumns  int       // blocks whose tokens cover gamma
	nDiagonal int
}

// look works out what the last rows of head h say. q is their queries, keys the means of the blocks of keys.
func (f flexPrefill) look(t engine.Tile, q, keys []float32, h int) flexHead {
	seen := recent(t, q, f.block, h)
	columns, diagonals := columnMass(seen), diagonalMass(seen)
	mean := make([]float32, t.Dim)
	for r := range f.block {
		kernels.Add(mean, query(t, q, r, h))
	}
	for i := range columns {
		columns[i] /= float32(f.block)
		diagonals[i] /= float32(f.block)
	}
	for i := range mean {
		mean[i] /= float32(f.block)
	}
	out := flexHead{columns: blockMass(columns, f.block), diagonals: blockMass(diagonals, f.block)}
	out.means = make([]float32, len(out.columns))
	kernels.KeyScores(out.means, mean, keys, float32(1/math.Sqrt(float64(t.Dim))))
	kernels.Softmax(out.means)
	out.distance = jensenShannon(out.means, out.columns)
	least := max(1, blocksOf(f.least, f.block))
	if out.distance < f.tau {
		out.nColumns, out.nDiagonal = least, least
		return out
	}
	most := len(out.columns)
	if f.most > 0 {
		most = min(most, blocksOf(f.most, f.block))
	}
	out.nColumns = min(max(cover(columns, f.gamma)/budgetQuantum+1, least), most)
	out.nDiagonal = min(max(cover(diagonals, f.gamma)/budgetQuantum+1, least), most)
	return out
}

// fixed is the mask of block columns and block diagonals; the first column and the nearest diagonal are always among them.
func (f flexPrefill) fixed(h flexHead, n int) *blockMask {
	last := len(h.columns) - 1
	h.columns[0], h.diagonals[last] = float32(math.Inf(1)), float32(math.Inf(1))
	columns, diagonals := kernels.TopK(nil, h.columns, h.nColumns), kernels.TopK(nil, h.diagonals, h.nDiagonal)
	mask := newBlockMask(n, f.block)
	for r := range h.columns {
		for _, c := range columns {
			if int(c) <= r {
				mask.set(r, int(c))
			}
		}
		for _, at := range diagonals {
			if c := r - (last - int(at)); c >= 0 {
				mask.set(r, c)
			}
		}
	}
	return mask
}

// addLargest keeps, of all pairs of blocks of a head, those with the largest share of their row by the means of blocks, as long as the
// shares add up to no more than gamma of all.
func (f flexPrefill) addLargest(mask *blockMask, queries, keys []float32, d int) {
	blocks := len(queries) / d
	shares := func(row []float32, r int) []float32 {
		row = row[:r+1]
		kernels.KeyScores(row, queries[r*d:(r+1)*d], keys, float32(1/math.Sqrt(float64(d))))
		kernels.Softmax(row)
		return row
	}
	buf := make([]float32, blocks)
	bound, ties := leadingShare(func(yield func([]float32)) {
		for r := range blocks {
			yield(shares(buf, r))
		}
	}, f.gamma*float64(blocks))
	for r := range blocks {
		for c, x := range shares(buf, r) {
			switch {
			case x > bound:
				mask.set(r, c)
			case x == bound && ties > 0:
				mask.set(r, c)
				ties--
			}
		}
	}
}
