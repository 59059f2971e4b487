package datasets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// fake is a task whose examples use every field, made of a few random words.
var fake = Task{
	Name: "fake",
	Build: func(r *rand.Rand, s Size) (Example, error) {
		var words []string
		for range max(1, s.Tokens/2) {
			words = append(words, fmt.Sprintf("%06x", r.Uint32()&0xffffff))
		}
		e := Example{Context: strings.Join(words, " ")}
		for i := range max(2, s.Turns) {
			at := r.IntN(len(words)) * 7
			e.Turns = append(e.Turns, Turn{Input: fmt.Sprintf("word %d? é世\x00", i), Answers: []string{e.Context[at : at+6], ""},
				Options: []string{"A", "B"}[:i%3%2*2], Part: "half", Evidence: []Span{{at, at + 6}, {0, 0}}})
		}
		return e, nil
	},
	Mini: func(r *rand.Rand, s Size) (Example, error) {
		return Example{Profile: MiniProfile, Context: fmt.Sprint(r.Uint64()), Turns: []Turn{{Input: "?", Answers: []string{"x"}}}}, nil
	},
}

func seqOf(rows []Row) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func readAll(t interface{ Fatal(...any) }, path string) ([]Row, Provenance) {
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var rows []Row
	for r, err := range s.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	if len(rows) != s.Len() {
		t.Fatal("rows", len(rows), "of", s.Len())
	}
	return rows, s.Provenance
}

func rowsGen(t *rapid.T) []Row {
	text := rapid.StringN(0, 40, -1)
	n := rapid.IntRange(0, 20).Draw(t, "rows")
	rows := make([]Row, n)
	for i := range rows {
		e := Example{ID: "x" + text.Draw(t, "id"), Task: "fake", Profile: text.Draw(t, "profile")}
		e.Context = "c" + strings.Repeat(text.Draw(t, "context"), rapid.SampledFrom([]int{1, 1, 50, 3000}).Draw(t, "times"))
		for range rapid.IntRange(1, 4).Draw(t, "turns") {
			turn := Turn{Input: text.Draw(t, "input"), Part: text.Draw(t, "part")}
			turn.Answers = rapid.SliceOfN(text, 1, 3).Draw(t, "answers")
			turn.Options = rapid.SliceOfN(text, 0, 4).Draw(t, "options")
			for range rapid.IntRange(0, 3).Draw(t, "evidence") {
				lo := rapid.IntRange(0, len(e.Context)).Draw(t, "lo")
				turn.Evidence = append(turn.Evidence, Span{lo, rapid.IntRange(lo, len(e.Context)).Draw(t, "hi")})
			}
			e.Turns = append(e.Turns, turn)
		}
		rows[i] = Row{Index: i, Tokens: rapid.IntRange(0, 1<<31-1).Draw(t, "tokens"), Example: e}
	}
	return rows
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "set.parquet")
	rapid.Check(t, func(t *rapid.T) {
		rows := rowsGen(t)
		p := Provenance{Task: "fake", Profile: "4k", Seed: rapid.Uint64().Draw(t, "seed"), Generator: "g", Tokenizer: "t", Source: "s"}
		p, err := Write(context.Background(), path, p, seqOf(rows))
		if err != nil {
			t.Fatal(err)
		}
		have, q := readAll(t, path)
		if d := cmp.Diff(rows, have, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
		if p != q || p.Rows != len(rows) {
			t.Fatalf("provenance %+v, read back %+v", p, q)
		}
		if r, err := Verify(path); err != nil || r.HaveContent != p.Content {
			t.Fatal(r, err)
		}
	})
}

