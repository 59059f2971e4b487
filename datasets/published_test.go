package datasets

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"
)

func ptr(n int64) *int64 { return &n }

// publishedVectors has one handmade row for each published schema, with every deviation of the specification's section 1.2.
var publishedVectors = []struct {
	task, json string
	want       Example
	unused     []UnusedField
}{
	{"kv", `{"id": 5, "context": "JSON data:\n{\"a\": \"b\"}", "multi_turns": [{"input": "\nKey: \"a\"", "answer": "b"}, {"input": "again", "answer": ["b", "B"]}]}`,
		Example{Context: "JSON data:\n{\"a\": \"b\"}", Turns: []Turn{{Input: "\nKey: \"a\"", Answers: []string{"b"}}, {Input: "again", Answers: []string{"b", "B"}}}},
		[]UnusedField{{"id", 1}}},
	{"prefixsuffix", `{"context": "['ab', 'cd']", "multi_turns": [{"input": "Prefix: a; Suffix: b.", "answer": "ab"}]}`,
		Example{Context: "['ab', 'cd']", Turns: []Turn{{Input: "Prefix: a; Suffix: b.", Answers: []string{"ab"}}}}, nil},
	{"vt", `{"index": 0, "input": "VAR A = 1", "length": 9, "multi_turns": [{"input": "which?", "answer": ["A", "B", "C"]}]}`,
		Example{Context: "VAR A = 1", Turns: []Turn{{Input: "which?", Answers: []string{"A", "B", "C"}}}},
		[]UnusedField{{"index", 1}, {"length", 1}}},
	{"repoqa", `{"id": 1, "context": "def f(): pass", "lang": "python", "repo": "a/b", "multi_turns": [{"input": "it passes", "answer": "def f(): pass", "name": "f", "code_ratio": 0.5, "start_byte": 0}]}`,
		Example{Context: "def f(): pass", Turns: []Turn{{Input: "it passes", Answers: []string{"def f(): pass"}, Options: []string{"```python\ndef f(): pass\n```"}}}},
		[]UnusedField{{"id", 1}, {"multi_turns[].code_ratio", 1}, {"multi_turns[].name", 1}, {"multi_turns[].start_byte", 1}}},
	{"qaeng", `{"id": 1, "context": "a book", "multi_turns": [{"input": "who?", "answer": "nobody"}]}`,
		Example{Context: "a book", Turns: []Turn{{Input: "who?", Answers: []string{"nobody"}}}}, []UnusedField{{"id", 1}}},
	{"qachn", `{"id": 1, "context": "\u4e00\u672c\u4e66 😀", "multi_turns": [{"input": "谁？", "answer": "红色的花"}]}`,
		Example{Context: "一本书 😀", Turns: []Turn{{Input: "谁？", Answers: []string{"红色的花"}}}}, []UnusedField{{"id", 1}}},
	{"choiceeng", `{"id": 1, "context": "a book", "multi_turns": [{"input": "who?", "answer": "Snowfield", "options": ["Rain", "Snowfield", "Sun", "Fog"]}]}`,
		Example{Context: "a book", Turns: []Turn{{Input: "who?", Answers: []string{"Snowfield"}, Options: []string{"Rain", "Snowfield", "Sun", "Fog"}}}},
		[]UnusedField{{"id", 1}}},
	{"mf", `{"id": 1, "context": [3, -14, 159], "multi_turns": [{"input": "The largest number of the list is", "answer": 159}]}`,
		Example{Context: "[3, -14, 159]", Turns: []Turn{{Input: "The largest number of the list is", Answers: []string{"159"}}}}, []UnusedField{{"id", 1}}},
	{"manyshot", `{"id": 1, "task": "date_understanding", "context": "shots", "multi_turns": [{"input": "?", "answer": "A"}]}`,
		Example{Context: "shots", Turns: []Turn{{Input: "?", Answers: []string{"A"}}}}, []UnusedField{{"id", 1}, {"task", 1}}},
	{"summary", `{"id": 1, "context": "papers", "multi_turns": [{"input": "summarise", "answer": "short"}]}`,
		Example{Context: "papers", Turns: []Turn{{Input: "summarise", Answers: []string{"short"}}}}, []UnusedField{{"id", 1}}},
	{"summarywithneedles", `{"id": 1, "context": "papers", "multi_turns": [{"input": "summarise", "answer": "short", "task": "scbench_summary"}, {"input": "key?", "answer": 71432, "task": "scbench_passkey"}, {"input": "key?", "answer": "71432", "task": "scbench_passkey"}]}`,
		Example{Context: "papers", Turns: []Turn{{Input: "summarise", Answers: []string{"short"}, Part: "summary"}, {Input: "key?", Answers: []string{"71432"}, Part: "passkey"}, {Input: "key?", Answers: []string{"71432"}, Part: "passkey"}}},
		[]UnusedField{{"id", 1}}},
	{"repoqaandkv", `{"id": 1, "context": "code", "lang": "go", "repo": "a/b", "multi_turns": [{"input": "f?", "answer": "func f()", "task": "scbench_repoqa", "name": "f"}, {"input": "k?", "answer": "v", "task": "scbench_kv", "name": null}]}`,
		Example{Context: "code", Turns: []Turn{{Input: "f?", Answers: []string{"func f()"}, Options: []string{"```go\nfunc f()\n```"}, Part: "repoqa"}, {Input: "k?", Answers: []string{"v"}, Part: "kv"}}},
		[]UnusedField{{"id", 1}, {"multi_turns[].name", 1}}},
	{"passkey", `{"context": "noise", "multi_turns": [{"input": "key?", "answer": 71432}, {"input": "key?", "answer": "71433"}]}`,
		Example{Context: "noise", Turns: []Turn{{Input: "key?", Answers: []string{"71432"}}, {Input: "key?", Answers: []string{"71433"}}}}, nil},
	{"kvcompressible", `{"context": "lines", "multi_turns": [{"input": "k?", "answer": "v", "task": "half"}, {"input": "l?", "answer": "w"}]}`,
		Example{Context: "lines", Turns: []Turn{{Input: "k?", Answers: []string{"v"}, Part: "half"}, {Input: "l?", Answers: []string{"w"}}}}, nil},
	{"hashhop", `{"context": "a = b", "multi_turns": [{"input": "a?", "answer": "b"}]}`,
		Example{Context: "a = b", Turns: []Turn{{Input: "a?", Answers: []string{"b"}}}}, nil},
}

