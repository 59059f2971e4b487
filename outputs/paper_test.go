package outputs

import (
	"math"
	"strings"
	"testing"
)

// mixedRows are two tasks of two skills; the sessions of the first have 2 and 3 turns, and the second asks two subtasks in turn. Strict scores
// are half the fixed ones.
func mixedRows() []Result {
	rows := []Result{
		scored("a", "", 1, 1), scored("a", "", 1, 1), scored("a", "", 2, 1), scored("a", "", 2, 0), scored("a", "", 3, 0),
		scored("b", "x", 1, 1), scored("b", "y", 2, 0), scored("b", "x", 3, 0.5), scored("b", "y", 3, 1),
	}
	for i := range rows {
		rows[i].Skill = map[string]string{"a": "string retrieval", "b": "multi-tasking"}[rows[i].Task]
	}
	return rows
}

func TestPaper(t *testing.T) {
	cells := Summarize(mixedRows()).Cells
	near(t, "a, mean of turns", (1+0.5+0)/3/2)(cells[0].Paper())
	near(t, "b, mean of subtasks of turns", ((1+0.5)/2+(0.0+1)/2)/2/2)(cells[1].Paper())
	near(t, "AVG", (0.25+0.3125)/2)(overSkills(cells, Cell.Paper))
	requests := mixedRows()
	for i := range requests {
		requests[i].Mode, requests[i].History = MultiRequest, NoHistory
	}
	near(t, "a, mean over queries", 3.0/5/2)(Summarize(requests).Cells[0].Paper())
	near(t, "nothing", math.NaN())(Cell{Mode: MultiTurn}.Paper())

	var b strings.Builder
	if err := Summarize(mixedRows()).Paper(&b, TableOptions{}); err != nil {
		t.Fatal(err)
	}
	want := `multi-turn, gold history
method     a     b  string retrieval  multi-tasking   AVG
full    25.0  31.2              25.0           31.2  28.1

task  method    turn 1    turn 2    turn 3
a     full    50.0 (2)  25.0 (2)   0.0 (1)
b x   full    50.0 (1)         –  25.0 (1)
b y   full           –   0.0 (1)  50.0 (1)

`
	if got := b.String(); !strings.HasPrefix(got, want) || !strings.Contains(got, "the mean of the skills") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDetails(t *testing.T) {
	rows := mixedRows()
	rows[2].Evidence, rows[3].Evidence = EvidenceKept, EvidenceCut
	show := func(rows []Result, width int) string {
		var b strings.Builder
		if err := Summarize(rows).Details(&b, TableOptions{Width: width}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := `multi-turn, gold history
task  method       all  answerable      cut     turn 1    turn 2     turn 3
a     full    60.0 (5)    75.0 (4)  0.0 (1)  100.0 (2)  50.0 (2)    0.0 (1)
b x   full    75.0 (2)    75.0 (2)        –  100.0 (1)         –   50.0 (1)
b y   full    50.0 (2)    50.0 (2)        –          –   0.0 (1)  100.0 (1)

`
	if got := show(rows, 0); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	near(t, "answerable", 0.75)(Summarize(rows).Cells[0].Answerable())
	if got := table(t, Summarize(rows), TableOptions{Width: 200}); !strings.Contains(got, "answerable  cut") || !strings.Contains(got, cutDefinition) {
		t.Errorf("the table does not tell of cut evidence:\n%s", got)
	}
	if got := show(mixedRows(), 40); strings.Contains(got, "cut ") || strings.Count(got, "task  method") < 2 {
		t.Errorf("a narrow table:\n%s", got)
	}
	for _, line := range strings.Split(show(rows, 40), "\n") {
		if !strings.Contains(line, " ") || len([]rune(line)) <= 40 {
			continue
		}
		t.Errorf("%q is wider than asked for", line)
	}
	if got := show(nil, 0); got != "no results\n" {
		t.Errorf("of nothing: %q", got)
	}
}
