package stages

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"scbench/datasets"
	"scbench/outputs"
)

// TestSingleTurn wants each question of the single-turn mode answered as in a session that asks nothing else.
func TestSingleTurn(t *testing.T) {
	l := newLab(t, 2, 0)
	defer l.close(t)
	work := l.work(t, datasets.KV, 1, 300, 3)
	j := l.job(t, outputs.GoldHistory, fiveMethods...)
	j.Modes = []outputs.Mode{outputs.MultiTurn, outputs.SingleTurn, outputs.MultiRequest}
	rows := results(t, j, work)
	if want := 3 * 5 * 3; len(rows) != want {
		t.Fatalf("%d rows, want %d", len(rows), want)
	}
	keys := map[outputs.Key]bool{}
	for _, k := range j.Keys(work[0]) {
		keys[k] = true
	}
	checked := 0
	for _, r := range rows {
		if !keys[r.Key] {
			t.Errorf("row %+v is not among the keys of the example", r.Key)
		}
		if r.Mode != outputs.SingleTurn {
			continue
		}
		if r.History != outputs.NoHistory || r.ComputedTokens != r.PromptTokens || r.CachedTokens != 0 {
			t.Errorf("turn %d: history %s, %d computed and %d cached of %d", r.Turn, r.History, r.ComputedTokens, r.CachedTokens, r.PromptTokens)
		}
		one := work[0]
		one.Example.Turns = slices.Clone(one.Example.Turns[r.Turn-1 : r.Turn])
		one.Example.Turns[0].Question = int(r.Turn) // it is asked first, and stands there in the data
		alone := l.job(t, outputs.GoldHistory, "full", r.Method)
		if r.Method == "full" {
			alone = l.job(t, outputs.GoldHistory, "full")
		}
		alone.Modes = []outputs.Mode{outputs.MultiTurn}
		for _, a := range results(t, alone, []Work{one}) {
			if a.Method != r.Method {
				continue
			}
			a.Key = r.Key
			if !reflect.DeepEqual(a, r) {
				t.Errorf("turn %d, %s: alone\n%+v\nin the run\n%+v", r.Turn, r.Method, a, r)
			}
			checked++
		}
	}
	if checked != 5*3 {
		t.Errorf("%d rows compared", checked)
	}
}

// TestRefusedPrompts wants prompts that are too long refused one by one, and the others answered as if there were no limit.
func TestRefusedPrompts(t *testing.T) {
	l := newLab(t, 2, 0)
	defer l.close(t)
	work := l.work(t, datasets.VT, 1, 400, 3)
	j := l.job(t, outputs.GoldHistory, "full", "snapkv:budget=80,window=16")
	j.Modes = []outputs.Mode{outputs.MultiTurn, outputs.SingleTurn}
	whole := results(t, j, work)
	longest := 0
	for _, s := range mustTokenize(t, j, work[0]).Scripts[0] {
		if s.Mode == outputs.SingleTurn {
			longest = max(longest, len(s.First))
		}
	}
	j.Prompter.Refuse, j.Prompter.MaxTokens = true, longest+datasets.VT.MaxTokens(datasets.Turn{})
	got := results(t, j, work)
	if len(got) != len(whole) {
		t.Fatalf("%d rows, want %d", len(got), len(whole))
	}
	refused := 0
	for _, want := range whole {
		i := slices.IndexFunc(got, func(r outputs.Result) bool { return r.Key == want.Key })
		switch r := got[i]; {
		case want.Mode == outputs.SingleTurn:
			if !reflect.DeepEqual(r, want) {
				t.Errorf("turn %d, %s: %+v, want %+v", r.Turn, r.Method, r, want)
			}
		case r.Status != outputs.Refused || r.Error == nil || !strings.Contains(*r.Error, "--truncate middle") || *r.ScoreFixed != 0 || r.TruncatedTokens != 0 || r.Evidence != outputs.EvidenceKept:
			t.Errorf("turn %d, %s: %+v", r.Turn, r.Method, r)
		default:
			refused++
		}
	}
	if refused != 2*3 {
		t.Errorf("%d rows are refused", refused)
	}
	j.Prompter.MaxTokens = 3 * longest / 4
	for _, r := range results(t, j, work) {
		if r.Status != outputs.Refused {
			t.Errorf("with room for nothing: %+v", r)
		}
	}
}

func mustTokenize(t *testing.T, j *Job, w Work) *Asked {
	t.Helper()
	a, err := j.tokenize(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestWordedScripts asks in another wording, with forced starts, and with Math.Find's leak.
func TestWordedScripts(t *testing.T) {
	l := newLab(t, 1, 0)
	defer l.close(t)
	e := datasets.Example{Context: "[1, 2]", Turns: []datasets.Turn{
		{Input: "The largest is", Answers: []string{"2"}}, {Input: "The smallest is", Answers: []string{"1"}},
	}}
	for _, c := range []struct {
		mode outputs.Mode
		chat bool
		want []string
	}{
		{outputs.MultiTurn, true, []string{"<|begin|><|user|>What is the largest?\n\n[1, 2]\n\nThe largest is<|end|><|assistant|>", "", "2<|end|><|user|>What is the smallest?\n\nThe smallest is<|end|><|assistant|>"}},
		{outputs.MultiTurn, false, []string{"What is the largest?\n\n[1, 2]\n\nThe largest is", "", "2\n\nWhat is the smallest?\n\nThe smallest is"}},
		{outputs.MultiRequest, true, []string{"<|begin|><|user|>The largest is\n\n[1, 2]\n\n", "What is the largest?\n\nThe largest is<|end|><|assistant|>", "What is the smallest?\n\nThe smallest is<|end|><|assistant|>"}},
	} {
		p := Prompter{Tokenizer: l.tok, Chat: l.chat, MaxTokens: 4096, Prompts: datasets.Strict(nil)}
		if !c.chat {
			p.Chat = nil
		}
		s, err := p.Script(&datasets.MF, e, c.mode, outputs.GoldHistory)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.text(s); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.mode, got, c.want)
		}
	}
}
