package methods

import (
	"math"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// ShadowKV keeps the whole cache, and each KV head reads the chunks of tokens whose mean keys, the landmarks, its queries attend to most,
// beside the chunks that their mean describes badly, the outliers, and the latest.
var ShadowKV = engine.Method{
	Name:    "shadowkv",
	Paper:   "Sun et al. 2024, arXiv:2410.21465",
	Doc:     "Keeps all tokens; each query reads the chunks with the best mean keys, those with odd keys, and the latest.",
	Stage:   engine.Loading,
	Differs: "Differs from the reference: keys are read as they are stored, where it rebuilds those of chosen chunks from a factorisation of rank 160, which saves memory on a GPU; landmarks' products are divided by √d, where it takes √128 for every d.",
	Cost:    engine.CostClass{Prefill: "n² / 2", Decode: "budget + (outliers + local)·chunk + n/chunk landmarks", Memory: "n + n/chunk landmarks", Decided: "outliers after the prompt, chunks at each step", Aware: "every query"},
	Params: []engine.Param{
		{Name: "budget", Default: "2048", Doc: "tokens of the chunks that a query chooses; a number or a share of the context"},
		{Name: "chunk", Default: "8", Doc: "tokens of a chunk"},
		{Name: "outliers", Default: "48", Doc: "chunks of a KV head that all queries read, since a key of theirs has little in common with the mean"},
		{Name: "local", Default: "4", Doc: "last whole chunks of the prompt, read by all queries as is everything after them"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		budget, chunk, outliers, local := a.Amount("budget"), a.Int("chunk", 1), a.Int("outliers", 0), a.Int("local", 0)
		chosen := func(n int) int { return max(1, budget.Of(n)/chunk) }
		return engine.Policy{
			Index: func(_ int, l *kv.Layer, _ kv.Window) kv.Index { return newLandmarks(l, chunk, outliers, local) },
			Load: func(_ int, l *kv.Layer, q engine.Query, dst [][]kv.Span) (examined int64) {
				x := &l.Index().(*landmarks).heads[q.KVHead]
				scores := x.scores(q, l.Dim(), l.Dim())
				spans := append([]kv.Span(nil), x.always...)
				for _, i := range kernels.TopK(nil, scores, chosen(q.Slots)) {
					lo := x.chunks[i] * int32(chunk)
					spans = append(spans, kv.Column(lo, lo+int32(chunk)))
				}
				for m := range dst {
					dst[m] = append(append(dst[m], spans...), kv.Column(x.rest, int32(q.Slots)))
				}
				return int64(len(x.means)) * 4
			},
			Budget: func(n int) int {
				return int(min(int64(n), (int64(chosen(n))+int64(outliers)+int64(local))*int64(chunk)))
			},
		}, nil
	},
}

// landmarks is the index of ShadowKV. It is of the prompt, and does not change afterwards.
type landmarks struct{ heads []headLandmarks }

// headLandmarks is the chunks of one KV head.
type headLandmarks struct {
	chunks []int32   // those that have a landmark, ascending
	means  []float32 // [chunks, Dim] their landmarks
	always []kv.Span // outliers
	rest   int32     // the first slot of the local chunks; what comes after is read too
}

// Extend has nothing to do: what comes after the prompt is always read.
func (*landmarks) Extend(*kv.Layer) {}

// Fork returns the index itself, which nobody writes to.
func (x *landmarks) Fork() kv.Index { return x }

// Bytes is the memory of the landmarks.
func (x *landmarks) Bytes() (n int64) {
	for _, h := range x.heads {
		n += int64(len(h.chunks)+len(h.means)) * 4
	}
	return n
}

// newLandmarks works the chunks of all heads out.
func newLandmarks(l *kv.Layer, chunk, outliers, local int) *landmarks {
	x := &landmarks{make([]headLandmarks, l.Heads())}
	d := l.Dim()
	for h := range x.heads {
		n := max(0, l.Slots(h)/chunk-local)
		means, oddness := make([]float32, n*d), make([]float32, n)
		for c := range n {
			oddness[c] = -landmark(means[c*d:(c+1)*d], l, h, c*chunk, chunk)
		}
		x.heads[h] = headLandmarks{rest: int32(n * chunk)}
		odd := kernels.TopK(nil, oddness, outliers)
		for c := range int32(n) {
			if len(odd) > 0 && odd[0] == c {
				odd = odd[1:]
				x.heads[h].always = append(x.heads[h].always, kv.Column(c*int32(chunk), (c+1)*int32(chunk)))
				continue
			}
			x.heads[h].chunks = append(x.heads[h].chunks, c)
			x.heads[h].means = append(x.heads[h].means, means[int(c)*d:(int(c)+1)*d]...)
		}
	}
	return x
}

// landmark writes the mean key of a chunk to mean, and returns the least cosine of the chunk's keys with it.
func landmark(mean []float32, l *kv.Layer, h, first, chunk int) (least float32) {
	d := len(mean)
	keys := make([]float32, chunk*d)
	for i := range chunk {
		k := keys[i*d : (i+1)*d]
		l.Key(k, h, first+i)
		kernels.Add(mean, k)
	}
	for c := range mean {
		mean[c] /= float32(chunk)
	}
	least = float32(math.Inf(1))
	for i := range chunk {
		k := keys[i*d : (i+1)*d]
		cosine := dot(k, mean) / math.Max(math.Sqrt(dot(k, k)*dot(mean, mean)), 1e-12)
		least = min(least, float32(cosine))
	}
	return least
}

func dot(x, y []float32) (sum float64) {
	for i := range x {
		sum += float64(x[i]) * float64(y[i])
	}
	return sum
}

// scores is the attention that each landmark gets, the most that any member of the group pays; products are divided by the root of scale.
func (x *headLandmarks) scores(q engine.Query, dim, scale int) []float32 {
	most, p := make([]float32, len(x.chunks)), make([]float32, len(x.chunks))
	for m := range len(q.Group) / dim {
		kernels.KeyScores(p, q.Member(m, dim), x.means, float32(1/math.Sqrt(float64(scale))))
		kernels.Softmax(p)
		for i, v := range p {
			most[i] = max(most[i], v)
		}
	}
	return most
}
