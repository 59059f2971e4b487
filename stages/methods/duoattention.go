package methods

import (
	"context"
	"math"
	"slices"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// DuoAttention tells retrieval heads, which keep everything, from streaming heads, which keep the first and the latest tokens of
// the prompt. Which are which comes from a file of one score per layer and KV head, high for retrieval, in the layout that the
// authors publish (full_attention_heads.tsv); without one it is estimated for each prompt: by estimate=means, as kvpress does,
// how early the mean key repeated is attended to by the mean query, or by estimate=repeat, as the authors of KVzip propose, the
// most attention that the head pays to any token when the model repeats the prompt.
var DuoAttention = engine.Method{
	Name:    "duoattention",
	Paper:   "Xiao et al. 2024, arXiv:2410.10819",
	Doc:     "Retrieval heads keep all tokens, streaming heads the first and the latest.",
	Stage:   engine.Compression,
	Differs: "Differs from the reference: the prompt itself is computed densely, as in kvpress, and only what is kept of it is cut, unless prefill=streaming asks for A-shape in streaming heads, which the original computes in blocks of rows, each with a little more to see. A streaming head does not go on dropping tokens after the prompt. kvpress estimates on 50 texts of its own.",
	Cost:    engine.CostClass{Prefill: "n² / 2; less with prefill=streaming, three times with estimate=repeat", Decode: "n in retrieval heads, sinks+recent in others", Memory: "n in retrieval heads, sinks+recent in others", Decided: "static with a pattern, else at the end of prefill; per head", Aware: "no"},
	Params: []engine.Param{
		{Name: "retrieval", Default: "0.5", Doc: "share of the model's KV heads that keep everything"},
		{Name: "sinks", Default: "64", Doc: "first tokens that streaming heads keep"},
		{Name: "recent", Default: "256", Doc: "latest tokens of the prompt that streaming heads keep"},
		{Name: "pattern", Default: "", Doc: "file of scores per layer and KV head, as rows of numbers between tabs, or a JSON list of lists; its name may have no comma and no plus"},
		{Name: "prefill", Default: "dense", Doc: "how streaming heads compute the prompt: dense, or streaming, with what they will keep; needs a pattern"},
		{Name: "estimate", Default: "means", Doc: "how scores are found without a file: means, of queries and keys, or repeat, the prompt"},
	},
	New: func(s engine.Shape, a engine.Args) (engine.Policy, error) {
		d := duo{shape: s, retrieval: a.Number("retrieval", 0, 1), sinks: a.Int("sinks", 0), recent: a.Int("recent", 1)}
		repeat, stream := a.Choice("estimate", "means", "repeat") == "repeat", a.Choice("prefill", "dense", "streaming") == "streaming"
		file, data := a.File("pattern")
		if stream && data == nil {
			a.Fail("prefill", "dense, where a prompt must be computed before its heads can be told apart; streaming needs a pattern")
		}
		p := engine.Policy{Budget: d.budget}
		switch {
		case data != nil:
			scores, err := parseHeadScores(data, s)
			if err != nil {
				return p, fileError(file, err)
			}
			d.score = func(context.Context, *engine.Engine, *engine.Session) ([][]float32, error) { return scores, nil }
			if stream {
				p.Generate = d.generate(scores)
			}
		case repeat:
			d.score = repeatScores
		default:
			o := observeQueries(s, 0, false)
			p.Observe = []engine.Observation{o}
			d.score = func(_ context.Context, e *engine.Engine, ses *engine.Session) ([][]float32, error) {
				scores := make([][]float32, len(ses.Layers))
				e.Pool.Run(len(scores), func(i int) {
					scores[i] = meanScores(s, ses.Layers[i], ses.Layers[i].Observer(o.Name).(*queries))
				})
				return scores, nil
			}
		}
		p.Revise = d.revise
		return p, nil
	},
}

type duo struct {
	shape         engine.Shape
	retrieval     float64
	sinks, recent int
	// score is high for heads that retrieve: [layers][KV heads].
	score func(context.Context, *engine.Engine, *engine.Session) ([][]float32, error)
}

// retrieving is how many of heads keep everything; halves are rounded to even, as kvpress rounds the others.
func (d duo) retrieving(heads int) int {
	return heads - int(math.RoundToEven(float64(heads)*(1-d.retrieval)))
}

// budget is the mean over all heads.
func (d duo) budget(n int) int {
	heads := d.shape.Layers * d.shape.KVHeads
	all := d.retrieving(heads)
	return (all*n + (heads-all)*min(n, d.sinks+d.recent)) / max(heads, 1)
}

func (d duo) revise(ctx context.Context, e *engine.Engine, s *engine.Session) ([]kv.Edit, error) {
	edits := make([]kv.Edit, len(s.Layers))
	if len(s.Tokens) <= d.sinks+d.recent {
		return edits, nil
	}
	scores, err := d.score(ctx, e, s)
	if err != nil {
		return nil, err
	}
	retrieval := d.choose(scores)
	for i, l := range s.Layers {
		edits[i] = keepEnds(l, d.sinks, d.recent)
		for _, h := range retrieval[i] {
			edits[i].Keep[h] = withLast(nil, l.Slots(int(h)), l.Slots(int(h)))
		}
	}
	return edits, nil
}

// choose returns the heads of each layer that retrieve.
func (d duo) choose(scores [][]float32) [][]int32 {
	heads := 0
	for _, layer := range scores {
		heads += len(layer)
	}
	return best(scores, d.retrieving(heads))
}

// generate plans A-shape for the query heads of streaming heads.
func (d duo) generate(scores [][]float32) func(layer int, t engine.Tile) engine.Plan {
	retrieval := d.choose(scores)
	return func(layer int, t engine.Tile) engine.Plan {
		plan := engine.Plan{Heads: make([]engine.Pattern, t.Heads)}
		for h := range plan.Heads {
			if !slices.Contains(retrieval[layer], int32(h/(t.Heads/t.KVHeads))) {
				plan.Heads[h] = aShape(int32(d.sinks), int32(d.recent))
			}
		}
		return plan
	}
}

// meanSpan is the number of positions that the mean key is repeated at.
const meanSpan = 500

// meanScores puts the mean key of each KV head at meanSpan positions and the mean query of each query head at the last of them, and returns how much
// of the attention has been paid by a position, in the mean over positions: near 1 if it goes to the first keys, near 0 if it goes
// to the last. A head's score is the mean over its query heads.
func meanScores(s engine.Shape, l *kv.Layer, o *queries) []float32 {
	d, n := l.Dim(), l.Slots(0)
	group := len(o.heads) / l.Heads()
	at := withLast(nil, meanSpan, meanSpan)
	turn := func(x []float32, to []int32) {
		if s.Rotate != nil {
			s.Rotate(x, make([]int32, len(to)), to, n)
		}
	}
	scores := make([]float32, l.Heads())
	p := make([]float32, meanSpan)
	for h, k := range keyMoments(s, l) {
		key, _ := k.distribution()
		keys := make([]float32, 0, meanSpan*d)
		for range meanSpan {
			keys = append(keys, key...)
		}
		turn(keys, at)
		for _, m := range o.heads[h*group : (h+1)*group] {
			query, _ := m.distribution()
			turn(query, at[meanSpan-1:])
			kernels.KeyScores(p, query, keys, float32(1/math.Sqrt(float64(d))))
			kernels.Softmax(p)
			var area float32
			for i, v := range p {
				area += v * float32(meanSpan-i) / meanSpan
			}
			scores[h] += area / float32(group)
		}
	}
	return scores
}

// keyMoments is, per KV head, the sum of the keys of l before RoPE.
func keyMoments(s engine.Shape, l *kv.Layer) []moments {
	d, heads := l.Dim(), l.Heads()
	out := make([]moments, heads)
	keys, from, to := make([]float32, heads*d), make([]int32, heads), make([]int32, heads)
	for i := range l.Slots(0) {
		for h := range heads {
			l.Key(keys[h*d:(h+1)*d], h, i)
			from[h] = l.Pos(h, i)
		}
		if s.Rotate != nil {
			s.Rotate(keys, from, to, l.Slots(0))
		}
		for h := range out {
			out[h].add(keys[h*d:(h+1)*d], false)
		}
	}
	return out
}

// repeatScores lets the model repeat the prompt; a head's score is the most attention it pays to any token but the first.
func repeatScores(ctx context.Context, e *engine.Engine, s *engine.Session) ([][]float32, error) {
	const sinks = 4
	tokens, err := kvzip{chunk: 2048, sinks: sinks}.scores(ctx, e, s)
	if err != nil {
		return nil, err
	}
	scores := make([][]float32, len(tokens))
	for i, layer := range tokens {
		for _, head := range layer {
			scores[i] = append(scores[i], slices.Max(head[min(sinks, len(head)-1):]))
		}
	}
	return scores, nil
}
