package datasets

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestVerifyFindsChangedContent rewrites a set with one byte of one field changed and the metadata kept: a sound file that lies.
func TestVerifyFindsChangedContent(t *testing.T) {
	_, rows := tinySet(t, 3)
	for name, change := range map[string]func(r *Row){
		"context":  func(r *Row) { r.Example.Context = "X" + r.Example.Context[1:] },
		"id":       func(r *Row) { r.Example.ID += "X" },
		"profile":  func(r *Row) { r.Example.Profile = "X" },
		"tokens":   func(r *Row) { r.Tokens++ },
		"input":    func(r *Row) { r.Example.Turns[1].Input += "X" },
		"answer":   func(r *Row) { r.Example.Turns[1].Answers = []string{"X"} },
		"answers":  func(r *Row) { r.Example.Turns[1].Answers = append(r.Example.Turns[1].Answers, "") },
		"options":  func(r *Row) { r.Example.Turns[1].Options = []string{"A", "X"} },
		"part":     func(r *Row) { r.Example.Turns[1].Part = "" },
		"evidence": func(r *Row) { r.Example.Turns[1].Evidence = []Span{{1, 8}} },
		"turns":    func(r *Row) { r.Example.Turns = r.Example.Turns[:1] },
	} {
		path := filepath.Join(t.TempDir(), "set.parquet")
		p, err := Write(context.Background(), path, Provenance{Task: "fake"}, seqOf(rows))
		if err != nil {
			t.Fatal(err)
		}
		changed := append([]Row(nil), rows...)
		changed[1].Example.Turns = append([]Turn(nil), rows[1].Example.Turns...)
		change(&changed[1])
		forge(t, path, p, changed)
		r, err := Verify(path)
		if err == nil || r.HaveContent == p.Content || !strings.Contains(err.Error(), p.Content) || !strings.Contains(err.Error(), r.HaveContent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// forge writes rows under the metadata of another set.
func forge(t *testing.T, path string, p Provenance, rows []Row) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := parquet.NewGenericWriter[fileRow](f, writerOptions()...)
	for _, r := range rows {
		if _, err := w.Write([]fileRow{toFile(r)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, kv := range p.pairs() {
		w.SetKeyValueMetadata(kv[0], kv[1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenErrors(t *testing.T) {
	_, rows := tinySet(t, 2)
	dir := t.TempDir()
	path := filepath.Join(dir, "set.parquet")
	p, err := Write(context.Background(), path, Provenance{Task: "fake"}, seqOf(rows))
	if err != nil {
		t.Fatal(err)
	}
	other := p
	other.Task = "kv"
	bad := append([]Row(nil), rows...)
	bad[1].Index = 7
	short := p
	short.Rows = 1
	for _, c := range []struct {
		p    Provenance
		rows []Row
		want string
	}{
		{other, rows, `row 1: field task: want "kv", as the metadata says, have "fake"`},
		{p, bad, "row 2: field index: want 1, have 7"},
		{short, rows, "scbench.rows says 1, the file has 2 rows"},
	} {
		forge(t, path, c.p, c.rows)
		if _, err := Verify(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("want %q, have %v", c.want, err)
		}
	}
	foreign := filepath.Join(dir, "foreign.parquet")
	if err := os.WriteFile(foreign, foreignFile(t, 2, 2, parquet.Compression(&parquet.Zstd)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(foreign); err == nil || !strings.Contains(err.Error(), "have to be imported first") {
		t.Error(err)
	}
	lines := filepath.Join(dir, "kv.jsonl")
	if err := os.WriteFile(lines, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(lines); err == nil || !strings.Contains(err.Error(), "this is a JSON lines file; a prepared set is a Parquet file; import published files first") {
		t.Error(err)
	}
}

func TestSummarize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "set.parquet")
	rows := []Row{
		{0, 10, Example{ID: "a", Task: "fake", Context: "first", Turns: []Turn{{Answers: []string{"x"}}}}},
		{1, 40, Example{ID: "b", Task: "fake", Context: "red \x1b[31m世界 and more", Turns: []Turn{{Input: "q1", Answers: []string{"y"}, Options: []string{"o1"}, Part: "kv"}, {Input: "q\u202e2", Answers: []string{"z"}}}}},
	}
	if _, err := Write(context.Background(), path, Provenance{Task: "fake", Profile: "4k", Seed: 9, Generator: "1"}, seqOf(rows)); err != nil {
		t.Fatal(err)
	}
	s, err := Summarize(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	if s.Turns != 3 || s.MinTokens != 10 || s.MaxTokens != 40 || s.MeanTokens != 25 || s.Rows != 2 || s.Sample.Example.ID != "b" {
		t.Errorf("%+v", s)
	}
	var b strings.Builder
	if err := s.Print(&b, 12); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"profile    4k", "seed       9", "turns      3", "10 to 40, mean 25.0", "example b (40 tokens)\nred \\u001b[31m世…\n", "turn 1 kv\nq1\n  option  o1\n  answer  y\n", "q\\u202e2"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Error("a control character gets through")
	}
	for _, i := range []int{-1, 2} {
		if _, err := Summarize(path, i); err == nil || !strings.Contains(err.Error(), "0 to 1") {
			t.Error(err)
		}
	}
}
