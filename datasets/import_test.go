package datasets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// importText imports text as the file kv.jsonl and returns the rows written.
func importText(t *testing.T, task, name, text string) ([]Row, Imported, error) {
	t.Helper()
	dir, out := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	imported, err := Import(context.Background(), Task{Name: task}, []string{path}, filepath.Join(out, "set.parquet"), Counter{})
	if err != nil {
		wantEmpty(t, out)
		return nil, imported, err
	}
	rows, p := readAll(t, filepath.Join(out, "set.parquet"))
	if p != imported.Provenance {
		t.Errorf("provenance %+v, reported %+v", p, imported.Provenance)
	}
	return rows, imported, nil
}

// TestImportErrors spoils the seventh row. The messages are part of the contract: file, row, field, what was there and what to do.
func TestImportErrors(t *testing.T) {
	good := `{"context": "c", "multi_turns": [{"input": "q", "answer": "a"}]}` + "\n"
	turns := func(third string) string {
		return `{"context": "c", "multi_turns": [{"input": "q", "answer": "a"}, {"input": "q", "answer": "a"}, ` + third + `]}`
	}
	for _, c := range []struct{ task, row, want string }{
		{"kv", turns(`{"input": "q", "answer": 17}`), `field multi_turns[2].answer: want string or list of strings, have number 17`},
		{"kv", turns(`{"input": "q", "answer": ["a", 3]}`), `field multi_turns[2].answer[1]: want string, have number 3`},
		{"kv", turns(`{"input": "q", "answer": []}`), `field multi_turns[2].answer: the list is empty, a turn needs at least one answer`},
		{"kv", turns(`{"input": "q"}`), `field multi_turns[2].answer: want string or list of strings, have nothing`},
		{"kv", turns(`{"input": null, "answer": "a"}`), `field multi_turns[2].input: want string, have nothing`},
		{"kv", turns(`"q"`), `field multi_turns[2]: want object, have string "q"`},
		{"kv", `{"context": "c", "multi_turns": []}`, `field multi_turns: the list is empty, a session needs at least one turn`},
		{"kv", `{"context": "c"}`, `field multi_turns: want list, have nothing`},
		{"kv", `{"multi_turns": [{"input": "q", "answer": "a"}]}`, `field context: want string or list of integers, have nothing`},
		{"kv", `{"context": true, "multi_turns": []}`, `field context: want string or list of integers, have boolean true`},
		{"kv", `{"context": "", "multi_turns": []}`, `field context: the text is empty`},
		{"vt", `{"input": {"a": 1}, "multi_turns": []}`, `field input: want string or list of integers, have object of 1 fields`},
		{"mf", turns(`{"input": "q", "answer": 1.5}`), `field multi_turns[0].answer: want integer, have string "a"`},
		{"mf", `{"context": [1, 2.5], "multi_turns": []}`, `field context[1]: want integer, have number 2.5`},
		{"choiceeng", turns(`{}`), `field multi_turns[0].options: want list, have nothing`},
		{"choiceeng", `{"context": "c", "multi_turns": [{"input": "q", "answer": "a", "options": ["a"]}]}`, `field multi_turns[0].options: want at least two options, have 1`},
		{"choiceeng", `{"context": "c", "multi_turns": [{"input": "q", "answer": "a", "options": ["a", "b", "c", "d", "e"]}]}`, `field multi_turns[0].options: want at most 4 options, have 5`},
		{"choiceeng", `{"context": "c", "multi_turns": [{"input": "q", "answer": "B", "options": ["a", "b"]}]}`, `field multi_turns[0].answer: "B" is none of the options`},
		{"repoqaandkv", turns(`{}`), `field multi_turns[0].task: want string, have nothing`},
		{"repoqaandkv", `{"context": "c", "multi_turns": [{"input": "q", "answer": "a", "task": "scbench_mf"}]}`, `field multi_turns[0].task: want one of repoqa, kv, have string "scbench_mf"`},
		{"repoqa", `{"context": "c", "repo": "r", "multi_turns": [{"input": "q", "answer": "a"}]}`, `field lang: want string, have nothing`},
		{"repoqa", `{"context": "c", "lang": "go", "repo": 3, "multi_turns": [{"input": "q", "answer": "a"}]}`, `field repo: want string, have number 3`},
		{"repoqa", `{"context": "c", "lang": "cobol", "repo": "r", "multi_turns": [{"input": "q", "answer": "a"}]}`, `field lang: want one of python, java, typescript, rust, cpp, go, have string "cobol"`},
		{"repoqaandkv", `{"context": "c", "lang": "go", "multi_turns": [{"input": "q", "answer": "a", "task": "scbench_repoqa"}]}`, `field repo: want string, have nothing`},
		{"kv", `{"context": "c", "context": "d"}`, `field "context" is there twice`},
		{"kv", `{"context": "` + "\xff" + `"}`, `the line is not valid UTF-8`},
		{"kv", `{"context": "c",}`, `byte 17 of the line is not JSON`},
		{"kv", `{"context": "c"`, `byte 16 of the line is not JSON`},
		{"kv", `[1]`, `want one object a line, have list of 1`},
		{"kv", `{"context": ` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, `nested deeper than 32 levels`},
	} {
		text := strings.Repeat(good, 6) + c.row + "\n" + good
		switch c.task { // the rows before the bad one have to be good
		case "mf":
			text = strings.Replace(text, strings.Repeat(good, 6), strings.Repeat(`{"context": [1], "multi_turns": [{"input": "q", "answer": 1}]}`+"\n", 6), 1)
		case "choiceeng":
			text = strings.Replace(text, strings.Repeat(good, 6), strings.Repeat(`{"context": "c", "multi_turns": [{"input": "q", "answer": "a", "options": ["a", "b"]}]}`+"\n", 6), 1)
		case "repoqa":
			text = strings.Replace(text, strings.Repeat(good, 6), strings.Repeat(`{"context": "c", "lang": "go", "repo": "r", "multi_turns": [{"input": "q", "answer": "a"}]}`+"\n", 6), 1)
		case "repoqaandkv":
			text = strings.Replace(text, strings.Repeat(good, 6), strings.Repeat(`{"context": "c", "multi_turns": [{"input": "q", "answer": "a", "task": "scbench_kv"}]}`+"\n", 6), 1)
		}
		_, _, err := importText(t, c.task, "kv.jsonl", text)
		if err == nil {
			t.Errorf("%s passes", c.row)
			continue
		}
		msg := err.Error()
		if strings.Contains(msg, "set.parquet") || !strings.Contains(msg, "kv.jsonl: row 7: "+c.want) || !strings.HasSuffix(msg, "; fix the row or re-download the file") {
			t.Errorf("want … row 7: %s …, have %s", c.want, msg)
		}
	}
}

