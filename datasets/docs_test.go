package datasets

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docsFolder writes twenty documents of some 300 lines and a file of questions, of which each asks for the number in a sentence of its own.
func docsFolder(t *testing.T, questions string) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	var lines strings.Builder
	for i := range 20 {
		var text strings.Builder
		for line := range 300 {
			fmt.Fprintf(&text, "Line %d of report %d says nothing that anyone would ask about.\n", line, i)
			if line == 150 {
				fmt.Fprintf(&text, "The harbour of report %d has %d berths.\n", i, 1000+i)
			}
		}
		name := fmt.Sprintf("part%d/report%02d.md", i%3, i)
		path := filepath.Join(dir, "docs", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			fmt.Fprintf(&lines, "{\"doc\": %q, \"question\": \"How many berths has the harbour of report %d?\", \"answer\": \"%d\", \"evidence\": \"The harbour of report %d has %d berths.\"}\n", name, i, 1000+i, i, 1000+i)
		}
	}
	if questions == "" {
		questions = lines.String()
	}
	file = filepath.Join(dir, "questions.jsonl")
	if err := os.WriteFile(file, []byte(questions), 0o644); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "docs"), file
}

// TestDocs answers every question from the context alone, and wants length, evidence and gold to be right, and sessions to differ.
func TestDocs(t *testing.T) {
	dir, file := docsFolder(t, "")
	d, err := OpenDocs(dir, file, QAEng)
	if err != nil {
		t.Fatal(err)
	}
	if d.Documents != 20 || d.Questions != 10 {
		t.Errorf("%d documents, %d questions", d.Documents, d.Questions)
	}
	task := d.Task()
	contexts := map[string]bool{}
	for seed := range uint64(30) {
		s := Size{Tokens: 20000 + int(seed)*1000, Turns: 1 + int(seed%4)}
		e, err := task.Build(rand.New(rand.NewPCG(seed, 1)), s)
		if err != nil {
			t.Fatal(err)
		}
		contexts[e.Context] = true
		if have := s.count(e.Context); abs(have-s.Tokens)*50 > s.Tokens {
			t.Errorf("%d tokens asked for, and %d are there", s.Tokens, have)
		}
		if len(e.Turns) != s.Turns {
			t.Errorf("%d turns asked for, and %d are there", s.Turns, len(e.Turns))
		}
		for _, turn := range e.Turns {
			at := turn.Evidence[0]
			if said := e.Context[at.Lo:at.Hi]; !strings.HasSuffix(said, turn.Answers[0]+" berths.") || strings.Count(e.Context, said) != 1 {
				t.Errorf("%s: the evidence says %q", turn.Input, said)
			}
			if got := task.Score(turn.Answers[0], turn); got.Fixed != 1 {
				t.Errorf("gold scores %v", got)
			}
		}
	}
	if len(contexts) != 30 {
		t.Errorf("30 seeds gave %d contexts", len(contexts))
	}
	all, err := task.Build(rand.New(rand.NewPCG(1, 1)), Size{Turns: 100})
	if err != nil || len(all.Turns) != 10 || strings.Count(all.Context, "Document: ") != 20 {
		t.Errorf("without a length: %v, %d turns", err, len(all.Turns))
	}
}

