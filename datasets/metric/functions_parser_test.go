package metric

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"slices"
	"strings"
	"testing"
)

// checkAgainstParser compares the functions of a Go source with those that go/parser declares.
func checkAgainstParser(t *testing.T, name, text string) {
	t.Helper()
	set := gotoken.NewFileSet()
	f, err := parser.ParseFile(set, name, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want []Function
	for _, d := range f.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && d.Body != nil {
			want = append(want, Function{d.Name.Name, set.Position(d.Pos()).Offset, set.Position(d.End()).Offset})
		}
	}
	if got := Functions(text, "go"); !slices.Equal(got, want) {
		t.Errorf("%s: found %v, the parser %v", name, got, want)
	}
}

func TestRepoQA(t *testing.T) {
	one := "func One(a int) int {\n\tb := a + 1\n\treturn b * 2\n}"
	two := "func Two(c string) string {\n\td := c + \"x\"\n\treturn d\n}"
	like := strings.Replace(one, "a + 1", "a + 3", 1) // 0.8 like it, and not asked for
	pool := Pool{"go", []string{one, two}, []string{like}}
	fenced := func(s string) string { return "Here it is:\n```go\npackage p\n\n" + s + "\n```\nDone." }
	for _, c := range []struct {
		name, answer  string
		strict, fixed float64
	}{
		{"itself", one, 1, 1},
		{"in a block", fenced(one), 1, 1},
		{"in the second block", "```sh\nls\n```\n" + fenced(one), 1, 1},
		{"its neighbour", two, 0, 0},
		{"cut before the block closes", "Sure, here it is, the function that you have asked for in so many words:\n```go\n" + one, 0, 1},
		{"in prose", "The function that you have asked for, in so many words, is this one: \n" + one, 0, 1},
		{"first of two", one + "\n\n" + two, 0, 1},
		{"nothing", "", 0, 0},
		{"blanks", " \n", 0, 0},
		{"a block of nothing", "```\n```", 0, 0},
	} {
		if got := RepoQA(c.answer, one, pool); got != (Scores{c.strict, c.fixed}) {
			t.Errorf("%s: %v, want %v %v", c.name, got, c.strict, c.fixed)
		}
	}
	if got := RepoQA(like, like, Pool{"go", []string{one}, []string{like}}); got.Fixed != 1 {
		t.Error(got)
	}
	near := strings.Replace(one, "func One", "func Won", 1)
	pool.Others = []string{near}
	if BLEU(near, one) < 0.8 {
		near = one + "\n// x"
	}
	if got := RepoQA(near, one, pool); got.Strict < got.Fixed {
		t.Errorf("a function that nobody asks for: %v", got)
	}
	short := "fn a() {}"
	if got := RepoQA(short, short, Pool{"rust", []string{short}, nil}); got != (Scores{0, 1}) {
		t.Errorf("an equal text of three words: %v", got)
	}
}
