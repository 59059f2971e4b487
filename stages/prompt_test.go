package stages

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scbench/datasets"
	"scbench/outputs"
	"scbench/stages/tokenizers"
)

// TestGoldenReferencePrompts makes the prompts of the reference model's golden conversations: same tokens.
func TestGoldenReferencePrompts(t *testing.T) {
	root := os.Getenv("SCBENCH_GOLDEN")
	if root == "" || os.Getenv("SCBENCH_GOLDEN") != "" && !exists(filepath.Join(root, "refmodel", "goldens.json")) {
		root = filepath.Join("..", "testdata", "golden")
	}
	b, err := os.ReadFile(filepath.Join(root, "refmodel", "goldens.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden []struct {
		Task     string
		Messages []struct{ Role, Content string }
		Ids      []int32 `json:"prompt_ids"`
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	l := newLab(t, 1, 0)
	defer l.close(t)
	p := Prompter{Tokenizer: l.tok, Chat: l.chat, MaxTokens: 32768}
	task := datasets.KV
	for _, g := range golden {
		ctx, q1, ok := cutLast(g.Messages[0].Content, "\n\n")
		if !ok {
			t.Fatalf("%s: no blank line before the question", g.Task)
		}
		e := datasets.Example{Profile: datasets.MiniProfile, Context: ctx, Turns: []datasets.Turn{
			{Input: q1, Answers: []string{g.Messages[1].Content}}, {Input: g.Messages[2].Content, Answers: []string{""}},
		}}
		s, err := p.Script(&task, e, outputs.MultiTurn, outputs.GoldHistory)
		if err != nil {
			t.Fatal(err)
		}
		if got := append(slices.Clone(s.First), s.Ask[1]...); !slices.Equal(got, g.Ids) {
			t.Errorf("%s: %d tokens, want %d; they part at %d", g.Task, len(got), len(g.Ids), common(got, g.Ids))
		}
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

var twoTurns = datasets.Example{Profile: datasets.MiniProfile, Context: "  The context.\n", Turns: []datasets.Turn{
	{Input: "First?", Answers: []string{"one"}}, {Input: "Second?", Answers: []string{"two"}}, {Input: "Third?", Answers: []string{"three"}},
}}

// text decodes a script.
func (l *lab) text(s *Script) []string {
	out := []string{l.tok.Decode(s.First, false)}
	for _, a := range s.Ask {
		out = append(out, l.tok.Decode(a, false))
	}
	return out
}

// TestScripts compares the segments of both modes and histories, with a chat template and without.
func TestScripts(t *testing.T) {
	l := newLab(t, 1, 0)
	defer l.close(t)
	// A template with a system message of its own, trimmed texts and words between the turns.
	odd, err := tokenizers.ParseChat("odd", "{{ bos_token }}[sys]You help.[/sys]{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}[/{{ m.role }}]\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}",
		map[string]string{"bos_token": "<|begin|>"})
	if err != nil {
		t.Fatal(err)
	}
	const c = "  The context.\n\n\n"
	for _, k := range []struct {
		name    string
		chat    *tokenizers.ChatTemplate
		mode    outputs.Mode
		history outputs.History
		want    []string
	}{
		{"chat, gold", l.chat, outputs.MultiTurn, outputs.GoldHistory, []string{"<|begin|><|user|>" + c + "First?<|end|><|assistant|>", "", "one<|end|><|user|>Second?<|end|><|assistant|>", "two<|end|><|user|>Third?<|end|><|assistant|>"}},
		{"chat, own", l.chat, outputs.MultiTurn, outputs.OwnHistory, []string{"<|begin|><|user|>" + c + "First?<|end|><|assistant|>", "", "<|end|><|user|>Second?<|end|><|assistant|>", "<|end|><|user|>Third?<|end|><|assistant|>"}},
		{"chat, requests", l.chat, outputs.MultiRequest, outputs.GoldHistory, []string{"<|begin|><|user|>" + c, "First?<|end|><|assistant|>", "Second?<|end|><|assistant|>", "Third?<|end|><|assistant|>"}},
		{"plain, gold", nil, outputs.MultiTurn, outputs.GoldHistory, []string{c + "First?", "", "one\n\nSecond?", "two\n\nThird?"}},
		{"plain, own", nil, outputs.MultiTurn, outputs.OwnHistory, []string{c + "First?", "", "\n\nSecond?", "\n\nThird?"}},
		{"plain, requests", nil, outputs.MultiRequest, outputs.GoldHistory, []string{c, "First?", "Second?", "Third?"}},
		{"odd, gold", odd, outputs.MultiTurn, outputs.GoldHistory, []string{"<|begin|>[sys]You help.[/sys][user]" + c + "First?[/user]\n[assistant]", "", "one[/assistant]\n[user]Second?[/user]\n[assistant]", "two[/assistant]\n[user]Third?[/user]\n[assistant]"}},
		{"odd, own", odd, outputs.MultiTurn, outputs.OwnHistory, []string{"<|begin|>[sys]You help.[/sys][user]" + c + "First?[/user]\n[assistant]", "", "[/assistant]\n[user]Second?[/user]\n[assistant]", "[/assistant]\n[user]Third?[/user]\n[assistant]"}},
		{"odd, requests", odd, outputs.MultiRequest, outputs.GoldHistory, []string{"<|begin|>[sys]You help.[/sys][user]" + c, "First?[/user]\n[assistant]", "Second?[/user]\n[assistant]", "Third?[/user]\n[assistant]"}},
	} {
		p := Prompter{Tokenizer: l.tok, Chat: k.chat, MaxTokens: 4096}
		s, err := p.Script(&datasets.KV, twoTurns, k.mode, k.history)
		if err != nil {
			t.Fatalf("%s: %v", k.name, err)
		}
		if got := l.text(s); !slices.Equal(got, k.want) {
			t.Errorf("%s:\n got %q\nwant %q", k.name, got, k.want)
		}
	}
}

// TestBeginOnce wants the tokens that begin a text once, whether a chat template prints them or not, or there is none.
func TestBeginOnce(t *testing.T) {
	for style, begin := range map[string][]int32{"llama3-style": {1960}, "glm4-style": {1962, 1964}, "llama2-style": {1}, "qwen2-style": nil} {
		tok, err := tokenizers.Load(filepath.Join("..", "testdata", "golden", "tokenizers", style))
		if err != nil {
			t.Fatal(err)
		}
		printed := tok.Decode(begin, false)
		for _, template := range []string{"", "{% for m in messages %}{{ m.content }}\n{% endfor %}", printed + "{% for m in messages %}{{ m.content }}\n{% endfor %}"} {
			p := Prompter{Tokenizer: tok, MaxTokens: 4096}
			if template != "" {
				if p.Chat, err = tokenizers.ParseChat(style, template, nil); err != nil {
					t.Fatal(err)
				}
			}
			s, err := p.Script(&datasets.KV, twoTurns, outputs.MultiTurn, outputs.GoldHistory)
			if err != nil {
				t.Fatalf("%s: %q: %v", style, template, err)
			}
			n := len(begin)
			if !slices.Equal(s.First[:n], begin) || n > 0 && slices.ContainsFunc(s.First[n:], func(id int32) bool { return slices.Contains(begin, id) }) {
				t.Errorf("%s: %q: begins with %v; want %v once", style, template, s.First[:2*n], begin)
			}
		}
	}
}

// TestForgetfulTemplate wants a template that rewrites earlier turns refused, with the way out.
func TestForgetfulTemplate(t *testing.T) {
	l := newLab(t, 1, 0)
	defer l.close(t)
	chat, err := tokenizers.ParseChat("forgetful", "{% for m in messages %}{% if loop.last %}{{ m.content }}{% endif %}{% endfor %}", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := Prompter{Tokenizer: l.tok, Chat: chat, MaxTokens: 4096}
	if _, err := p.Script(&datasets.KV, twoTurns, outputs.MultiTurn, outputs.GoldHistory); err == nil || !strings.Contains(err.Error(), "--no-chat") {
		t.Errorf("error %v", err)
	}
}

// TestRoom checks the published limits of a first prompt (spec §8).
func TestRoom(t *testing.T) {
	sum, key, code, kv := "summary", "passkey", "repoqa", "kv"
	budgets := map[string]int{sum: 800, key: 15, code: 1024, kv: 80}
	mixed := datasets.Task{Name: "mixed", MaxTokens: func(t datasets.Turn) int { return budgets[t.Part] }}
	for _, k := range []struct {
		task  datasets.Task
		mode  outputs.Mode
		parts []string
		want  int
	}{
		{datasets.KV, outputs.MultiTurn, []string{"", "", "", "", ""}, 130322},
		{datasets.KV, outputs.MultiRequest, []string{"", "", "", "", ""}, 129322},
		{datasets.KV, outputs.SingleTurn, []string{""}, 131072 - 150},
		{datasets.VT, outputs.MultiTurn, []string{"", "", "", "", ""}, 131072 - 5*30},
		{mixed, outputs.MultiTurn, []string{code, kv, code, kv, code}, 128312},
		{mixed, outputs.MultiTurn, []string{code, kv, code, kv, code, kv, code, kv}, 126656},
		{mixed, outputs.MultiTurn, []string{sum, key, sum, key, sum}, 129035},
		{mixed, outputs.SingleTurn, []string{code}, 131072 - 1024},
	} {
		s, e := &Script{Mode: k.mode}, datasets.Example{}
		for i, part := range k.parts {
			turn := datasets.Turn{Part: part}
			e.Turns, s.Turns, s.MaxAnswer = append(e.Turns, turn), append(s.Turns, i), append(s.MaxAnswer, k.task.MaxTokens(turn))
		}
		if got := (Prompter{MaxTokens: 131072}).room(s, e); got != k.want {
			t.Errorf("%s %s %v: room %d, want %d", k.task.Name, k.mode, k.parts, got, k.want)
		}
	}
}

// TestTruncation cuts a context in its middle and follows the evidence.
func TestTruncation(t *testing.T) {
	l := newLab(t, 1, 0)
	defer l.close(t)
	w := l.work(t, datasets.KV, 1, 2000, 5)[0]
	whole, err := (Prompter{Tokenizer: l.tok, Chat: l.chat, MaxTokens: 32768}).Script(w.Task, w.Example, outputs.MultiTurn, outputs.GoldHistory)
	if err != nil {
		t.Fatal(err)
	}
	if whole.Dropped != 0 || slices.Contains(whole.Evidence, outputs.EvidenceCut) {
		t.Fatalf("nothing should be cut: %d tokens, %v", whole.Dropped, whole.Evidence)
	}
	const limit = 1500
	s, err := (Prompter{Tokenizer: l.tok, Chat: l.chat, MaxTokens: limit}).Script(w.Task, w.Example, outputs.MultiTurn, outputs.GoldHistory)
	if err != nil {
		t.Fatal(err)
	}
	half := (limit - 5*150) / 2
	n := len(whole.First)
	if want := append(slices.Clone(whole.First[:half]), whole.First[n-half:]...); !slices.Equal(s.First, want) || s.Dropped != n-2*half {
		t.Errorf("cut to %d tokens with %d dropped, want the first and last %d", len(s.First), s.Dropped, half)
	}
	head, tail := l.tok.Decode(whole.First[:half], false), l.tok.Decode(whole.First[n-half:], false)
	for i, turn := range w.Example.Turns {
		want := outputs.EvidenceCut
		if strings.Contains(head, turn.Answers[0]) || strings.Contains(tail, turn.Answers[0]) {
			want = outputs.EvidenceKept
		}
		if s.Evidence[i] != want {
			t.Errorf("turn %d: evidence %s, want %s", i+1, s.Evidence[i], want)
		}
	}
	if !slices.Contains(s.Evidence, outputs.EvidenceCut) || !slices.Contains(s.Evidence, outputs.EvidenceKept) {
		t.Errorf("the example does not test both: %v", s.Evidence)
	}
	_, err = (Prompter{Tokenizer: l.tok, Chat: l.chat, MaxTokens: 10}).Script(w.Task, w.Example, outputs.MultiTurn, outputs.GoldHistory)
	if err == nil || !strings.Contains(err.Error(), "--max-tokens") {
		t.Errorf("a limit below the answers' own: %v", err)
	}
}
