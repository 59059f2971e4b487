package datasets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPromptsRefused wants every slip in a wording set named.
func TestPromptsRefused(t *testing.T) {
	set := func(rest string) string { return `{"version": 1, "name": "x"` + rest + `}` }
	for _, c := range []struct{ text, want string }{
		{`{"name": "x"}`, "field version: want 1, have 0"},
		{`{"version": 2, "name": "x"}`, "field version: want 1, have 2"},
		{`{"version": 1}`, "field name: give the set a name"},
		{`[1]`, "want one object a line, have list of 1"},
		{set(`, "author": "me"`), `unknown field "author"`},
		{set(`, "tasks": {"kv": {"instruct": "x"}}`), `unknown field "instruct"`},
		{set(`, "tasks": {"kv": {"plain": {"plain": {}}}}`), `unknown field "plain"`},
		{set(`, "tasks": {"kv": {"question": 3}}`), "cannot unmarshal number"},
		{set(`, "tasks": {"kv": {"question": "a", "question": "b"}}`), `field "question" is there twice`},
		{set(`, "tasks": {"kv": {"Question": "a"}}`), `field "Question" is not known; names are in lower case`},
		{set(`, "tasks": {"knitting": {}}`), `field tasks: no task is named "knitting"`},
		{set(`, "tasks": {"prefixsuffix": {}, "scbench_prefix_suffix": {}}`), "task prefixsuffix is worded twice"},
		{set(`, "tasks": {"kv": {"question": "{inptu}"}}`), "field tasks.kv.question: there is no {inptu} here; there is {input}"},
		{set(`, "tasks": {"kv": {"instruction": "{input}"}}`), "field tasks.kv.instruction: there is no {input} here; there is {first.input}"},
		{set(`, "tasks": {"kv": {"question": "{answer}"}}`), "field tasks.kv.question: there is no {answer} here"},
		{set(`, "tasks": {"kv": {"own": {"between": "{input}"}}}`), "field tasks.kv.own.between: {input} cannot stand here"},
		{set(`, "common": {"single-turn": {"start": "a } b"}}`), "field common.single-turn.start: a brace stands alone"},
		{set(`, "common": {"start": "a {input"}`), "a brace stands alone"},
	} {
		if _, err := parsePrompts([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, have %v", c.text, c.want, err)
		}
	}
	if _, err := ReadPrompts(t.TempDir()); err == nil || !strings.Contains(err.Error(), "JSON file") {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "p.json")
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPrompts(path); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
		t.Errorf("the file is not named: %v", err)
	}
}

// said is all texts of an example in a setting, the parts of a turn divided by bars.
func said(t *testing.T, p *Prompts, task *Task, e Example, s Setting) (all []string) {
	t.Helper()
	w := p.Word(task, e, s)
	context, err := w.Context()
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, context+"|"+w.Separator()+"|"+w.Between())
	for i := range e.Turns {
		question, start, err := w.Ask(i, i > s.First && s.Mode == "multi-turn")
		if err != nil {
			t.Fatal(err)
		}
		gold, err := w.Gold(i)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, question+"|"+start+"|"+gold)
	}
	return all
}

