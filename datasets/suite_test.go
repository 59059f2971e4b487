package datasets

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scbench/datasets/metric"
)

// suite has one line for each task. solve answers a turn from what the model is shown, knowing the format but not the gold; the
// suite compares the two.
var suite = []struct {
	task      Task
	turns     int                                   // of the published rows
	solve     func(context, question string) string // of the published format
	solveMini func(context, question string) string
	wrong     string // an answer that is worth nothing
}{
	{KV, 5, solveKV, solveKV, "I do not know."},
	{PrefixSuffix, 5, solvePrefixSuffix, solvePrefixSuffixMini, "I do not know."},
	{VT, 5, solveVT, solveVT, "XXXXX zebra37"},
	{RepoQA, 5, solveRepoQA, solveRepoMini, "I do not know."},
	{QAEng, 5, readEnglish.solve, solveQAMini, "I do not know."},
	{QAChn, 5, readChinese.solve, nil, "不知道。"},
	{ChoiceEng, 4, readEnglish.solve, solveQAMini, "I do not know."},
	{MF, 6, solveMF, solveMF, "none"},
	{ManyShot, 5, solveManyShot, solveManyShotMini, "none"},
	{Summary, 5, solveSummary, solveSections, "none"},
	{SummaryWithNeedles, 8, solveSummaryNeedles, solveSummaryNeedles, "none"},
	{RepoQAAndKV, 8, solveRepoQA, solveRepoMini, "I do not know."},
	{PassKey, 5, solvePassKey, solvePassKey, "I do not know."},
	{KVCompressible, 5, solveKVCompressible, nil, "I do not know."},
	{HashHop, 5, solveHashHop, nil, "I do not know."},
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// split counts as the reference model's tokenizer cuts before it merges, and each character that is not ASCII for itself: far fewer bytes a
// token than four.
func split(text string) int {
	n := len(splitter.FindAllStringIndex(text, -1))
	for _, c := range text {
		if c >= utf8.RuneSelf {
			n++
		}
	}
	return n
}

var splitter = regexp.MustCompile(`-?(?:[0-9][0-9a-f]|[a-f][0-9])|[0-9]| ?[A-Za-z]+| ?[^ \t\r\nA-Za-z0-9]+(?: [^ \t\r\nA-Za-z0-9]+)*|[\r\n]+|[ \t]+`)

// maker is one way to make an example of a task.
type maker struct {
	name  string
	make  func(*rand.Rand, Size) (Example, error)
	solve func(context, question string) string
}

// each runs f for both formats of every task.
func each(t *testing.T, f func(t *testing.T, task Task, m maker, wrong string)) {
	for _, s := range suite {
		for _, m := range []maker{{"published", s.task.Build, s.solve}, {"mini", s.task.Mini, s.solveMini}} {
			if m.make != nil {
				t.Run(s.task.Name+"/"+m.name, func(t *testing.T) { f(t, s.task, m, s.wrong) })
			}
		}
	}
}

func make1(t testing.TB, m maker, seed uint64, s Size) Example {
	t.Helper()
	e, err := m.make(seeded(seed), s)
	if err != nil {
		t.Fatalf("seed %d, %d tokens, %d turns: %v", seed, s.Tokens, s.Turns, err)
	}
	return e
}

func TestSuiteHasEveryTask(t *testing.T) {
	var tested, listed, declared []string
	for _, s := range suite {
		tested = append(tested, s.task.Name)
	}
	for _, task := range All {
		listed = append(listed, task.Name)
	}
	if diff := cmp.Diff(listed, tested); diff != "" {
		t.Errorf("All and the suite differ:\n%s", diff)
	}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
				if l, ok := v.Values[0].(*ast.CompositeLit); ok && fmt.Sprint(l.Type) == "Task" {
					declared = append(declared, strings.ToLower(v.Names[0].Name))
				}
			}
			return true
		})
	}
	slices.Sort(declared)
	slices.Sort(listed)
	if diff := cmp.Diff(declared, listed); diff != "" {
		t.Errorf("tasks declared and listed in All differ:\n%s", diff)
	}
}

