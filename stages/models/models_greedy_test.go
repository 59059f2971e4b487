package models

import (
	"context"
	"math"
	"slices"
	"testing"

	"scbench/kernels"
	"scbench/stages/engine"
)

// greedy decodes the golden prompt of that name beside two others in one ragged batch. Where a prompt crosses to other frequencies of
// RoPE on the way, the golden is of passes without a cache.
func (g goldenModel) greedy(t *testing.T, run string) {
	prompt, want, top5 := g.ids(t, run+".prompt"), g.ids(t, run+".tokens"), g.floats(t, run+".top5_logits")
	if run == "greedy_cross" {
		g.recomputed(t, prompt, want, top5)
		return
	}
	e := &engine.Engine{Model: g.Model, Store: g.store}
	v := g.Shape().Vocab
	prompts := [][]int32{g.ids(t, "input_ids.64"), prompt, g.ids(t, "input_ids.1")}
	var batch []engine.Chunk
	var answers []*engine.Answer
	for i, p := range prompts {
		a := &engine.Answer{Session: g.open(), Logits: make([]float32, v), Max: len(want) - 5*i%3}
		answers = append(answers, a)
		batch = append(batch, engine.Chunk{Session: a.Session, Tokens: p, Logits: a.Logits})
	}
	answers[1].Max = len(want)
	if _, err := e.Forward(context.Background(), batch); err != nil {
		t.Fatal(err)
	}
	first := float64(slices.Max(answers[1].Logits))
	if math.Abs(first-top5[0]) > tolerance(g.name, 300) {
		t.Errorf("first greedy logit %g, want %g", first, top5[0])
	}
	if err := e.Decode(context.Background(), answers); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(answers[1].Tokens, want) {
		t.Errorf("greedy tokens %v, want %v", answers[1].Tokens, want)
	}
	for _, a := range answers {
		a.Session.Release()
	}
}

// recomputed runs the whole conversation anew for every token.
func (g goldenModel) recomputed(t *testing.T, prompt, want []int32, top5 []float64) {
	for i, next := range want {
		s, logits := g.open(), make([]float32, g.Shape().Vocab)
		if err := g.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: slices.Concat(prompt, want[:i]), Logits: logits}}); err != nil {
			t.Fatal(err)
		}
		s.Release()
		best := kernels.Argmax(logits)
		if d := math.Abs(float64(logits[best]) - top5[5*i]); int32(best) != next || !(d <= tolerance(g.name, 300)) {
			t.Errorf("token %d is %d with logit %g, want %d with %g", i, best, logits[best], next, top5[5*i])
		}
	}
}
