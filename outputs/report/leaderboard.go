package report

import (
	"fmt"
	"math"

	"scbench/outputs"
	"scbench/outputs/stats"
)

// leaderboard ranks methods by their score in each mode, over all tasks, in each skill and in each task.
var leaderboard = section{
	id: "leaderboard", title: "Leaderboard", script: true,
	lead: "Score × 100, with its 95 % interval by bootstrap over sessions (the contexts that questions share; Student's t under 8 of them). ● fixed scoring, ○ strict, " +
		"the published scoring bug for bug. Over several tasks it is the mean over the skills, each the mean of its tasks; a mixed task is the mean of its subtasks. " +
		"Failed queries count 0; where more than 5 % of them failed there is no headline, only what the score could be.",
	data: func(r *Report) any {
		all := r.estimates
		fixed, strict := scorePoints(all)
		withheld := [][3]int{}
		for _, e := range all {
			if e.Withheld() {
				withheld = append(withheld, [3]int{e.mode, e.group, e.method})
			}
		}
		return map[string]any{"fixed": fixed, "strict": strict, "withheld": withheld, "partial": r.partial()}
	},
	tables:  func(r *Report) []Table { return []Table{r.scoreTable()} },
	figures: func(r *Report) []Figure { return r.scoreFigures() },
}

var scoreColumns = []Column{
	{Head: "mode", Doc: "how the questions of a context share it", Chosen: true},
	{Head: "tasks", Doc: "what the score is over", Chosen: true},
	{Head: "method"},
	{Head: "fixed", Doc: "score × 100 as it should be, with its 95 % interval; failures count 0", Number: true, Interval: true},
	{Head: "strict", Doc: "the same under the published scoring", Number: true, Interval: true},
	{Head: "against full", Doc: "fixed score × 100 less that of full attention on the same queries, with its 95 % interval", Number: true, Interval: true},
	{Head: "p", Doc: "that there is no such difference: sign flips of whole sessions, corrected by Holm over all methods, modes and tasks of the report", Number: true},
	{Head: "smallest", Doc: "the difference × 100 that this design would have found with power 0.8 at level 0.05, before Holm's correction", Number: true},
	{Head: "decay", Doc: "score × 100 of turn 1 less the mean of later turns: what a cache made for the first question loses on the next", Number: true, Interval: true},
	{Head: "could be", Doc: "the fixed score had every failed query been right; equal to it without failures", Number: true},
	{Head: "failed", Doc: "queries without an answer to judge: refused, failed or timed out", Number: true},
	{Head: "of tasks", Doc: "tasks that the method was asked, of the chosen ones; compare only methods that were asked the same", Number: true},
	{Head: "n", Doc: "queries, failures included", Number: true},
	{Head: "sessions", Doc: "contexts that they ask about", Number: true},
}

func (r *Report) scoreTable() Table {
	t := Table{Name: "leaderboard", Caption: "Scores by mode, group of tasks and method", By: "fixed", Columns: scoreColumns}
	groups := r.groups
	for _, e := range r.estimates {
		headline := func(iv stats.Interval) Cell {
			if e.Withheld() {
				return text("–")
			}
			return estimated(iv, percent, "%.1f")
		}
		line := r.line(e)
		against, p, smallest := stats.Interval{}, math.NaN(), math.NaN()
		if line != nil {
			against, p, smallest = line.Diff, line.Holm, line.Smallest
		}
		t.Rows = append(t.Rows, Row{e.mode, e.group, e.method, []Cell{
			text(r.modes[e.mode].String()), text(groups[e.group].name), text(r.methods[e.method].name),
			headline(e.Fixed), headline(e.Strict), headline(against), value(p, 1, "%.3f"), value(smallest, percent, "%.1f"), headline(e.Decay),
			value(e.Most, percent, "%.1f"), count(e.Failed), count(e.tasks), count(e.N), count(e.Sessions),
		}})
	}
	return t
}

// partial lists the estimates over fewer tasks than others of the same mode and group have, with their numbers of tasks.
func (r *Report) partial() [][4]int {
	most := map[[2]int]int{}
	for _, e := range r.estimates {
		most[[2]int{e.mode, e.group}] = max(most[[2]int{e.mode, e.group}], e.tasks)
	}
	out := [][4]int{}
	for _, e := range r.estimates {
		if e.tasks < most[[2]int{e.mode, e.group}] {
			out = append(out, [4]int{e.mode, e.group, e.method, e.tasks})
		}
	}
	return out
}

// line is the comparison of an estimate with full attention, if there is one: of a task, or of all of them.
func (r *Report) line(e estimate) *outputs.Line {
	group := r.groups[e.group]
	for i := range r.compared {
		l := &r.compared[i]
		if l.Mode != r.modes[e.mode].mode || l.History != r.modes[e.mode].history || l.MethodB != r.methods[e.method].spec {
			continue
		}
		switch {
		case group.kind == "task" && l.Task == r.tasks[group.tasks[0]], group.kind == "all" && l.Task == "" && e.tasks > 1:
			return l
		}
	}
	return nil
}

// scoreFigures are the leaderboards of all tasks, one for each mode.
func (r *Report) scoreFigures() (all []Figure) {
	for m, name := range r.modes {
		f := dots{title: "Score × 100, " + name.String(), note: "● fixed, ○ strict scoring; bars: 95 % intervals over sessions", axis: "score × 100", low: 0, high: 100}
		for _, e := range r.estimates {
			if e.mode == m && e.group == 0 && !e.Withheld() {
				f.rows = append(f.rows, dot{r.methods[e.method].name, e.Fixed, e.Strict, percent})
			}
		}
		all = append(all, Figure{fmt.Sprintf("leaderboard-%d", m+1), f.draw})
	}
	return all
}
