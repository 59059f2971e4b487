package datasets

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scbench/datasets/metric"
)

// library is the source tree of the Go standard library.
func library(t testing.TB) string {
	dir := filepath.Join(runtime.GOROOT(), "src")
	if _, err := os.Stat(filepath.Join(dir, "strings")); err != nil {
		t.Skip("no GOROOT with sources")
	}
	return dir
}

// TestReposOfTheLibrary builds twenty sessions from a part of the standard library: each function scores 1 for its own description and its neighbours
// score 0, descriptions do not name it, its comment is gone, and the length is right.
func TestReposOfTheLibrary(t *testing.T) {
	p, err := OpenRepos(filepath.Join(library(t), "net"))
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "set.parquet")
	prov, err := Build(context.Background(), p.Task(), BuildOptions{Profile: "8k", Seed: 3, Examples: 20, Source: p.Source}, out)
	if err != nil {
		t.Fatal(err)
	}
	if prov.Source != p.Source || !strings.HasPrefix(p.Source, "net ") {
		t.Errorf("source %q", prov.Source)
	}
	rows, _ := readAll(t, out)
	if len(rows) != 20 {
		t.Fatalf("%d sessions", len(rows))
	}
	neighbours := 0
	for _, row := range rows {
		e := row.Example
		if len(e.Turns) != 5 || abs(row.Tokens-8<<10)*50 > 8<<10 {
			t.Errorf("%s: %d turns, %d tokens", e.ID, len(e.Turns), row.Tokens)
		}
		for _, turn := range e.Turns {
			neighbours += judgeFunction(t, e, turn)
		}
	}
	if neighbours < 100 {
		t.Errorf("%d neighbours of 100 functions", neighbours)
	}
}

// judgeFunction checks a turn and returns how many neighbours it has.
func judgeFunction(t *testing.T, e Example, turn Turn) int {
	t.Helper()
	gold, pool := turn.Answers[0], poolOf(turn)
	if e.Context[turn.Evidence[0].Lo:turn.Evidence[0].Hi] != gold {
		t.Errorf("%s: the evidence is not %s", e.ID, gold)
	}
	if got := RepoQA.Score("```"+pool.Lang+"\n"+gold+"\n```", turn); got != (metric.Scores{Strict: 1, Fixed: 1}) {
		t.Errorf("%s: %v for %s", e.ID, got, gold)
	}
	for _, other := range pool.Others {
		if got := RepoQA.Score(other, turn).Fixed; got != 0 {
			t.Errorf("%s: a neighbour scores %v: %s", e.ID, got, other)
		}
	}
	fs := metric.Functions(gold, pool.Lang)
	if len(fs) == 0 || fs[0].Lo != 0 {
		t.Fatalf("%s: no function: %s", e.ID, gold)
	}
	for word := range strings.FieldsFuncSeq(turn.Input, func(c rune) bool { return c < 0x80 && !wordByte(string(c), 0) }) {
		if word == fs[0].Name && !strings.Contains("Repeat the function that fits exactly as it stands in the code in a block between lines of Description of a function", word) {
			t.Errorf("%s: %s is named: %s", e.ID, fs[0].Name, turn.Input)
		}
	}
	return len(pool.Others)
}

