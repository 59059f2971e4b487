package methods

import (
	"fmt"
	"math"
	"slices"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/kv/roargraph"
)

// RetrievalAttention keeps the whole cache, and each query reads the first tokens, the latest, and of those between the ones whose keys
// have the largest products with it, which a graph made from the prompt's own queries finds. One softmax runs over all of them, which is
// what merging the partial ones comes to.
var RetrievalAttention = engine.Method{
	Name:    "retrievalattention",
	Paper:   "Liu et al. 2024, arXiv:2409.10516",
	Doc:     "Keeps all tokens; each query reads the first, the latest and those that an index of keys finds for it.",
	Stage:   engine.Loading,
	Differs: "Same as the reference (the benchmark's code) with index=flat, topk=2000; it sums exponentials without taking out the largest, and may overflow. The paper's graph is parallel and another every time; here it is a function of the prompt, from a sample of its queries, with keys taken relative to their mean, which changes no query's order of them, and each key joined with those of the two queries that it stands highest with. With later=indexed, tokens that have left the window since the prompt are searched one by one beside the graph.",
	Cost:    engine.CostClass{Prefill: "n² / 2, and sample·n for the graph", Decode: "sinks + window + topk + keys that the search meets", Memory: "n + 4·degree bytes a token and KV head", Decided: "graph after the prompt, tokens at each step", Aware: "every query"},
	Params: []engine.Param{
		{Name: "sinks", Default: "128", Doc: "first tokens that all queries read"},
		{Name: "window", Default: "512", Doc: "last tokens of the prompt that all queries read"},
		{Name: "topk", Default: "100", Doc: "tokens retrieved for each query; a number or a share of the context"},
		{Name: "later", Default: "window", Doc: "tokens after the prompt: window, they widen it, or indexed, the window goes along and what leaves it is searched"},
		{Name: "index", Default: "graph", Doc: "how keys are searched: graph, or flat, all of them"},
		{Name: "sample", Default: "2048", Doc: "most rows of the prompt whose queries make the graph"},
		{Name: "nearest", Default: "100", Doc: "keys with the largest products that are found for each of them"},
		{Name: "degree", Default: "32", Doc: "most edges of a key; the paper: 35"},
		{Name: "build", Default: "16", Doc: "width of the walks that connect the graph; the paper: 500"},
		{Name: "beam", Default: "256", Doc: "keys that a search follows the edges of: more of them find more and look at more"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		r := retrieval{
			sinks: a.Int("sinks", 0), window: a.Int("window", 1), topk: a.Amount("topk"), beam: a.Int("beam", 1),
			follow: a.Choice("later", "window", "indexed") == "indexed",
		}
		sample := a.Int("sample", 1)
		graph := roargraph.Settings{Nearest: a.Int("nearest", 1), Degree: a.Int("degree", 1), Width: a.Int("build", 1)}
		p := engine.Policy{
			Load: r.load,
			Budget: func(n int) int {
				return int(min(int64(n), int64(r.sinks)+int64(r.window)+int64(r.topk.Of(n))))
			},
		}
		if a.Choice("index", "graph", "flat") == "flat" {
			p.Index = func(_ int, l *kv.Layer, _ kv.Window) kv.Index { return r.bounds(l) }
			return p, nil
		}
		name := fmt.Sprintf("sample of %d rows", sample)
		p.Observe = []engine.Observation{{Name: name, New: func(int) kv.Observer { return newSample(sample) }}}
		p.Index = func(_ int, l *kv.Layer, _ kv.Window) kv.Index {
			x := r.bounds(l)
			for h := range x.heads {
				x.heads[h].build(l, h, l.Observer(name).(*sampled), graph)
			}
			return x
		}
		return p, nil
	},
}

// retrieval is the settings that loading needs.
type retrieval struct {
	sinks, window, beam int
	topk                engine.Amount
	follow              bool // the window follows the conversation
}

// keyIndex is the index of RetrievalAttention. It is of the prompt, and does not change afterwards.
type keyIndex struct{ heads []headIndex }

// headIndex is the slots [first, end) of one KV head, those between sinks and window when the prompt ended.
type headIndex struct {
	first, end int
	graph      *roargraph.Graph // nil: they are searched one by one
}

// Extend has nothing to do: what comes after the prompt is not in the graph.
func (*keyIndex) Extend(*kv.Layer) {}

// Fork returns the index itself, which nobody writes to.
func (x *keyIndex) Fork() kv.Index { return x }

// Bytes is the memory of the graphs.
func (x *keyIndex) Bytes() (n int64) {
	for _, h := range x.heads {
		if h.graph != nil {
			n += h.graph.Bytes()
		}
	}
	return n
}

// bounds is the index without graphs.
func (r retrieval) bounds(l *kv.Layer) *keyIndex {
	x := &keyIndex{make([]headIndex, l.Heads())}
	for h := range x.heads {
		first := min(r.sinks, l.Slots(h))
		x.heads[h] = headIndex{first: first, end: max(first, l.Slots(h)-r.window)}
	}
	return x
}

// build makes the graph of KV head h from the queries of all its query heads.
func (x *headIndex) build(l *kv.Layer, h int, o *sampled, s roargraph.Settings) {
	d := l.Dim()
	keys := make([]float32, (x.end-x.first)*d)
	for i := range x.end - x.first {
		l.Key(keys[i*d:(i+1)*d], h, x.first+i)
	}
	x.graph = roargraph.Build(keys, o.group(l, h), d, s)
}

// load is Policy.Load.
func (r retrieval) load(_ int, l *kv.Layer, q engine.Query, dst [][]kv.Span) (examined int64) {
	x := l.Index().(*keyIndex).heads[q.KVHead]
	end := x.end
	if r.follow {
		end = max(end, q.Slots-r.window)
	}
	k := r.topk.Of(q.Slots)
	if k >= end-x.first {
		for m := range dst {
			dst[m] = append(dst[m], kv.Column(0, int32(q.Slots)))
		}
		return 0
	}
	var keys, edges int
	for m := range dst {
		slots, work := x.search(l, q, m, end, k, r.beam)
		keys, edges = keys+work.Vectors, edges+work.Edges
		dst[m] = append(dst[m], kv.Column(0, int32(x.first)))
		for _, s := range slots {
			dst[m] = append(dst[m], kv.Column(s, s+1))
		}
		dst[m] = append(dst[m], kv.Column(int32(end), int32(q.Slots)))
	}
	all := l.RunBytes(q.KVHead, kv.Run{Lo: 0, Hi: int32(q.Slots)}) // of keys and values
	return int64(keys)*all/int64(2*q.Slots) + 4*int64(edges)
}

// search finds k of the slots [first, end) that have the largest products with the query of a member of the group, ascending: in the
// graph as far as that goes, beyond it one by one.
func (x *headIndex) search(l *kv.Layer, q engine.Query, member, end, k, beam int) ([]int32, roargraph.Work) {
	v, d := q.Member(member, l.Dim()), l.Dim()
	var hits []roargraph.Hit
	var work roargraph.Work
	known := x.first
	if x.graph != nil {
		known = x.end
		hits, work = x.graph.Search(nil, v, k, beam, func(dst []float32, ids []int32) {
			for i, id := range ids {
				l.Key(dst[i*d:(i+1)*d], q.KVHead, x.first+int(id))
			}
		})
	}
	work.Vectors += end - known
	rest := make([]float32, end-known)
	products([][]float32{rest}, l, q.KVHead, [][]float32{v}, kv.Run{Lo: int32(known), Hi: int32(end)})
	if x.graph == nil {
		found := kernels.TopK(nil, rest, k)
		for i := range found {
			found[i] += int32(known)
		}
		return found, work
	}
	var slots []int32
	var scores []float32
	scale := float32(1 / math.Sqrt(float64(d)))
	for _, h := range hits {
		slots, scores = append(slots, int32(x.first)+h.ID), append(scores, scale*h.Score) // as products are scaled
	}
	for i, s := range rest {
		slots, scores = append(slots, int32(known+i)), append(scores, s)
	}
	found := kernels.TopK(nil, scores, k)
	for i, at := range found {
		found[i] = slots[at]
	}
	slices.Sort(found)
	return found, work
}