// TestRowGroups writes sets around the limits of a row group, by number and by bytes.
func TestRowGroups(t *testing.T) {
	path := filepath.Join(t.TempDir(), "set.parquet")
	for _, c := range []struct{ rows, bytes, groups int }{{1, 10, 1}, {255, 10, 1}, {256, 10, 1}, {257, 10, 2}, {513, 1, 3}, {5, 3 << 20, 2}, {2, 9 << 20, 2}} {
		var rows []Row
		for i := range c.rows {
			text := strings.Repeat(string(rune('a'+i%26)), c.bytes)
			rows = append(rows, Row{i, i, Example{ID: fmt.Sprint(i), Task: "fake", Context: text, Turns: []Turn{{Answers: []string{"a"}}}}})
		}
		if _, err := Write(context.Background(), path, Provenance{Task: "fake"}, seqOf(rows)); err != nil {
			t.Fatal(err)
		}
		have, _ := readAll(t, path)
		if d := cmp.Diff(rows, have, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(c, clip(d, 2000))
		}
		f, err := openParquet(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := f.rdr.NumRowGroups(); n != c.groups {
			t.Errorf("%v: %d row groups", c, n)
		}
		f.Close()
	}
}

// TestSchema pins the columns as a foreign reader sees them.
func TestSchema(t *testing.T) {
	want := `message fileRow {
	required binary id (STRING);
	required binary task (STRING);
	required binary profile (STRING);
	required int64 index (INT(64,true));
	required binary context (STRING);
	required int32 context_tokens (INT(32,true));
	required group turns (LIST) {
		repeated group list {
			required group element {
				required binary input (STRING);
				required group answers (LIST) {
					repeated group list {
						required binary element (STRING);
					}
				}
				required group options (LIST) {
					repeated group list {
						required binary element (STRING);
					}
				}
				required binary part (STRING);
				required group evidence (LIST) {
					repeated group list {
						required group element {
							required int64 lo (INT(64,true));
							required int64 hi (INT(64,true));
						}
					}
				}
			}
		}
	}
}`
	if d := cmp.Diff(want, parquet.SchemaOf(fileRow{}).String()); d != "" {
		t.Error(d)
	}
}

func TestContextHasNoStatistics(t *testing.T) {
	path := filepath.Join(t.TempDir(), "set.parquet")
	text := strings.Repeat("needle in the statistics ", 4)
	rows := []Row{{0, 1, Example{ID: "0", Task: "fake", Context: text, Turns: []Turn{{Answers: []string{"a"}}}}}}
	if _, err := Write(context.Background(), path, Provenance{Task: "fake"}, seqOf(rows)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b, []byte("needle in the statistics ")); n > 1 {
		t.Errorf("the context occurs %d times uncompressed", n)
	}
}

func TestWriteRefuses(t *testing.T) {
	ok := func() Row {
		return Row{0, 1, Example{ID: "0", Task: "fake", Context: "text", Turns: []Turn{{Answers: []string{"a"}}}}}
	}
	for want, spoil := range map[string]func(*Row){
		"field index":         func(r *Row) { r.Index = 1 },
		"field context":       func(r *Row) { r.Example.Context = "" },
		"context_tokens":      func(r *Row) { r.Tokens = 1 << 31 },
		"field id":            func(r *Row) { r.Example.ID = "" },
		"field turns":         func(r *Row) { r.Example.Turns = nil },
		"turns[0].answers":    func(r *Row) { r.Example.Turns[0].Answers = nil },
		"turns[0].evidence[0": func(r *Row) { r.Example.Turns[0].Evidence = []Span{{2, 5}} },
		"UTF-8":               func(r *Row) { r.Example.Context = "\xff" },
		"turns[0].input":      func(r *Row) { r.Example.Turns[0].Input = "\xff" },
	} {
		dir := t.TempDir()
		row := ok()
		spoil(&row)
		_, err := Write(context.Background(), filepath.Join(dir, "s.parquet"), Provenance{}, seqOf([]Row{row}))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "row 1") {
			t.Errorf("want an error about %q, have %v", want, err)
		}
		wantEmpty(t, dir)
	}
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) > 0 {
		t.Errorf("left behind: %v %v", files, err)
	}
}

func TestWriteFolders(t *testing.T) {
	row := seqOf([]Row{{0, 1, Example{ID: "0", Context: "text", Turns: []Turn{{Answers: []string{"a"}}}}}})
	dir := t.TempDir()
	if _, err := Write(context.Background(), filepath.Join(dir, "no", "s.parquet"), Provenance{}, row); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(context.Background(), filepath.Join(dir, "file", "s.parquet"), Provenance{}, row); err == nil || !strings.Contains(err.Error(), "cannot write in folder") {
		t.Error(err)
	}
	// A folder stands where the file should go: the rename fails and leaves nothing.
	if err := os.MkdirAll(filepath.Join(dir, "s.parquet", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(context.Background(), filepath.Join(dir, "s.parquet"), Provenance{}, row); err == nil {
		t.Error("wrote over a folder")
	}
	if files, _ := filepath.Glob(filepath.Join(dir, ".*")); len(files) > 0 {
		t.Error("left behind:", files)
	}
	if os.Getuid() != 0 { // root may write anywhere
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(dir, 0o700)
		if _, err := Write(context.Background(), filepath.Join(dir, "t.parquet"), Provenance{}, row); err == nil || !strings.Contains(err.Error(), "permissions") {
			t.Error(err)
		}
	}
}

// TestWriteKeepsOld checks that a failed write leaves the older file alone.
func TestWriteKeepsOld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.parquet")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("source broke")
	_, err := Write(context.Background(), path, Provenance{}, func(yield func(Row, error) bool) { yield(Row{}, broken) })
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "old" {
		t.Errorf("%q %v", b, err)
	}
}