func TestTaskIsWhole(t *testing.T) {
	for _, task := range All {
		if task.Name == "" || task.Paper == "" || task.Doc == "" || task.Skill == "" {
			t.Errorf("%q lacks a name, the paper's name, a doc or a skill", task.Name)
		}
		if task.Context == nil || task.Query == nil || task.Gold == nil || task.MaxTokens == nil || task.Score == nil {
			t.Errorf("%s lacks a function", task.Name)
		}
		for _, name := range []string{task.Name, "scbench_" + task.Name} {
			if got, err := Find(name); err != nil || got.Name != task.Name {
				t.Errorf("Find(%q) = %q, %v", name, got.Name, err)
			}
		}
	}
	for _, name := range []string{"prefixsuffix", "prefix_suffix", "scbench_prefix_suffix"} {
		if got, err := Find(name); err != nil || got.Name != "prefixsuffix" {
			t.Errorf("Find(%q) = %q, %v", name, got.Name, err)
		}
	}
	if _, err := Find("nosuch"); err == nil || !strings.Contains(err.Error(), "kv, prefixsuffix, vt, ") {
		t.Errorf("Find of an unknown task: %v; it should list the names", err)
	}
}

// TestExamples solves every turn without the gold, and checks the marks of the answer, the scores and the budget.
func TestExamples(t *testing.T) {
	each(t, func(t *testing.T, task Task, m maker, wrong string) {
		rapid.Check(t, func(rt *rapid.T) {
			s := Size{Tokens: rapid.IntRange(1200, 3000).Draw(rt, "tokens"), Turns: rapid.IntRange(0, 6).Draw(rt, "turns")}
			if rapid.Bool().Draw(rt, "split") {
				s.Count = split
			}
			seed := rapid.Uint64().Draw(rt, "seed")
			e, err := m.make(seeded(seed), s)
			if err != nil {
				rt.Fatal(err)
			}
			if e.Task != task.Name || (e.Profile == MiniProfile) != (m.name == "mini") || e.ID != "" {
				rt.Fatalf("task %q, profile %q, id %q", e.Task, e.Profile, e.ID)
			}
			if n := len(e.Turns); n == 0 || s.Turns > 0 && n > s.Turns {
				rt.Fatalf("%d turns, %d asked for", n, s.Turns)
			}
			asked := map[string]bool{}
			for i, turn := range e.Turns {
				q := task.Query(e, i)
				if asked[q] {
					rt.Fatalf("asked twice: %s", q)
				}
				asked[q] = true
				judgeTurn(rt, task, e, turn, m.solve(task.Context(e), q), wrong)
			}
		})
	})
}

// strictFails tells whether the published scorer is known not to give gold its due: Zh.QA's, and En.MultiChoice's where it meets "kitchen (C)".
func strictFails(task Task, e Example) bool {
	return task.Name == "qachn" || task.Name == "choiceeng" && e.Profile == MiniProfile
}

func judgeTurn(t rapid.TB, task Task, e Example, turn Turn, solved, wrong string) {
	if gold := task.Gold(turn); solved != gold {
		t.Fatalf("%s: the context says %q, gold is %q", turn.Input, solved, gold)
	}
	got := task.Score(task.Gold(turn), turn)
	if strict := got.Strict == 1 || strictFails(task, e); got.Fixed != 1 || !strict {
		t.Fatalf("gold %q scores %v", task.Gold(turn), got)
	}
	if got := task.Score("", turn); got != (metric.Scores{}) {
		t.Fatalf("the empty answer scores %v", got)
	}
	if got := task.Score(wrong, turn); got != (metric.Scores{}) {
		t.Fatalf("%q scores %v", wrong, got)
	}
	var marked strings.Builder
	for _, sp := range turn.Evidence {
		marked.WriteString(e.Context[sp.Lo:sp.Hi])
	}
	for _, a := range turn.Answers {
		for part := range strings.FieldsFuncSeq(strings.ToLower(a), func(c rune) bool { return c == '.' || c == '\n' }) { // sentences, items
			if part = strings.TrimSpace(part); !strings.Contains(strings.ToLower(marked.String()), part) {
				t.Fatalf("%s: the evidence %q has no %q", turn.Input, marked.String(), part)
			}
		}
	}
	if need := split(task.Gold(turn)); e.Profile == MiniProfile && need >= task.MaxTokens(turn) {
		t.Fatalf("an answer of %d tokens and its end do not fit %d", need, task.MaxTokens(turn))
	}
}

