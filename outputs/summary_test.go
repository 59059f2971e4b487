package outputs

import (
	"math"
	"os"
	"strings"
	"testing"
)

// scored is a row with a score; a negative one is N/A.
func scored(task, part string, turn int32, score float64) Result {
	r := sampleRow(0, task, 0, MultiTurn, full, turn).Result
	r.Part, r.ScoreStrict, r.ScoreFixed = part, nil, nil
	if score >= 0 {
		r.ScoreFixed, r.ScoreStrict = ptr(score), ptr(score/2)
	}
	return r
}

func near(t *testing.T, what string, want float64) func(float64, bool) {
	return func(got float64, ok bool) {
		t.Helper()
		if ok == math.IsNaN(want) || ok && math.Abs(got-want) > 1e-12 {
			t.Errorf("%s is %v (%v), want %v", what, got, ok, want)
		}
	}
}

func TestMeansAndDecay(t *testing.T) {
	none := math.NaN()
	for _, c := range []struct {
		name          string
		rows          []Result
		fixed, strict float64
		decay         float64
	}{
		{"over queries, not turns", []Result{scored("a", "", 1, 1), scored("a", "", 1, 1), scored("a", "", 2, 0)}, 2.0 / 3, 1.0 / 3, 1},
		{"later turns weigh alike", []Result{scored("a", "", 1, 1), scored("a", "", 2, 1), scored("a", "", 2, 1), scored("a", "", 3, 0)}, 0.75, 0.375, 0.5},
		{"subtasks weigh alike", []Result{scored("a", "x", 1, 1), scored("a", "y", 2, 0), scored("a", "x", 3, 1)}, 0.5, 0.25, 0},
		{"decay within a subtask", []Result{scored("a", "x", 1, 0.8), scored("a", "y", 2, 0), scored("a", "x", 3, 0.6)}, 0.35, 0.175, 0.2},
		{"a score that does not apply", []Result{scored("a", "", 1, 0.5), scored("a", "", 2, -1)}, 0.5, 0.25, none},
		{"no score at all", []Result{scored("a", "", 1, -1)}, none, none, none},
		{"no first turn", []Result{scored("a", "", 2, 1), scored("a", "", 3, 0)}, 0.5, 0.25, none},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Summarize(c.rows)
			if len(s.Cells) != 1 || s.Cells[0].N != len(c.rows) {
				t.Fatalf("cells %+v", s.Cells)
			}
			near(t, "fixed", c.fixed)(s.Cells[0].Fixed())
			near(t, "strict", c.strict)(s.Cells[0].Strict())
			near(t, "decay", c.decay)(s.Cells[0].Decay())
		})
	}
}

func TestFailuresStayInTheDenominator(t *testing.T) {
	failed := scored("a", "", 2, 0)
	failed.Status, failed.KVBytesResident, failed.KeptMean = Failed, 0, 0
	s := Summarize([]Result{scored("a", "", 1, 1), failed})
	c := s.Cells[0]
	if c.N != 2 || c.Failed != 1 || c.Resident.N != 1 {
		t.Errorf("cell %+v", c)
	}
	near(t, "fixed", 0.5)(c.Fixed())
}

func TestMeanOverSkills(t *testing.T) {
	a, b, c := scored("a", "", 1, 1), scored("b", "", 1, 0), scored("c", "", 1, 0)
	a.Skill, b.Skill, c.Skill = "string", "global", "global"
	near(t, "mean over skills", 0.5)(overSkills(Summarize([]Result{a, b, c}).Cells, Cell.Fixed))
	a.Skill, b.Skill, c.Skill = "", "", ""
	near(t, "mean over tasks", 1.0/3)(overSkills(Summarize([]Result{a, b, c}).Cells, Cell.Fixed))
}

func TestLabels(t *testing.T) {
	specs := []string{"full", "snapkv:budget=256,window=32", "snapkv:budget=512,window=32", "minference+quest:page=16", "x\x1b[2Jy:a=1"}
	want := []string{"full", "snapkv budget=256", "snapkv budget=512", "minference+quest", "xy"}
	for i, got := range ShortNames(specs) {
		if got != want[i] {
			t.Errorf("label of %q is %q, want %q", specs[i], got, want[i])
		}
	}
}

func TestTableIsSafeAndPlain(t *testing.T) {
	rows := results(sampleRows([]string{"kv"}, 2, 2))
	for i := range rows {
		rows[i].Task = "evil\x1b]0;t\x07|<b>\u202e"
	}
	got := table(t, Summarize(rows), TableOptions{})
	if strings.ContainsAny(got, "\x1b\x07\u202e") {
		t.Errorf("the table lets control characters through: %q", got)
	}
	var md strings.Builder
	if err := Summarize(rows).Markdown(&md); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(md.String(), `| evil\|&lt;b> |`) {
		t.Errorf("the Markdown is not escaped:\n%s", md.String())
	}
}

func TestColourOnlyOnATerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if colorful(f) || colorful(&strings.Builder{}) {
		t.Error("a file or a buffer is no terminal")
	}
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminal here: ", err)
	}
	defer tty.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if !colorful(tty) {
		t.Error("a terminal was not recognised")
	}
	t.Setenv("NO_COLOR", "1")
	if colorful(tty) {
		t.Error("NO_COLOR was not heeded")
	}
}
