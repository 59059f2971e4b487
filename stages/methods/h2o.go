package methods

import (
	"slices"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// H2O keeps the tokens of the prompt that all queries of the prompt together attend to most, heavy hitters, and the latest.
var H2O = engine.Method{
	Name:    "h2o",
	Paper:   "Zhang et al. 2023, arXiv:2306.14048",
	Doc:     "Keeps the tokens that all of the prompt's queries together attend to most, and the latest.",
	Stage:   engine.Compression,
	Differs: "Differs from the reference: it chooses once, at the end of the first prompt, as the benchmark lets compression methods do, where the original goes on evicting at every step; one choice per KV head, by the mean of its query heads. With score=mean a token's attention is divided by the number of queries that see it, as in kvpress, which protects no latest tokens.",
	Cost:    engine.CostClass{Prefill: "n² / 2 twice", Decode: "budget", Memory: "budget", Decided: "at the end of prefill", Aware: "all queries of the prompt"},
	Params: []engine.Param{
		{Name: "budget", Default: "4096", Doc: "tokens kept per head, the latest included; a number or a share of the prompt"},
		{Name: "recent", Default: "1/2", Doc: "latest tokens kept in any case; a number or a share of the budget"},
		{Name: "score", Default: "sum", Doc: "a token's attention from all queries: sum, or mean of those that see it"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		budget, recent, mean := a.Amount("budget"), a.Amount("recent"), a.Choice("score", "sum", "mean") == "mean"
		if budget.Tokens > 0 && recent.Tokens > budget.Tokens {
			a.Fail("recent", "no more tokens than the budget, which includes them")
		}
		return engine.Policy{
			Observe: []engine.Observation{{Name: receivedName, New: func(int) kv.Observer { return &received{} }}},
			Compress: func(_ int, l *kv.Layer, _ kv.Window) kv.Edit {
				o := l.Observer(receivedName).(*received)
				return keepTop(l, budget, recent, func(h int) []float32 { return o.scores(h, mean) })
			},
			Budget: func(n int) int { return min(n, budget.Of(n)) },
		}, nil
	},
}

// keepTop keeps, per KV head, the budget tokens with the highest scores, its share recent of the latest ones before any other.
func keepTop(l *kv.Layer, budget, recent engine.Amount, scores func(h int) []float32) kv.Edit {
	e := kv.Edit{Keep: make([][]int32, l.Heads())}
	for h := range e.Keep {
		n := l.Slots(h)
		capacity := budget.Of(n)
		if n <= capacity {
			return kv.Edit{}
		}
		latest := min(recent.Of(capacity), capacity)
		e.Keep[h] = withLast(kernels.TopK(nil, scores(h)[:n-latest], capacity-latest), n, latest)
	}
	return e
}

// receivedName is what the observer of H2O is asked for by.
const receivedName = "received"

// received adds up the attention that each token of a prompt receives from all queries. It takes as much memory as two numbers per token
// and KV head, and as much time as computing all scores once more.
type received struct {
	heads []columns // per KV head
	group int       // query heads of each
	lent  bool      // a fork reads heads too
}

// columns is the sums of the columns of a matrix that comes in row by row. Rows are added up in blocks of columnBlock first, so that
// float32 sums of very many rows stay good; blocks begin at multiples of it, whatever passes the rows come in.
type columns struct {
	sum  []float32 // of whole blocks
	part []float32 // of the rows since
}

// columnBlock is the number of rows of a block of columns.
const columnBlock = 64

// Observe adds what the rows pay to every key.
func (o *received) Observe(pool *kernels.Pool, l *kv.Layer, q []float32, first, rows int) {
	if o.lent {
		o.heads, o.lent = slices.Clone(o.heads), false
		for h, c := range o.heads {
			o.heads[h] = columns{slices.Clone(c.sum), slices.Clone(c.part)}
		}
	}
	if o.heads == nil {
		o.heads = make([]columns, l.Heads())
		o.group = groupOf(l, q, rows, 0).group
	}
	pool.Run(l.Heads(), func(h int) { o.heads[h].attention(l, h, groupOf(l, q, rows, h), first) })
}

// Fork returns a copy; both share what they have until one of them sees more.
func (o *received) Fork() kv.Observer {
	o.lent = true
	return &received{heads: o.heads, group: o.group, lent: true}
}

// Cells is as many as dense attention computes: every query meets all keys up to its own once more.
func (o *received) Cells() int64 {
	if o.heads == nil {
		return 0
	}
	n := int64(len(o.heads[0].sum))
	return n * (n + 1) / 2 * int64(len(o.heads)*o.group)
}

// MarshalBinary writes the sums.
func (o *received) MarshalBinary() ([]byte, error) {
	w := newState()
	w.number(o.group)
	w.number(len(o.heads))
	for _, c := range o.heads {
		w.floats(c.sum)
		w.floats(c.part)
	}
	return w.data, nil
}

// UnmarshalBinary reads the sums, in the place of what the observer has seen.
func (o *received) UnmarshalBinary(data []byte) error {
	r := readState(data)
	o.heads = nil // forks may read them
	o.group = r.number()
	for range r.count(2 * 8) {
		c := columns{r.floats(), r.floats()}
		r.check(len(c.part) == len(c.sum) && (o.heads == nil || len(c.sum) == len(o.heads[0].sum)))
		o.heads = append(o.heads, c)
	}
	r.check(o.group > 0 == (o.heads != nil))
	return r.end()
}

// attention adds the softmaxed scores of all members of the group, row by row.
func (c *columns) attention(l *kv.Layer, h int, g groupRows, first int) {
	n := first + g.rows
	c.sum = append(c.sum, make([]float32, n-len(c.sum))...)
	c.part = append(c.part, make([]float32, n-len(c.part))...)
	g.tiles(n, func(r int, queries, scores [][]float32) {
		last := first + r + len(queries)/g.group
		products(scores, l, h, queries, kv.Run{Lo: 0, Hi: int32(last)})
		for i, row := range scores {
			seen := first + r + i/g.group + 1
			kernels.Softmax(row[:seen])
			kernels.Add(c.part[:seen], row[:seen])
			if seen%columnBlock == 0 && i%g.group == g.group-1 {
				kernels.Add(c.sum, c.part)
				clear(c.part)
			}
		}
	})
}

// scores is the attention that each token of KV head h received, the mean over its query heads: of all rows together, or the mean of the rows
// that see it.
func (o *received) scores(h int, mean bool) []float32 {
	c := o.heads[h]
	n := len(c.sum)
	x := slices.Clone(c.sum)
	kernels.Add(x, c.part)
	for i := range x {
		x[i] /= float32(o.group)
		if mean {
			x[i] /= float32(n - i)
		}
	}
	return x
}
