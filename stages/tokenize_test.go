package stages

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"scbench/datasets"
	"scbench/outputs"
	"scbench/stages/engine"
)

// TestRewriting wants contexts rewritten once for both modes and for all compositions, and questions, answers and the example itself
// left alone.
func TestRewriting(t *testing.T) {
	l := newLab(t, 1, 0)
	defer l.close(t)
	var calls atomic.Int64
	half := engine.Policy{Name: "half", Rewrite: func(_ context.Context, text string) (string, error) {
		calls.Add(1)
		return strings.ToUpper(text[:len(text)/2]), nil
	}}
	j := l.job(t, outputs.GoldHistory, "full", "snapkv:budget=64")
	both, err := engine.Compose(half, j.Policies[1])
	if err != nil {
		t.Fatal(err)
	}
	j.Policies = append(j.Policies, half, both)
	w := l.work(t, datasets.KV, 1, 300, 3)[0]
	context1, evidence := w.Example.Context, w.Example.Turns[0].Evidence
	a, err := j.tokenize(context.Background(), w)
	if err != nil {
		t.Fatal(err)
	}
	if calls.Load() != 1 || a.Example.Context != context1 || !slices.Equal(a.Example.Turns[0].Evidence, evidence) {
		t.Errorf("%d calls; want 1, and the example as it was", calls.Load())
	}
	for m := range j.Modes {
		whole, short := a.Scripts[0][m], a.Scripts[2][m]
		if a.Scripts[1][m] != whole || a.Scripts[3][m] != short {
			t.Error("policies that ask about the same text have prompts of their own")
		}
		text := l.tok.Decode(short.First, false)
		if strings.Contains(text, context1) || !strings.Contains(text, strings.ToUpper(context1[:len(context1)/2])) {
			t.Errorf("%s: the context is %q", j.Modes[m], text)
		}
		if !slices.EqualFunc(whole.Ask, short.Ask, slices.Equal) || len(short.Ask) != 3 {
			t.Errorf("%s: the questions are not those about the whole context", j.Modes[m])
		}
		if !slices.Contains(short.Evidence, outputs.EvidenceUnknown) || slices.Contains(short.Evidence, outputs.EvidenceKept) {
			t.Errorf("%s: evidence %v in a text that it does not speak of", j.Modes[m], short.Evidence)
		}
		if j.Modes[m] == outputs.MultiTurn {
			question := func(s *Script) string {
				text := l.tok.Decode(s.First, false)
				return text[strings.LastIndex(text, "\n\n"):]
			}
			if question(whole) != question(short) {
				t.Errorf("the first question is %q; want %q", question(short), question(whole))
			}
		}
	}
	bad := errors.New("no")
	j.Policies = []engine.Policy{{Name: "bad", Rewrite: func(context.Context, string) (string, error) { return "", bad }}}
	if _, err := j.tokenize(context.Background(), w); !errors.Is(err, bad) || !strings.Contains(err.Error(), "method bad") || !strings.Contains(err.Error(), w.Example.ID) {
		t.Errorf("error %v; want one that names example and method", err)
	}
}