// TestPublishedCounts compares with the totals that the specification gives.
func TestPublishedCounts(t *testing.T) {
	examples, turns := 0, 0
	for i, k := range publishedTasks[:len(publishedCounts)] { // then come the extra tasks
		n, m := PublishedCounts(k.name)
		if publishedCounts[i].task != k.name || n < 1 || m < n {
			t.Errorf("%s: %d examples, %d turns", k.name, n, m)
		}
		examples, turns = examples+n, turns+m
	}
	if examples != 922 || turns != 5143 {
		t.Errorf("%d examples and %d turns in all, want 922 and 5143", examples, turns)
	}
	if n, m := PublishedCounts("hashhop"); n != 0 || m != 0 {
		t.Error("what is not published has counts")
	}
}

func TestImportPublishedSchemas(t *testing.T) {
	for i, v := range publishedVectors {
		if v.task != publishedTasks[i].name {
			t.Fatalf("vector %d is of %s, want %s", i, v.task, publishedTasks[i].name)
		}
		rows, imported, err := importText(t, v.task, v.task+".jsonl", v.json+"\n\n"+v.json)
		if err != nil {
			t.Errorf("%s: %v", v.task, err)
			continue
		}
		if len(rows) != 2 {
			t.Fatalf("%s: %d rows", v.task, len(rows))
		}
		for j, r := range rows {
			want := v.want
			want.ID, want.Task = fmt.Sprint(j), v.task
			if d := cmp.Diff(Row{j, (len(want.Context) + 3) / 4, want}, r, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s: %s", v.task, d)
			}
		}
		for j := range v.unused {
			v.unused[j].Count *= 2
		}
		if d := cmp.Diff(v.unused, imported.Unused, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: unused fields: %s", v.task, d)
		}
		if want := 2 * len(v.want.Turns); imported.Turns != want {
			t.Errorf("%s: %d turns, want %d", v.task, imported.Turns, want)
		}
		if p := imported.Provenance; p.Profile != "published" || !strings.HasPrefix(p.Source, v.task+".jsonl ") || p.Rows != 2 {
			t.Errorf("%+v", p)
		}
	}
}

type plainTurn struct {
	Input  string `parquet:"input"`
	Answer string `parquet:"answer"`
}

type labelledTurn struct {
	Input  string  `parquet:"input"`
	Answer string  `parquet:"answer,optional"`
	Task   string  `parquet:"task,dict"`
	Name   *string `parquet:"name,optional"`
}

