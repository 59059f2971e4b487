package stages

import (
	"reflect"
	"slices"
	"testing"

	"scbench/datasets"
	"scbench/outputs"
)

// TestBlendedPrompts wants of contexts put together from chunks: with all rows computed afresh, full attention's numbers; with some, other
// ones, that do not depend on threads or on whether chunks were in the prefix cache; and no more memory than planned.
func TestBlendedPrompts(t *testing.T) {
	specs := []string{"full", "cacheblend:ratio=1,chunk=64", "cacheblend:ratio=0.1,chunk=64", "cacheblend:ratio=0.3,chunk=64", "cacheblend:chunk=100+kivi:bits=4"}
	l := newLab(t, 2, 0)
	defer l.close(t)
	work := l.work(t, datasets.KV, 1, 700, 3)
	j := l.job(t, outputs.GoldHistory, specs...)
	want := results(t, j, work)
	for _, r := range want {
		blends := r.Method != j.Policies[0].Name && r.Turn == 1
		if (r.RecomputedShare != nil) != blends {
			t.Errorf("%s, turn %d: a recomputed share, or none", r.Method, r.Turn)
		}
		if s := r.RecomputedShare; blends && r.Method == j.Policies[2].Name && (*s < 0.1 || *s > 0.3) { // a tenth, the last rows and the question
			t.Errorf("%s: %g of the prompt computed afresh", r.Method, *s)
		}
		exact := r.Method == j.Policies[0].Name || r.Method == j.Policies[1].Name
		if k := r.KLFull; k != nil && exact != (*k == 0) {
			t.Errorf("%s: divergence %g from full attention", r.Method, *k)
		}
	}
	plan, err := j.Plan(t.Context(), seq(work))
	if err != nil {
		t.Fatal(err)
	}
	if got := j.Apart(); got != plan.Apart || got == 0 {
		t.Errorf("%d tokens computed in chunks, planned %d", got, plan.Apart)
	}
	if peak := l.store.Peak(); peak > plan.Peak {
		t.Errorf("%d bytes used, planned %d", peak, plan.Peak)
	}

	one := newLab(t, 1, 0)
	defer one.close(t)
	if got := results(t, one.job(t, outputs.GoldHistory, specs...), work); !reflect.DeepEqual(got, want) {
		t.Error("other rows on one thread")
	}

	dir := t.TempDir()
	first := l.job(t, outputs.GoldHistory, specs[:3]...)
	cached(t, first, work, 0, dir)
	second := l.job(t, outputs.GoldHistory, specs...) // its chunks of 64 tokens are those of the first
	got, n, stats := cached(t, second, work, 0, dir)
	if !reflect.DeepEqual(got, want) {
		t.Error("other rows with chunks from the prefix cache")
	}
	if hundreds := int64(contexts(t, j, work)); second.Apart() > hundreds || n == 0 || stats.Reused == 0 {
		t.Errorf("%d tokens computed in chunks, of contexts of %d; %d of prompts; %+v", second.Apart(), hundreds, n, stats)
	}
	third := l.job(t, outputs.GoldHistory, specs...)
	if got, n, _ := cached(t, third, work, 0, dir); n != 0 || third.Apart() != 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("all is in the cache, and %d tokens of prompts and %d of chunks were computed; the same rows: %v", n, third.Apart(), reflect.DeepEqual(got, want))
	}
}

// contexts is the number of tokens of the contexts of work.
func contexts(t *testing.T, j *Job, work []Work) (n int) {
	t.Helper()
	for _, w := range work {
		a, err := j.tokenize(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		n += a.Scripts[0][0].Context
	}
	return n
}

// TestContextEnds wants a script to say where its question begins, truncated or not.
func TestContextEnds(t *testing.T) {
	l := newLab(t, 1, 0)
	defer l.close(t)
	w := l.work(t, datasets.KV, 1, 2000, 5)[0]
	for _, limit := range []int{32768, 1500, 760} {
		p := Prompter{Tokenizer: l.tok, Chat: l.chat, MaxTokens: limit}
		turn, err := p.Script(w.Task, w.Example, outputs.MultiTurn, outputs.GoldHistory)
		if err != nil {
			if limit == 760 {
				continue // no room for a question
			}
			t.Fatal(err)
		}
		whole, err := (Prompter{Tokenizer: l.tok, Chat: l.chat, MaxTokens: 32768}).Script(w.Task, w.Example, outputs.MultiRequest, outputs.GoldHistory)
		if err != nil {
			t.Fatal(err)
		}
		if whole.Context != len(whole.First) {
			t.Errorf("a prompt of %d tokens without a question has %d of context", len(whole.First), whole.Context)
		}
		if question := whole.Ask[0]; !slices.Equal(turn.First[turn.Context:], question) {
			t.Errorf("limit %d: after %d tokens of context come %v, want the question %v", limit, turn.Context, turn.First[turn.Context:], question)
		}
	}
}
