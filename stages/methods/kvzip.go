package methods

import (
	"context"
	"fmt"
	"slices"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// KVzip keeps the tokens that the model needs to repeat its context: it is asked to, chunk by chunk, the chunk itself given as
// the answer, and a token's score is the most attention that any query of the repetition pays to it, among the first tokens, the
// chunk and the repetition. Nothing is known of the questions to come.
var KVzip = engine.Method{
	Name:    "kvzip",
	Paper:   "Kim et al. 2025, arXiv:2505.23416",
	Doc:     "Keeps the tokens that the model attends to when it repeats the prompt, which it does once more, chunk by chunk.",
	Stage:   engine.Compression,
	Differs: "Differs from the reference: the whole prompt is repeated, the chat template around the context included; after the request comes a line break, as there for models without a chat template. Equal scores go to the earlier head, where the reference drops all of them.",
	Cost:    engine.CostClass{Prefill: "about 3·n² / 2: the prompt is repeated", Decode: "budget", Memory: "budget", Decided: "at the end of prefill", Aware: "no"},
	Params: []engine.Param{
		{Name: "budget", Default: "4096", Doc: "tokens kept per head, in the mean over those that share; a number or a share of the prompt"},
		{Name: "across", Default: "model", Doc: "heads that share the budget: those of the model, of a layer, or each head for itself: head"},
		{Name: "chunk", Default: "2048", Doc: "tokens repeated at a time"},
		{Name: "sinks", Default: "4", Doc: "first tokens, which a repetition sees beside its chunk and which have the highest score"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) {
		z := kvzip{a.Amount("budget"), a.Choice("across", "model", "layer", "head"), a.Int("chunk", 1), a.Int("sinks", 0)}
		return engine.Policy{Revise: z.revise, Budget: func(n int) int { return min(n, z.budget.Of(n)) }}, nil
	},
}

type kvzip struct {
	budget       engine.Amount
	across       string
	chunk, sinks int
}

func (z kvzip) revise(ctx context.Context, e *engine.Engine, s *engine.Session) ([]kv.Edit, error) {
	edits := make([]kv.Edit, len(s.Layers))
	n := len(s.Tokens)
	keep := z.budget.Of(n)
	if n <= keep {
		return edits, nil
	}
	scores, err := z.scores(ctx, e, s)
	if err != nil {
		return nil, err
	}
	for i, slots := range sharing(scores, keep, z.across) {
		edits[i].Keep = slots
	}
	return edits, nil
}

// sharing chooses keep tokens per head by scores [layers][KV heads][tokens]: of all heads of the model together, of each layer, or of each head.
func sharing(scores [][][]float32, keep int, across string) [][][]int32 {
	out := make([][][]int32, len(scores))
	if across == "model" {
		all := slices.Concat(scores...)
		kept := best(all, keep*len(all))
		for i, layer := range scores {
			out[i], kept = kept[:len(layer)], kept[len(layer):]
		}
		return out
	}
	for i, layer := range scores {
		if across == "head" {
			layer = guarded(layer, keep)
		}
		out[i] = best(layer, keep*len(layer))
	}
	return out
}

// scores lets the model repeat the prompt and returns, [layers][KV heads][tokens], the most attention that each token received.
func (z kvzip) scores(ctx context.Context, e *engine.Engine, s *engine.Session) ([][][]float32, error) {
	n := len(s.Tokens)
	out := make([][][]float32, len(s.Layers))
	for i, l := range s.Layers {
		out[i] = make([][]float32, l.Heads())
	}
	for lo := 0; lo < n; lo += z.chunk {
		hi := min(lo+z.chunk, n)
		seen, err := z.repeat(ctx, e, s, lo, hi)
		if err != nil {
			return nil, fmt.Errorf("repeating tokens %d to %d of the prompt: %w", lo, hi, err)
		}
		for i, o := range seen {
			for h, top := range o.top {
				out[i][h] = append(out[i][h], top...)
			}
		}
	}
	for _, layer := range out {
		for _, scores := range layer {
			for i := range min(z.sinks, n) {
				scores[i] = 1
			}
		}
	}
	return out, nil
}

// repeat lets the model repeat tokens [lo, hi) of the prompt, on a fork, and returns what was observed, per layer.
func (z kvzip) repeat(ctx context.Context, e *engine.Engine, s *engine.Session, lo, hi int) ([]*repeated, error) {
	tokens, err := request(e, s.Tokens, lo)
	if err != nil {
		return nil, err
	}
	f := s.Fork(engine.Policy{})
	defer f.Release()
	f.Unwatch()
	seen := make([]*repeated, len(s.Layers))
	f.Watch([]engine.Observation{{Name: "repeated", New: func(layer int) kv.Observer {
		seen[layer] = &repeated{sinks: min(z.sinks, lo), lo: lo, hi: hi, from: len(s.Tokens)}
		return seen[layer]
	}}})
	if err := e.Model.Forward(ctx, []engine.Chunk{{Session: f, Tokens: append(tokens, s.Tokens[lo:hi]...)}}); err != nil {
		return nil, err
	}
	s.Spend(f.Cost)
	for _, o := range seen {
		s.Spend(engine.Cost{Cells: o.cells})
	}
	return seen, nil
}

// The words that ask for the first chunk, and for a later one, which its predecessor's last leadTokens tokens lead to.
const (
	askFirst   = "\n\nRepeat the previous context exactly."
	askLater   = "\n\nRepeat the part of the previous context exactly, starting with"
	askEnd     = "\n"
	leadTokens = 8
)

// request is the tokens that ask the model to repeat its context from token lo on; without a tokenizer, only those that lead there.
func request(e *engine.Engine, context []int32, lo int) ([]int32, error) {
	lead := context[max(0, lo-leadTokens):lo]
	if e.Encode == nil {
		return slices.Clone(lead), nil
	}
	text := askFirst
	if lo > 0 {
		text = askLater
	}
	ask, err := e.Encode(text)
	if err != nil {
		return nil, err
	}
	end, err := e.Encode(askEnd)
	return slices.Concat(ask, lead, end), err
}

// repeated observes how a repetition, in the slots from from on, attends to the chunk [lo, hi) that it repeats.
type repeated struct {
	sinks, lo, hi, from int
	top                 [][]float32 // [KV heads][hi-lo] the most attention that any query paid
	cells               int64       // products of queries and keys
}

// Observe takes in the attention of the rows to the first tokens, the chunk, and the repetition up to themselves.
func (o *repeated) Observe(pool *kernels.Pool, l *kv.Layer, q []float32, first, rows int) {
	if o.top == nil {
		o.top = make([][]float32, l.Heads())
		for h := range o.top {
			o.top[h] = make([]float32, o.hi-o.lo)
		}
	}
	before := o.sinks + o.hi - o.lo
	for r := range rows {
		o.cells += int64(before+first-o.from+r+1) * int64(len(q)/(rows*l.Dim()))
	}
	run := func(lo, hi int) kv.Run { return kv.Run{Lo: int32(lo), Hi: int32(hi)} }
	pool.Run(l.Heads(), func(h int) {
		g, top := groupOf(l, q, rows, h), o.top[h]
		g.tiles(before+first-o.from+rows, func(r int, queries, scores [][]float32) {
			last := first + r + len(queries)/g.group
			products(scores, l, h, queries, run(0, o.sinks), run(o.lo, o.hi), run(o.from, last))
			for i, p := range scores {
				kernels.Softmax(p[:before+first-o.from+r+i/g.group+1])
				for j, v := range p[o.sinks:before] {
					top[j] = max(top[j], v)
				}
			}
		})
	})
}

// Fork returns a copy.
func (o *repeated) Fork() kv.Observer {
	f := *o
	f.top = nil
	for _, t := range o.top {
		f.top = append(f.top, slices.Clone(t))
	}
	return &f
}
