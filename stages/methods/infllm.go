package methods

import (
	"fmt"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// InfLLM keeps the whole cache in blocks, and each KV head reads the blocks whose representative keys, those that later tokens of the prompt
// attended to most from nearby, suit its queries best, beside the first tokens and a window of the latest.
var InfLLM = engine.Method{
	Name:    "infllm",
	Paper:   "Xiao et al. 2024, arXiv:2402.04617",
	Doc:     "Keeps all tokens in blocks; each query reads the first, the latest and the blocks whose representatives suit it.",
	Stage:   engine.Loading,
	Differs: "Differs from the reference: only loading is InfLLM's. The prompt is computed densely, where it reads blocks there too, and what it reads stays at its true positions, where it puts all blocks at one distance; decoding chooses blocks, which the benchmark's code does only with dense_decoding off. Blocks are chosen per KV head and row (it takes one choice for all heads and the rows of a chunk), and are made once, after the prompt: what is appended later widens the window. A token's weight as a representative is its share of attention among sinks and window.",
	Cost:    engine.CostClass{Prefill: "n² / 2, and n·(init + local) to observe", Decode: "init + local + topk·block + n/block representatives", Memory: "n + n/block representatives a query head", Decided: "representatives after the prompt, blocks at each step", Aware: "every query"},
	Params: []engine.Param{
		{Name: "block", Default: "128", Doc: "tokens of a block"},
		{Name: "init", Default: "128", Doc: "first tokens that all queries read"},
		{Name: "local", Default: "4096", Doc: "last tokens of the prompt that all queries read"},
		{Name: "topk", Default: "16", Doc: "blocks that a query chooses"},
		{Name: "repr", Default: "4", Doc: "tokens that represent a block"},
	},
	New: func(s engine.Shape, a engine.Args) (engine.Policy, error) {
		p := blocking{size: a.Int("block", 1), init: a.Int("init", 0), local: a.Int("local", 1), repr: a.Int("repr", 1), rotate: s.Rotate}
		topk := a.Int("topk", 1)
		if p.repr > p.size {
			a.Fail("repr", "no more than the tokens of a block")
		}
		name := fmt.Sprintf("attention to the last %d and the first %d", p.local, p.init)
		return engine.Policy{
			Observe: []engine.Observation{{Name: name, New: func(int) kv.Observer { return &nearby{init: p.init, local: p.local} }}},
			Index: func(_ int, l *kv.Layer, _ kv.Window) kv.Index {
				return p.index(l, l.Observer(name).(*nearby))
			},
			Load: func(_ int, l *kv.Layer, q engine.Query, dst [][]kv.Span) (examined int64) {
				x := &l.Index().(*blocks).heads[q.KVHead]
				scores := x.scores(p.turn(l, q), l.Dim())
				spans := []kv.Span{kv.Column(0, int32(x.first))}
				for _, b := range kernels.TopK(nil, scores, topk) {
					lo := x.first + int(b)*p.size
					spans = append(spans, kv.Column(int32(lo), int32(lo+p.size)))
				}
				spans = append(spans, kv.Column(int32(x.first+len(scores)*p.size), int32(q.Slots)))
				for m := range dst {
					dst[m] = append(dst[m], spans...)
				}
				return int64(len(x.repr)) * 4
			},
			Budget: func(n int) int {
				return int(min(int64(n), int64(p.init)+int64(p.local)+int64(topk)*int64(p.size)))
			},
		}, nil
	},
}

// blocking is the settings by which blocks are made.
type blocking struct {
	size, init, local, repr int
	rotate                  func(x []float32, from, to []int32, length int)
}

// blocks is the index of InfLLM. It is of the prompt, and does not change afterwards.
type blocks struct{ heads []headBlocks }

// headBlocks is the blocks of one KV head, in order from slot first on.
type headBlocks struct {
	first int
	n     int
	repr  []float32 // [n, query heads of the group, Dim] representatives, as at position 0
}

// Extend has nothing to do: what comes after the prompt is always read.
func (*blocks) Extend(*kv.Layer) {}

// Fork returns the index itself, which nobody writes to.
func (x *blocks) Fork() kv.Index { return x }

// Bytes is the memory of the representatives.
func (x *blocks) Bytes() (n int64) {
	for _, h := range x.heads {
		n += int64(len(h.repr)) * 4
	}
	return n
}

// index makes blocks of the tokens between the first ones and the window. Each query head has a representative of its own: the mean, before
// RoPE, of the block's keys that it attended to most. If an edit has left out tokens, those that stay have their attention by their positions.
func (p blocking) index(l *kv.Layer, o *nearby) *blocks {
	x := &blocks{make([]headBlocks, l.Heads())}
	for h := range x.heads {
		first := min(p.init, l.Slots(h))
		n := max(0, l.Slots(h)-first-p.local) / p.size
		x.heads[h] = headBlocks{first: first, n: n}
		for b := range n {
			x.heads[h].repr = append(x.heads[h].repr, p.represent(l, h, first+b*p.size, o)...)
		}
	}
	return x
}

// represent returns the representatives of the block that begins at slot first, [query heads of the group, Dim].
func (p blocking) represent(l *kv.Layer, h, first int, o *nearby) []float32 {
	d, group := l.Dim(), len(o.heads)/l.Heads()
	keys, at := make([]float32, p.size*d), make([]int32, p.size)
	for i := range p.size {
		l.Key(keys[i*d:(i+1)*d], h, first+i)
		at[i] = l.Pos(h, first+i)
	}
	if p.rotate != nil {
		p.rotate(keys, at, make([]int32, p.size), l.Slots(h))
	}
	out, weight := make([]float32, group*d), make([]float32, p.size)
	for m := range group {
		for i, pos := range at {
			weight[i] = o.heads[h*group+m][pos]
		}
		mean := out[m*d : (m+1)*d]
		for _, i := range kernels.TopK(nil, weight, p.repr) {
			kernels.Add(mean, keys[int(i)*d:(int(i)+1)*d])
		}
		for c := range mean {
			mean[c] /= float32(p.repr)
		}
	}
	return out
}

// turn returns the queries of a row as they would be at the far end of the window.
func (p blocking) turn(l *kv.Layer, q engine.Query) []float32 {
	x := append([]float32(nil), q.Group...)
	if p.rotate != nil {
		from, to := make([]int32, len(x)/l.Dim()), make([]int32, len(x)/l.Dim())
		for m := range from {
			from[m], to[m] = l.Pos(q.KVHead, q.Slots-1), int32(p.local-1)
		}
		p.rotate(x, from, to, l.Slots(q.KVHead))
	}
	return x
}

// scores is the mean product of the members' turned queries with each block's representatives.
func (x *headBlocks) scores(turned []float32, dim int) []float32 {
	scores := make([]float32, x.n)
	kernels.KeyScores(scores, turned, x.repr, float32(dim)/float32(len(turned))) // the sum over members is one long product
	return scores
}

// nearby adds up the attention that each token of a prompt receives, per query head, from the local queries from its own on, a softmax over
// the first init tokens and those local ones.
type nearby struct {
	init, local int
	heads       [][]float32 // per query head: [tokens]
}

// Observe adds what the rows pay.
func (o *nearby) Observe(pool *kernels.Pool, l *kv.Layer, q []float32, first, rows int) {
	heads := len(q) / (rows * l.Dim())
	next := make([][]float32, heads) // what forks share is not written to
	for h := range next {
		next[h] = make([]float32, first+rows)
		if o.heads != nil {
			copy(next[h], o.heads[h])
		}
	}
	o.heads = next
	pool.Run(l.Heads(), func(h int) { o.attention(l, h, groupOf(l, q, rows, h), first) })
}

// Fork returns a copy; both share what they have until one of them sees more.
func (o *nearby) Fork() kv.Observer {
	f := *o
	return &f
}

// Cells counts the first keys and the local ones of every query.
func (o *nearby) Cells() int64 {
	if o.heads == nil {
		return 0
	}
	n, most := int64(len(o.heads[0])), int64(o.init)+int64(o.local)
	few := min(n, most) // queries that meet all keys up to their own
	return (few*(few+1)/2 + (n-few)*most) * int64(len(o.heads))
}

// MarshalBinary writes the sums.
func (o *nearby) MarshalBinary() ([]byte, error) {
	w := newState()
	w.number(len(o.heads))
	for _, sum := range o.heads {
		w.floats(sum)
	}
	return w.data, nil
}

// UnmarshalBinary reads the sums, in the place of what the observer has seen.
func (o *nearby) UnmarshalBinary(data []byte) error {
	r := readState(data)
	o.heads = nil // forks may read them
	for range r.count(8) {
		sum := r.floats()
		r.check(o.heads == nil || len(sum) == len(o.heads[0]))
		o.heads = append(o.heads, sum)
	}
	return r.end()
}

// attention adds what rows from slot first on pay to the tokens near them. What a row pays does not depend on the rows beside it.
func (o *nearby) attention(l *kv.Layer, h int, g groupRows, first int) {
	end := first + g.rows
	g.tiles(min(o.init, end)+min(o.local, end)+tileRows, func(r int, queries, scores [][]float32) {
		last := first + r + len(queries)/g.group // the first slot that no row of the tile sees
		from := max(0, first+r-o.local+1)        // the first that is near its first row
		sinks := min(o.init, from)
		products(scores, l, h, queries, kv.Run{Lo: 0, Hi: int32(sinks)}, kv.Run{Lo: int32(from), Hi: int32(last)})
		for i, row := range scores {
			slot := first + r + i/g.group
			near := max(0, slot-o.local+1)
			far := min(o.init, near) // sinks that are not near, side by side with what is near
			n := copy(row[far:], row[sinks+near-from:sinks+slot+1-from])
			kernels.Softmax(row[:far+n])
			kernels.Add(o.heads[g.first+i%g.group][near:slot+1], row[far:far+n])
		}
	})
}