// TestImportParquetErrors checks that a Parquet row of the wrong type is told in the same words.
func TestImportParquetErrors(t *testing.T) {
	type turn struct {
		Input  string `parquet:"input"`
		Answer int64  `parquet:"answer"`
	}
	type row struct {
		Context string `parquet:"context"`
		Turns   []turn `parquet:"multi_turns,list"`
	}
	_, _, err := importText(t, "kv", "kv.parquet", string(parquetOf(t, row{"c", []turn{{"q", 1}}})))
	if err == nil || !strings.Contains(err.Error(), "kv.parquet: row 1: field multi_turns[0].answer: want string or list of strings, have number 1; fix") {
		t.Error(err)
	}
	type delta struct {
		Context string `parquet:"context,delta"`
	}
	_, _, err = importText(t, "kv", "kv.parquet", string(parquetOf(t, delta{"c"})))
	if err == nil || !strings.Contains(err.Error(), "column context: page 1: encoding DELTA_BYTE_ARRAY is not read; rewrite the file with PLAIN") {
		t.Error(err)
	}
}

// TestImportWrongFiles hands over what people hand over.
func TestImportWrongFiles(t *testing.T) {
	for text, want := range map[string]string{
		"\x80\x02}q\x00":   "a Python pickle; pickles can run any code and are never read",
		"PK\x03\x04....":   "a zip archive",
		"\x1f\x8b\x08....": "gzip-compressed; decompress it with gunzip",
		"version https://git-lfs.github.com/spec/v1\noid sha256:00\n": "a Git LFS pointer and not the data; fetch the data with git lfs pull",
		"<!DOCTYPE html><html>":           "a web page and not the data",
		"  <HTML>":                        "a web page and not the data",
		`[{"context": "c"}]`:              "one JSON array; write one object a line",
		"":                                "the file is empty",
		" \n \n":                          "the file is empty",
		"id,context\n1,c\n":               "neither Parquet nor JSON lines",
		"\xef\xbb\xbf{\"a\": 1}":          "byte order mark",
		"\xff\xfe{\x00":                   "UTF-16",
		"ARROW1\x00\x00":                  "an Arrow IPC file",
		"PAR1":                            "the file is cut off",
		"PAR1" + string(make([]byte, 20)): "does not begin and end with PAR1",
	} {
		_, _, err := importText(t, "kv", "kv.jsonl", text)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "kv.jsonl") {
			t.Errorf("%q: want %q, have %v", text, want, err)
		}
	}
	out := filepath.Join(t.TempDir(), "o")
	for want, paths := range map[string][]string{
		"no file is named":   nil,
		"not a regular file": {t.TempDir()},
		"no such file":       {"/nowhere/kv.jsonl"},
	} {
		if _, err := Import(context.Background(), Task{Name: "kv"}, paths, out, Counter{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	if _, err := Import(context.Background(), Task{Name: "unheard"}, []string{"x"}, out, Counter{}); err == nil || !strings.Contains(err.Error(), "no published data") {
		t.Error(err)
	}
}

// TestImportMany numbers the rows of two files through and records both as the source.
func TestImportMany(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for _, name := range []string{"b.jsonl", "a.jsonl"} {
		paths = append(paths, filepath.Join(dir, name))
		row := fmt.Sprintf(`{"context": %q, "multi_turns": [{"input": "q", "answer": "a"}]}`, name)
		if err := os.WriteFile(paths[len(paths)-1], []byte(row), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "out.parquet")
	imported, err := Import(context.Background(), Task{Name: "kv"}, paths, out, Counter{Hash: "h", Count: func(s string) int { return 42 }})
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := readAll(t, out)
	if len(rows) != 2 || rows[1].Example.ID != "1" || rows[1].Example.Context != "a.jsonl" || rows[0].Tokens != 42 || imported.Tokenizer != "h" {
		t.Errorf("%+v %+v", rows, imported)
	}
	if s := strings.Split(imported.Source, ", "); len(s) != 2 || !strings.HasPrefix(s[0], "b.jsonl ") || len(s[0]) != len("b.jsonl ")+64 {
		t.Error(imported.Source)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	gone := filepath.Join(t.TempDir(), "x")
	if _, err := Import(ctx, Task{Name: "kv"}, paths, gone, Counter{}); err == nil {
		t.Error("a cancelled import succeeds")
	}
	wantEmpty(t, filepath.Dir(gone))
}

// TestLongLine reads a line that no buffer holds at once.
func TestLongLine(t *testing.T) {
	text := strings.Repeat("词", 3<<20)
	rows, _, err := importText(t, "qachn", "qa.jsonl", `{"context": "`+text+`", "multi_turns": [{"input": "q", "answer": "a"}]}`)
	if err != nil || len(rows) != 1 || rows[0].Example.Context != text {
		t.Error(len(rows), err)
	}
}
