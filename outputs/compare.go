package outputs

import (
	"fmt"
	"math"

	"scbench/outputs/stats"
)

// CompareOptions say what is compared with what.
type CompareOptions struct {
	Baseline string  // method of A that all others are compared with; empty: each method of B with the same one of A
	Strict   bool    // published scoring
	Alpha    float64 // level of tests, such as 0.05
	Level    float64 // of intervals, such as 0.95
}

// Line is a comparison over the queries that two cells share. Differences are B less A.
type Line struct {
	Mode     Mode           `json:"mode"`
	History  History        `json:"history"`
	Task     string         `json:"task"` // empty: over the skills, each the mean of its tasks
	MethodA  string         `json:"method_a"`
	MethodB  string         `json:"method_b"`
	N        int            `json:"n"`        // pairs of queries
	Sessions int            `json:"sessions"` // that they come from
	A        float64        `json:"a"`        // scores over the pairs, failures 0
	B        float64        `json:"b"`
	Diff     stats.Interval `json:"diff"`
	Least    float64        `json:"least"` // the difference, had the failures of A scored 1
	Most     float64        `json:"most"`  // and had those of B
	FailedA  int            `json:"failed_a"`
	FailedB  int            `json:"failed_b"`
	Better   int            `json:"better"` // pairs whose score rises
	Worse    int            `json:"worse"`
	Changed  int            `json:"changed"` // pairs whose prediction is another text
	McNemar  float64        `json:"mcnemar"` // exact p-value; NaN where scores are not 0 or 1
	P        float64        `json:"p"`       // sign flips of sessions, two-sided
	Less     float64        `json:"p_less"`  // of B being worse
	Holm     float64        `json:"p_holm"`  // P adjusted over the lines
	HolmLess float64        `json:"p_holm_less"`
	Smallest float64        `json:"smallest"` // difference found with power 0.8 at Alpha, before Holm; NaN: none would be
}

// Comparison is a table of lines and what had to be left out of it.
type Comparison struct {
	Options CompareOptions `json:"-"`
	Lines   []Line         `json:"lines"`
	Notes   []string       `json:"notes"`
	Missing int            `json:"missing"` // queries of A's compared cells that B does not have
	Asked   int            `json:"asked"`   // queries of A's compared cells
}

// power is that of the smallest effect shown.
const power = 0.8

// Compare pairs the queries of two runs, which may be the same one, by task, example, turn, mode and history, where both asked the
// same: of the same data the same answers, or the same prompt to the token. The error says why there is no pair.
func Compare(a, b *Scores, o CompareOptions) (Comparison, error) {
	out := Comparison{Options: o}
	pairs, err := a.partners(b, o.Baseline)
	if err != nil {
		return out, err
	}
	type group struct {
		mode    Mode
		history History
		a, b    string
	}
	var order []group
	groups := map[group][]*matched{}
	for _, p := range pairs {
		m, why := match(p[0], p[1], o.Strict)
		out.Asked += len(p[0].queries)
		out.Missing += len(p[0].queries) - m.shared
		if why != "" {
			out.Notes = append(out.Notes, why)
		}
		if m.n() == 0 {
			continue
		}
		g := group{m.a.mode, m.a.history, m.a.method, m.b.method}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], m)
	}
	out.Notes = distinct(out.Notes)
	if len(order) == 0 {
		return out, fmt.Errorf("outputs: the runs share no queries: %s", whyNone(out.Notes))
	}
	for _, g := range order {
		var lines []Line
		for _, m := range groups[g] {
			lines = append(lines, m.line(o))
		}
		out.Lines = append(out.Lines, lines...)
		if len(lines) > 1 {
			out.Lines = append(out.Lines, overallLine(groups[g], lines, o))
		}
	}
	out.adjust()
	return out, nil
}

// adjust fills in Holm's p-values, over all lines.
func (c *Comparison) adjust() {
	var two, less []float64
	for _, l := range c.Lines {
		two, less = append(two, l.P), append(less, l.Less)
	}
	two, less = stats.Holm(two), stats.Holm(less)
	for i := range c.Lines {
		c.Lines[i].Holm, c.Lines[i].HolmLess = two[i], less[i]
	}
}

// line is the comparison of one task.
func (m *matched) line(o CompareOptions) Line {
	l := Line{Mode: m.a.mode, History: m.a.history, Task: m.a.task, MethodA: m.a.method, MethodB: m.b.method, N: m.n(),
		FailedA: m.failedA, FailedB: m.failedB, Better: m.better, Worse: m.worse, Changed: m.changed, McNemar: math.NaN()}
	st := m.layout.score()
	l.Diff = m.diff.Intervals(m.a.seed(), o.Level, differenceRange, st)[0]
	l.Sessions = l.Diff.Clusters
	l.A, _ = m.scoreA.Value(st)
	l.B, _ = m.scoreB.Value(st)
	l.Least, _ = m.least.Value(st)
	l.Most, _ = m.most.Value(st)
	if m.binary {
		l.McNemar = stats.McNemar(m.better, m.worse)
	}
	l.P, l.Less = stats.SignFlip(m.a.seed(), m.diff.Contributions(st))
	se, k := m.diff.StandardError(st)
	l.Smallest = smallest(se, k, o.Alpha)
	return l
}

func smallest(se float64, clusters int, alpha float64) float64 {
	if d, ok := stats.Smallest(power, se, clusters, alpha); ok && d <= 1 {
		return d
	}
	return math.NaN()
}

// overallLine is the comparison over the skills. Sessions of different tasks are independent.
func overallLine(cells []*matched, lines []Line, o CompareOptions) Line {
	out := Line{Mode: lines[0].Mode, History: lines[0].History, MethodA: lines[0].MethodA, MethodB: lines[0].MethodB, McNemar: math.NaN()}
	var skills []string
	var diffs []stats.Interval
	for i, l := range lines {
		skills, diffs = append(skills, cells[i].a.skillOrTask()), append(diffs, l.Diff)
	}
	weights := skillWeights(skills)
	var contributions []float64
	variance, binary := 0.0, true
	for i, l := range lines {
		w, st := weights[i], cells[i].layout.score()
		out.A, out.B, out.Least, out.Most = out.A+w*l.A, out.B+w*l.B, out.Least+w*l.Least, out.Most+w*l.Most
		out.N, out.Sessions, out.FailedA, out.FailedB = out.N+l.N, out.Sessions+l.Sessions, out.FailedA+l.FailedA, out.FailedB+l.FailedB
		out.Better, out.Worse, out.Changed = out.Better+l.Better, out.Worse+l.Worse, out.Changed+l.Changed
		binary = binary && cells[i].binary
		for _, c := range cells[i].diff.Contributions(st) {
			contributions = append(contributions, w*c)
		}
		se, _ := cells[i].diff.StandardError(st)
		variance += w * w * se * se
	}
	out.Diff = stats.Mix(o.Level, differenceRange, weights, diffs)
	if binary {
		out.McNemar = stats.McNemar(out.Better, out.Worse)
	}
	out.P, out.Less = stats.SignFlip(cells[0].a.seed(), contributions)
	out.Smallest = smallest(math.Sqrt(variance), out.Sessions-len(lines)+1, o.Alpha)
	return out
}