// TestPromptsQuirks words what the published prompts do: other follow-ups without a chat template, an answer's start in later turns of a chat
// alone, a point after golds, no blank lines, and contexts that begin with a question.
func TestPromptsQuirks(t *testing.T) {
	p, err := parsePrompts([]byte(`{"version": 1, "name": "quirks", "common": {"gold": "{answer}.", "multi-request": {"separator": ""}, "own": {"between": ""}},
		"tasks": {
			"scbench_kv": {"instruction": "I {{}}: ", "question": "Q {input} A. {option0} B. {option1} =", "followup_start": "So", "plain": {"followup": "F {input} {option1} =", "followup_start": ""}},
			"vt": {"gold": "{answer}"},
			"mf": {"instruction": "{first.ask} ", "question": "{input}", "followup": "{last.ask} {input}", "multi-request": {"instruction": "{first.input} "}}
		}}`))
	if err != nil {
		t.Fatal(err)
	}
	e := Example{Context: "C", Turns: []Turn{
		{Input: "x", Answers: []string{"a"}, Options: []string{"o", "p"}}, {Input: "y", Answers: []string{"b"}, Options: []string{"q", "r"}},
	}}
	n := Example{Context: "[1, 2]", Turns: []Turn{{Input: "One number. The largest is", Answers: []string{"2"}}, {Input: "The smallest is", Answers: []string{"1"}}}}
	for _, c := range []struct {
		name string
		p    *Prompts
		task *Task
		e    Example
		s    Setting
		want []string
	}{
		{"chat", p, &KV, e, Setting{Mode: "multi-turn"}, []string{"I {}: C|\n\n|\n\n", "Q x A. o B. p =||a.", "Q y A. q B. r =|So|b."}},
		{"plain", p, &KV, e, Setting{Mode: "multi-turn", Plain: true, Own: true}, []string{"I {}: C|\n\n|", "Q x A. o B. p =||a.", "F y r =||b."}},
		{"requests", p, &KV, e, Setting{Mode: "multi-request", Plain: true}, []string{"I {}: C||\n\n", "Q x A. o B. p =||a.", "Q y A. q B. r =||b."}},
		{"conversation about numbers", p, &MF, n, Setting{Mode: "multi-turn"}, []string{"What is the largest? [1, 2]|\n\n|\n\n", "One number. The largest is||2.", "What is the smallest? The smallest is||1."}},
		{"requests about numbers", p, &MF, n, Setting{Mode: "multi-request"}, []string{"One number. The largest is [1, 2]||\n\n", "One number. The largest is||2.", "The smallest is||1."}},
		{"second question alone", p, &MF, n, Setting{Mode: "single-turn", First: 1}, []string{"What is the smallest? [1, 2]|\n\n|\n\n", "One number. The largest is||2.", "The smallest is||1."}},
		{"none", nil, &KV, e, Setting{Mode: "multi-turn"}, []string{KV.Context(e) + "|\n\n|\n\n", "x||a", "y||b"}},
		{"strict chat", Strict(nil), &MF, n, Setting{Mode: "multi-turn"},
			[]string{"What is the largest?\n\n[1, 2]|\n\n|\n\n", "One number. The largest is||2", "What is the smallest?\n\nThe smallest is||1"}},
		{"strict requests", Strict(nil), &MF, n, Setting{Mode: "multi-request"},
			[]string{"One number. The largest is\n\n[1, 2]|\n\n|\n\n", "What is the largest?\n\nOne number. The largest is||2", "What is the smallest?\n\nThe smallest is||1"}},
		{"strict, elsewhere", Strict(nil), &KV, e, Setting{Mode: "multi-turn"}, []string{KV.Context(e) + "|\n\n|\n\n", "x||a", "y||b"}},
		{"strict, but worded", Strict(p), &MF, n, Setting{Mode: "multi-turn"}, []string{"What is the largest? [1, 2]|\n\n|\n\n", "One number. The largest is||2.", "What is the smallest? The smallest is||1."}},
	} {
		if got := said(t, c.p, c.task, c.e, c.s); strings.Join(got, "¶") != strings.Join(c.want, "¶") {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
	few := e
	few.Turns = []Turn{{Input: "x", Answers: []string{"a"}}}
	if _, _, err := p.Word(&KV, few, Setting{}).Ask(0, false); err == nil || !strings.Contains(err.Error(), "turn 1 of kv  has 0 options; the prompts want {option0}") {
		t.Error(err)
	}
	if got := strings.Join(p.Leaks(), " "); got != "mf" {
		t.Errorf("leaks: %q", got)
	}
	if got := Strict(nil).Leaks(); len(got) != 1 || (*Prompts)(nil).Leaks() != nil {
		t.Errorf("leaks: %q", got)
	}
	if p.Hash == Strict(p).Hash || Strict(p).Hash == Strict(nil).Hash || len(p.Hash) != 64 || Strict(p).Name != "quirks+strict" {
		t.Error("sets are not told apart by their hashes")
	}
}

// TestStrictMini leaves the formats of the embedded model alone.
func TestStrictMini(t *testing.T) {
	e := Example{Profile: MiniProfile, Context: "Look: [1, 2]", Turns: []Turn{{Input: "What is the largest number in the list?", Answers: []string{"2"}}}}
	if got := said(t, Strict(nil), &MF, e, Setting{Mode: "multi-request"}); got[0] != "Look: [1, 2]|\n\n|\n\n" || got[1] != e.Turns[0].Input+"||2" {
		t.Errorf("%q", got)
	}
}

// TestPromptsExample reads the example that the documentation points to: it words every task, in every setting, and gives nothing away.
func TestPromptsExample(t *testing.T) {
	p, err := ReadPrompts(filepath.Join("..", "examples", "prompts.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range All {
		if _, worded := p.tasks[task.Name]; !worded {
			t.Errorf("%s is not worded", task.Name)
		}
		e := make1(t, maker{make: task.Build}, 7, Size{Tokens: 2 << 10})
		for _, mode := range []string{"multi-turn", "multi-request", "single-turn"} {
			for _, plain := range []bool{false, true} {
				w := p.Word(&task, e, Setting{Mode: mode, Plain: plain})
				context, err := w.Context()
				if err != nil || !strings.HasSuffix(context, e.Context) {
					t.Errorf("%s: %v, a context of %d bytes", task.Name, err, len(context))
				}
				for i := range e.Turns {
					question, _, err := w.Ask(i, i > 0)
					gold, err2 := w.Gold(i)
					if err != nil || err2 != nil || strings.TrimSpace(question) == "" || gold == "" {
						t.Errorf("%s turn %d: %v, %v, question %q, gold %q", task.Name, i+1, err, err2, question, gold)
					}
				}
			}
		}
	}
	if leaks := p.Leaks(); leaks != nil {
		t.Errorf("%v give a question away", leaks)
	}
}