// documentedSources are files whose one documented function is to be found, with the description it must have.
var documentedSources = []struct{ file, text, want string }{
	{"a.go", "package p\n\n// Add adds two numbers that Add and Adder get, with care.\n//\n//go:noinline\nfunc Add(a, b int) int {\n\tc := a\n\tc += b\n\treturn c\n}\n", "the function adds two numbers that the function and Adder get, with care."},
	{"a.py", "class A:\n    @x\n    def get(self,\n            a: int) -> dict:\n        \"\"\"Gives what get\n        finds under a key.\n        \"\"\"\n        b = a\n        c = b\n        return c\n", "Gives what the function finds under a key."},
	{"A.java", "class A {\n    /**\n     * Doubles a number, {@code twice} does, very carefully.\n     */\n    @Deprecated\n    int twice(int a) {\n        int b = a;\n        return 2 * b;\n    }\n}\n", "Doubles a number, {@code the function} does, very carefully."},
	{"a.ts", "/** Joins all the names with a comma between. */\nexport function join(a: string[]) {\n  const b = a;\n  const c = b;\n  return c.join(',');\n}\n", "Joins all the names with a comma between."},
	{"a.rs", "/// Takes the larger of the two values.\n/// Ties go left.\n#[inline]\npub fn upper(a: u8, b: u8) -> u8 {\n    if a < b {\n        return b;\n    }\n    a\n}\n", "Takes the larger of the two values. Ties go left."},
	{"a.cpp", "int z = 0; /* no */\nint none(int a) {\n  a++;\n  a++;\n  return a;\n}\n// Sums what lies between the two iterators.\ntemplate <class T>\nint sum(T a, T b) {\n  int s = 0;\n  for (; a != b; ++a) s += *a;\n  return s;\n}\n", "Sums what lies between the two iterators."},
}

func TestDocumented(t *testing.T) {
	for _, c := range documentedSources {
		lang := sourceExtensions[filepath.Ext(c.file)]
		f := sourceFile{c.file, lang, c.text, metric.Functions(c.text, lang)}
		all := f.documented()
		if len(all) != 1 {
			t.Errorf("%s: %d documented functions", c.file, len(all))
			continue
		}
		if all[0].description != c.want {
			t.Errorf("%s: %q, want %q", c.file, all[0].description, c.want)
		}
		var w stretchWriter
		w.spans = make([]Span, 1)
		w.file(0, &f, []chosenFunction{{all[0], 0}})
		text := w.text.String()
		if source := text[w.spans[0].Lo:w.spans[0].Hi]; source != f.without(all[0].Function, all[0].doc) || strings.Contains(text, strings.Fields(c.want)[len(strings.Fields(c.want))-2]+" "+strings.Fields(c.want)[len(strings.Fields(c.want))-1]) {
			t.Errorf("%s: the comment is still there, or the function elsewhere: %s", c.file, text)
		}
	}
}

// TestReposCount counts languages, passes over what is not to be read, and is the same twice.
func TestReposCount(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenRepos(dir); err == nil || !strings.Contains(err.Error(), "no documented function was found in files of python, java") {
		t.Error(err)
	}
	if _, err := OpenRepos(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that does not exist passes")
	}
	for _, c := range documentedSources {
		put(c.file, c.text)
		put("vendor/"+c.file, c.text)
		put(".git/"+c.file, c.text)
	}
	put("bad.go", "package p\n\xff")
	put("empty.go", "")
	put("notes.txt", "func a() {}")
	put("large.go", strings.Repeat("// large\n", maxSource/9+1))
	p, err := OpenRepos(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range p.Found {
		if l.Files != 1 || l.Documented != 1 || l.Functions != 1+strings.Count(l.Name, "cpp") {
			t.Errorf("%+v", l)
		}
	}
	again, err := OpenRepos(dir)
	if err != nil || again.Source != p.Source {
		t.Error(again, err)
	}
	if _, err := p.Task().Build(seeded(1), Size{Tokens: 1000}); err == nil || !strings.Contains(err.Error(), "name a larger folder") {
		t.Error(err)
	}
}

func TestReposSameSeedSameExample(t *testing.T) {
	p, err := OpenRepos(filepath.Join(library(t), "strings"))
	if err != nil {
		t.Fatal(err)
	}
	build := func(seed uint64) Example {
		e, err := p.Task().Build(seeded(seed), Size{Tokens: 6000, Turns: 3, Dials: Dials{Depth: [2]float64{0.5, 1}}})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	a := build(1)
	if diff := cmp.Diff(a, build(1)); diff != "" {
		t.Error(diff)
	}
	if a.Context == build(2).Context {
		t.Error("another seed gives the same context")
	}
	for _, turn := range a.Turns {
		if turn.Evidence[0].Lo < len(a.Context)*2/5 {
			t.Errorf("the evidence stands at %d of %d", turn.Evidence[0].Lo, len(a.Context))
		}
	}
}