// TestImportParquet imports Parquet files with the published schemas, which have to become the same examples as the JSON lines.
func TestImportParquet(t *testing.T) {
	type kvRow struct {
		ID      int64       `parquet:"id"`
		Context string      `parquet:"context"`
		Turns   []plainTurn `parquet:"multi_turns,list"`
	}
	type vtTurn struct {
		Input  string   `parquet:"input"`
		Answer []string `parquet:"answer,list"`
	}
	type vtRow struct {
		Index  int64    `parquet:"index"`
		Input  *string  `parquet:"input,optional"`
		Length int64    `parquet:"length"`
		Turns  []vtTurn `parquet:"multi_turns,list"`
	}
	type mfTurn struct {
		Input  string `parquet:"input"`
		Answer *int64 `parquet:"answer,optional"`
	}
	type mfRow struct {
		Context []int64  `parquet:"context,list,dict"`
		Turns   []mfTurn `parquet:"multi_turns,list"`
	}
	type choiceTurn struct {
		Input   string   `parquet:"input"`
		Answer  string   `parquet:"answer"`
		Options []string `parquet:"options,list"`
	}
	type choiceRow struct {
		Context string       `parquet:"context"`
		Turns   []choiceTurn `parquet:"multi_turns,list"`
	}
	type codeRow struct {
		Context string      `parquet:"context"`
		Lang    string      `parquet:"lang"`
		Repo    string      `parquet:"repo"`
		Turns   []plainTurn `parquet:"multi_turns,list"`
	}
	type mixedRow struct {
		Context string         `parquet:"context"`
		Lang    string         `parquet:"lang"`
		Repo    string         `parquet:"repo"`
		Turns   []labelledTurn `parquet:"multi_turns,list"`
	}
	vtInput, name := "VAR A = 1", "f"
	for task, file := range map[string][]byte{
		"kv":           parquetOf(t, kvRow{5, "JSON data:\n{\"a\": \"b\"}", []plainTurn{{"\nKey: \"a\"", "b"}, {"again", "b"}}}),
		"prefixsuffix": parquetOf(t, kvRow{5, "['ab', 'cd']", []plainTurn{{"Prefix: a; Suffix: b.", "ab"}}}),
		"repoqa":       parquetOf(t, codeRow{"def f(): pass", "python", "a/b", []plainTurn{{"it passes", "def f(): pass"}}}),
		"qaeng":        parquetOf(t, kvRow{5, "a book", []plainTurn{{"who?", "nobody"}}}),
		"qachn":        parquetOf(t, kvRow{5, "一本书 😀", []plainTurn{{"谁？", "红色的花"}}}),
		"manyshot":     parquetOf(t, kvRow{5, "shots", []plainTurn{{"?", "A"}}}),
		"summary":      parquetOf(t, kvRow{5, "papers", []plainTurn{{"summarise", "short"}}}),
		"vt":           parquetOf(t, vtRow{0, &vtInput, 9, []vtTurn{{"which?", []string{"A", "B", "C"}}}}),
		"mf":           parquetOf(t, mfRow{[]int64{3, -14, 159}, []mfTurn{{"The largest number of the list is", ptr(159)}}}),
		"choiceeng":    parquetOf(t, choiceRow{"a book", []choiceTurn{{"who?", "Snowfield", []string{"Rain", "Snowfield", "Sun", "Fog"}}}}),
		"repoqaandkv":  parquetOf(t, mixedRow{"code", "go", "a/b", []labelledTurn{{"f?", "func f()", "scbench_repoqa", &name}, {"k?", "v", "scbench_kv", nil}}}),
		"summarywithneedles": parquetOf(t, mixedRow{"papers", "", "", []labelledTurn{{"summarise", "short", "scbench_summary", nil},
			{"key?", "71432", "scbench_passkey", nil}, {"key?", "71432", "scbench_passkey", nil}}}),
	} {
		rows, _, err := importText(t, task, "test-00000-of-00001.parquet", string(file))
		if err != nil {
			t.Errorf("%s: %v", task, err)
			continue
		}
		for _, v := range publishedVectors {
			if v.task != task {
				continue
			}
			want := v.want
			want.ID, want.Task = "0", task
			want.Turns = append([]Turn(nil), want.Turns...)
			if task == "kv" {
				want.Turns[1].Answers = []string{"b"} // a column of strings cannot hold a list
			}
			if d := cmp.Diff([]Row{{0, (len(want.Context) + 3) / 4, want}}, rows, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s: %s", task, d)
			}
		}
	}
}

func parquetOf[T any](t *testing.T, rows ...T) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := parquet.NewGenericWriter[T](&buf, parquet.DataPageVersion(1), parquet.Compression(&parquet.Snappy), parquet.DefaultEncodingFor(parquet.ByteArray, &parquet.Plain))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
