package report

import (
	"fmt"
	"strings"

	"scbench/outputs"
)

// findings are the paper's claims, checked.
var findings = section{
	id: "findings", title: "The paper's claims",
	lead: "What these rows say of the testable statements of the paper. A claim holds or fails where the interval and the size of the effect are as it wants, or cannot be; " +
		"otherwise there is not enough power, or what it needs was not measured. Each claim is judged by itself: of fourteen, one may err by chance. " +
		"Effects are fixed scores × 100 with 95 % intervals over sessions.",
	data: func(*Report) any { return nil },
	tables: func(r *Report) []Table {
		if len(r.findings) == 0 {
			return nil
		}
		return []Table{findingsTable(r.findings)}
	},
	figures: func(*Report) []Figure { return nil },
}

// find checks the claims; of several runs with the same methods, whose letters would be taken for other methods, none.
func (r *Report) find() (err error) {
	for _, one := range r.runs {
		if one.letter != "" {
			return nil
		}
	}
	r.findings, err = outputs.Findings(r.scores[0], &r.summary, outputs.FindingsOptions{Drift: r.driftFile})
	return err
}

func findingsTable(all []outputs.Finding) Table {
	count := map[outputs.Verdict]int{}
	for _, f := range all {
		count[f.Verdict]++
	}
	var sums []string
	for _, v := range []outputs.Verdict{outputs.Holds, outputs.Fails, outputs.NotPower, outputs.NotMeasured} {
		sums = append(sums, fmt.Sprintf("%d %s", count[v], v))
	}
	t := Table{Name: "findings", Caption: "Claims: " + strings.Join(sums, ", "), Columns: []Column{
		{Head: "claim", Doc: "as the benchmark's specification numbers the paper's statements"},
		{Head: "verdict", Doc: "holds, fails, not enough power, or not measured"},
		{Head: "statement", Doc: "in our words"},
		{Head: "effect", Doc: "the first quantity that the claim is about, with its 95 % interval", Number: true, Interval: true},
		{Head: "n", Doc: "values behind the effect", Number: true},
		{Head: "why", Doc: "all quantities, what the claim wants of them, and what they are; what decides comes first"},
		{Head: "needs", Doc: "what a run must have for the claim to be measured"},
	}}
	for _, f := range all {
		t.Rows = append(t.Rows, Row{-1, -1, -1, []Cell{text(f.ID), text(string(f.Verdict)), text(f.Claim), estimated(f.Effect, percent, "%.1f"), count1(f.Effect.N), text(f.Why), text(f.Needs)}})
	}
	return t
}

// count1 is a number of values, of which none is none measured.
func count1(n int) Cell {
	if n == 0 {
		return text("–")
	}
	return count(n)
}
