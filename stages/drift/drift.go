// Package drift measures how attention changes while a long answer is generated: how far the distribution of each generated token's
// query has moved from that of the prompt's last rows, by which most methods decide what to keep, and how much of it what a method
// reads still covers.
//
// Source: SCBench (arXiv 2412.10319), which explains by this shift why methods lose on long generation.
// Differs from the reference, which released no code for it: the measures are ours.
package drift

import (
	"context"
	"fmt"
	"slices"

	"scbench/kernels"
	"scbench/outputs"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// Head is a query head of an attention layer, both from 0.
type Head struct{ Layer, Head int }

// Spread returns about n heads of a model, in order: from every layer, or from evenly spaced ones, and from each as evenly.
func Spread(s engine.Shape, n int) []Head {
	total := s.Layers * s.Heads
	n = min(n, total)
	var heads []Head
	for i := range n {
		// layers first: heads i, i+1, … stand in different layers as long as there are any, and drift through the heads
		layer := i * s.Layers / n
		if n >= s.Layers {
			layer = i % s.Layers
		}
		heads = append(heads, Head{layer, i * s.Heads / n})
	}
	if n == total {
		heads = heads[:0]
		for i := range total {
			heads = append(heads, Head{i / s.Heads, i % s.Heads})
		}
	}
	slices.SortFunc(heads, compareHeads)
	return slices.Compact(heads)
}

func compareHeads(a, b Head) int {
	if a.Layer != b.Layer {
		return a.Layer - b.Layer
	}
	return a.Head - b.Head
}

// Analysis is what is measured. An Analysis is used by one goroutine at a time.
type Analysis struct {
	Engine  *engine.Engine
	Methods []engine.Policy // whose choices are laid against full attention, none of which may rewrite the context or put it together from chunks
	Heads   []Head          // distinct
	Tokens  int             // generated, at least 1; generation goes on where an answer would end
	Top     int             // keys of a head that count as its top ones, at least 1
	Window  int             // last rows of a prompt whose mean stands for prefill, at least 1
	Stop    []int32         // tokens that end an answer
	// Generated is told how many tokens of an answer there are; nil: nobody is.
	Generated func(tokens int)
}

// Check reports a method whose choice cannot be laid against full attention's.
func (a *Analysis) Check() error {
	shape := a.Engine.Model.Shape()
	if shape.Layers == 0 {
		return fmt.Errorf("the model has no attention whose drift could be measured: all its layers are recurrent")
	}
	for _, h := range a.Heads {
		if h.Layer < 0 || h.Layer >= shape.Layers || h.Head < 0 || h.Head >= shape.Heads {
			return fmt.Errorf("head %d.%d: the model has %d attention layers of %d heads, counted from 0", h.Layer, h.Head, shape.Layers, shape.Heads)
		}
	}
	for _, p := range a.Methods {
		if p.Rewrite != nil {
			return fmt.Errorf("method %s rewrites the context, so that it has no choice among the same tokens", p.Name)
		}
		if p.Retrieve != nil {
			return fmt.Errorf("method %s puts the context together from chunks, and all its queries read all of it: there is no choice to measure", p.Name)
		}
	}
	return nil
}

// Run generates an answer of Tokens tokens to a prompt, greedily under full attention, feeds the same tokens to every method, and
// hands emit the rows in order of position, head and method; what tells one prompt from another in them is left to emit. It stops at
// emit's first error.
func (a *Analysis) Run(ctx context.Context, prompt []int32, emit func(outputs.Drift) error) error {
	heads := make([]*head, len(a.Heads))
	for i, h := range a.Heads {
		heads[i] = &head{at: h, shape: a.Engine.Model.Shape(), top: a.Top}
	}
	full := watched(engine.Policy{Name: outputs.DriftFull, Window: a.Window}, heads)
	logits := make([]float32, a.Engine.Model.Shape().Vocab)
	s, choices, err := a.prefill(ctx, full, prompt, logits)
	defer func() {
		for _, c := range choices {
			c.session.Release()
		}
		s.Release()
	}()
	if err != nil {
		return err
	}
	for _, h := range heads {
		window := s.Layers[h.at.Layer].Window().Last(a.Window)
		row := h.prefill(s.Layers[h.at.Layer], window, len(prompt))
		if err := emit(row); err != nil {
			return err
		}
	}
	if _, err := a.Engine.Settle(ctx, s); err != nil {
		return err
	}
	ended := int32(0)
	for position := range a.Tokens {
		token := int32(kernels.Argmax(logits))
		if slices.Contains(a.Stop, token) {
			ended = 1
		}
		if err := a.step(ctx, s, choices, token, logits); err != nil {
			return err
		}
		for _, h := range heads {
			for _, row := range h.rows(choices) {
				row.Position, row.Token, row.Ended = int32(position), token, ended
				if err := emit(row); err != nil {
					return err
				}
			}
		}
		if a.Generated != nil {
			a.Generated(position + 1)
		}
	}
	return nil
}

// prefill computes the prompt under full attention, and for each method what it keeps of it. The session of full attention is not
// settled yet. After an error what is returned must be released all the same.
func (a *Analysis) prefill(ctx context.Context, full engine.Policy, prompt []int32, logits []float32) (*engine.Session, []*choice, error) {
	length := 0
	if a.Engine.Model.Shape().LengthDependent {
		length = len(prompt) + a.Tokens
	}
	var dense []engine.Policy
	var choices []*choice
	for _, p := range a.Methods {
		c := newChoice(p, a.Engine.Model.Shape(), len(prompt))
		choices = append(choices, c)
		if p.Generation() == "" {
			dense = append(dense, c.policy)
		}
	}
	open := choices[:0:0]
	s := a.Engine.Open(full, dense...)
	s.RopeLength = length
	if _, err := a.Engine.Forward(ctx, []engine.Chunk{{Session: s, Tokens: prompt, Logits: logits}}); err != nil {
		return s, nil, err
	}
	for _, c := range choices {
		if c.policy.Generation() == "" {
			c.session = s.Fork(c.policy)
			open = append(open, c)
		} else {
			c.session = a.Engine.Open(c.policy)
			c.session.RopeLength = length
			open = append(open, c)
			if _, err := a.Engine.Forward(ctx, []engine.Chunk{{Session: c.session, Tokens: prompt}}); err != nil {
				return s, open, err
			}
		}
		if _, err := a.Engine.Settle(ctx, c.session); err != nil {
			return s, open, err
		}
	}
	return s, open, nil
}

// step feeds a token to full attention, which tells the next one's logits, and then to the methods.
func (a *Analysis) step(ctx context.Context, s *engine.Session, choices []*choice, token int32, logits []float32) error {
	if _, err := a.Engine.Forward(ctx, []engine.Chunk{{Session: s, Tokens: []int32{token}, Logits: logits}}); err != nil {
		return err
	}
	if len(choices) == 0 {
		return nil
	}
	var batch []engine.Chunk
	for _, c := range choices {
		batch = append(batch, engine.Chunk{Session: c.session, Tokens: []int32{token}})
	}
	_, err := a.Engine.Forward(ctx, batch)
	return err
}

// watched is full attention whose heads take down what each row after the prompt attends to.
func watched(p engine.Policy, heads []*head) engine.Policy {
	p.Load = func(layer int, l *kv.Layer, q engine.Query, dst [][]kv.Span) int64 {
		for m := range dst {
			dst[m] = append(dst[m], kv.Column(0, int32(q.Slots)))
		}
		for _, h := range heads {
			if h.at.Layer == layer && h.at.Head/len(dst) == q.KVHead {
				h.now = h.attention(h.now, l, q.Member(h.at.Head%len(dst), l.Dim()), q.Slots)
			}
		}
		return 0
	}
	return p
}