// TestDocsAreTheSameForAnyWorkers builds a set twice.
func TestDocsAreTheSameForAnyWorkers(t *testing.T) {
	dir, file := docsFolder(t, "")
	var sums []string
	for _, workers := range []int{1, 8} {
		d, err := OpenDocs(dir, file, QAEng)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Build(context.Background(), d.Task(), BuildOptions{Profile: "16k", Seed: 3, Examples: 6, Source: d.Source, Workers: workers}, filepath.Join(t.TempDir(), "x.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, p.Content+p.Source)
	}
	if sums[0] != sums[1] {
		t.Errorf("1 and 8 workers make %v", sums)
	}
}

func TestDocsSummariesAndChoices(t *testing.T) {
	dir, file := docsFolder(t, `{"doc": "part0/report00.md", "answer": "A report on a harbour."}`+"\n\n"+`{"doc": "part0/report03.md", "question": "What is it about?", "answer": ["Nothing much."]}`)
	d, err := OpenDocs(dir, file, Summary)
	if err != nil {
		t.Fatal(err)
	}
	e, err := d.Task().Build(rand.New(rand.NewPCG(1, 1)), Size{Turns: 2})
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]string{}
	for _, turn := range e.Turns {
		asked[turn.Input] = turn.Answers[0]
		if at := turn.Evidence[0]; strings.Count(e.Context[at.Lo:at.Hi], "\n") < 299 {
			t.Errorf("%s: the evidence is not the document", turn.Input)
		}
	}
	if diff := cmp.Diff(map[string]string{"Summarise the document part0/report00.md.": "A report on a harbour.", "What is it about?": "Nothing much."}, asked); diff != "" {
		t.Error(diff)
	}
	dir, file = docsFolder(t, `{"doc": "part0/report00.md", "question": "How many berths?", "answer": "1000", "options": ["999", "1000", "1001", "7"]}`)
	if d, err = OpenDocs(dir, file, ChoiceEng); err != nil {
		t.Fatal(err)
	}
	if e, err = d.Task().Build(rand.New(rand.NewPCG(1, 1)), Size{}); err != nil || len(e.Turns[0].Options) != 4 {
		t.Fatalf("%v, %+v", err, e.Turns)
	}
	if got := ChoiceEng.Score("B", e.Turns[0]); got.Fixed != 1 {
		t.Errorf("the letter of gold scores %v", got)
	}
}

// TestDocsRefuse wants errors to name file, line and field.
func TestDocsRefuse(t *testing.T) {
	for _, c := range []struct {
		task Task
		line string
		want []string
	}{
		{KV, `{}`, []string{"kv is not built from documents; these are: summary, qaeng"}},
		{QAEng, "\n", []string{"there is none in it", "questions.jsonl"}},
		{QAEng, `{"doc": "part0/report00.md", "question": "x", "answer": "y"}` + "\n" + `{"doc": "nowhere.md", "question": "x", "answer": "y"}`, []string{"line 2", "field doc", "nowhere.md"}},
		{QAEng, `{"doc": "part0/report00.md", "answer": "y"}`, []string{"line 1", "field question"}},
		{QAEng, `{"doc": "part0/report00.md", "question": "x"}`, []string{"field answer"}},
		{QAEng, `{"doc": "part0/report00.md", "question": "x", "answer": ["y", " "]}`, []string{"field answer"}},
		{QAEng, `{"doc": "part0/report00.md", "question": "x", "answer": 7}`, []string{"want a string, or a list of strings"}},
		{QAEng, `{"doc": "part0/report00.md", "question": "x", "answer": "y", "colour": 1}`, []string{`unknown field "colour"`, "fields are doc, question"}},
		{QAEng, `{"doc": "part0/report00.md", "question": "x", "answer": "y"} {}`, []string{"more than one object"}},
		{QAEng, `{"doc": "part0/report00.md", "question": "x", "answer": "y", "options": ["y", "z"]}`, []string{"field options"}},
		{ChoiceEng, `{"doc": "part0/report00.md", "question": "x", "answer": "y", "options": ["z", "w"]}`, []string{"field options", "word for word"}},
		{QAEng, `{"doc": "part0/report00.md", "question": "x", "answer": "y", "evidence": "never said"}`, []string{"field evidence"}},
		{QAEng, strings.Repeat(`{"doc": "part0/report00.md", "question": "x", "answer": "y"}`+"\n", 2), []string{"line 2", "has it twice"}},
		{QAEng, `{"doc": "` + strings.Repeat("x", maxAsked+1) + `"}`, []string{"line 1", "longer than"}},
		{QAEng, `[1]`, []string{"line 1"}},
	} {
		dir, file := docsFolder(t, c.line)
		_, err := OpenDocs(dir, file, c.task)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.80s: error %v lacks %q", c.line, err, want)
			}
		}
	}
	dir, file := docsFolder(t, "")
	if err := os.WriteFile(filepath.Join(dir, "x.txt"), []byte("a\x00b"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDocs(dir, file, QAEng); err == nil || !strings.Contains(err.Error(), "x.txt is no UTF-8 text") {
		t.Errorf("a binary file: %v", err)
	}
	if _, err := OpenDocs(t.TempDir(), file, QAEng); err == nil || !strings.Contains(err.Error(), "there is no document in it") {
		t.Errorf("an empty folder: %v", err)
	}
	dir, file = docsFolder(t, "")
	d, err := OpenDocs(dir, file, QAEng)
	if err != nil {
		t.Fatal(err)
	}
	for want, s := range map[string]Size{"no document with a question fits": {Tokens: 500}, "come to": {Tokens: 1 << 20}, "no dials": {Tokens: 20000, Dials: Dials{Hops: 2}}} {
		if _, err := d.Task().Build(rand.New(rand.NewPCG(1, 1)), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("size %+v: error %v lacks %q", s, err, want)
		}
	}
}

func FuzzDocQuestion(f *testing.F) {
	f.Add([]byte(`{"doc": "a.md", "question": "x", "answer": ["y"], "options": ["y"], "evidence": "text"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		d := &Docs{task: QAEng, docs: []ownDocument{{name: "a.md", text: "some text"}}}
		if d.ask(line) == nil && (d.Questions != 1 || len(d.docs[0].asked) != 1) {
			t.Errorf("%d questions taken in", d.Questions)
		}
	})
}