// TestLongExamples solves examples as long as benchmarks have them, where names, numbers and sentences run short and an answer may stop being the only one.
func TestLongExamples(t *testing.T) {
	each(t, func(t *testing.T, task Task, m maker, wrong string) {
		if m.name == "mini" {
			return // the embedded model reads no such lengths
		}
		for _, tokens := range []int{4 << 10, 32 << 10, 128 << 10} {
			e := make1(t, m, uint64(tokens), Size{Tokens: tokens})
			for i, turn := range e.Turns {
				judgeTurn(t, task, e, turn, m.solve(task.Context(e), task.Query(e, i)), wrong)
			}
		}
	})
}

func TestSameSeedSameExample(t *testing.T) {
	each(t, func(t *testing.T, _ Task, m maker, _ string) {
		size := Size{Tokens: 4096}
		a := make1(t, m, 7, size)
		if diff := cmp.Diff(a, make1(t, m, 7, size)); diff != "" {
			t.Errorf("the same seed gives another example:\n%s", diff)
		}
		if b := make1(t, m, 8, size); a.Context == b.Context || cmp.Equal(a.Turns, b.Turns) {
			t.Error("another seed gives the same context or the same turns")
		}
	})
}

func TestLength(t *testing.T) {
	each(t, func(t *testing.T, _ Task, m maker, _ string) {
		for name, count := range map[string]func(string) int{"bytes": nil, "split": split} {
			for want, seeds := range map[int]uint64{1 << 10: 8, 4 << 10: 3, 32 << 10: 1, 128 << 10: 1} {
				for seed := range seeds {
					s := Size{Tokens: want, Turns: 5, Count: count}
					got := s.count(make1(t, m, seed, s).Context)
					if abs(got-want)*50 > want {
						t.Errorf("%s: %d tokens, not %d", name, got, want)
					}
				}
			}
		}
	})
}

func TestMillionTokens(t *testing.T) {
	each(t, func(t *testing.T, _ Task, m maker, _ string) {
		e := make1(t, m, 1, Size{Tokens: 1 << 20})
		if got := len(e.Context) / 4; abs(got-1<<20)*20 > 1<<20 {
			t.Errorf("%d tokens", got)
		}
	})
}

func TestSizeThatCannotBe(t *testing.T) {
	each(t, func(t *testing.T, _ Task, m maker, _ string) {
		bad := []Size{{Tokens: -1}, {Tokens: maxTokens + 1}, {Tokens: 1000, Turns: -1}, {Tokens: 1000, Turns: maxTurns + 1},
			{Tokens: 4}, {Tokens: 1000, Count: func(string) int { return 0 }}}
		if m.name == "mini" {
			bad = append(bad, Published)
		}
		for _, s := range bad {
			if e, err := m.make(seeded(1), s); err == nil {
				t.Errorf("%d tokens, %d turns, count %t: no error, %d bytes", s.Tokens, s.Turns, s.Count != nil, len(e.Context))
			}
		}
	})
}

func TestPublishedTurns(t *testing.T) {
	for _, s := range suite {
		if s.task.Build == nil {
			continue
		}
		e, err := s.task.Build(seeded(3), Published)
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Turns) != s.turns {
			t.Errorf("%s: %d turns, %d published", s.task.Name, len(e.Turns), s.turns)
		}
	}
}

// BenchmarkBuild makes published examples of 128 Ki tokens, as the profile 128k does.
func BenchmarkBuild(b *testing.B) {
	for _, s := range suite {
		if s.task.Build == nil {
			continue
		}
		b.Run(s.task.Name, func(b *testing.B) {
			for i := range b.N {
				b.SetBytes(int64(len(make1(b, maker{make: s.task.Build}, uint64(i), Size{Tokens: 128 << 10}).Context)))
			}
		})
	}
}
