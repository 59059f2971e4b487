package report

import (
	"fmt"

	"scbench/outputs"
)

// curves show how scores change from turn to turn.
var curves = section{
	id: "curves", title: "Score by turn", script: true,
	lead: "Fixed score × 100 at each turn, a panel for each method; the band is its 95 % interval over sessions, the grey line full attention. " +
		"A method that compresses the cache for the first question loses what the next ones ask for: its line falls after turn 1. In multi-request mode each " +
		"question meets the bare context, so that no method has seen it.",
	data: func(r *Report) any {
		if len(r.turns) == 0 {
			return nil
		}
		return map[string]any{"turns": r.turns} // the scores are the leaderboard's
	},
	tables:  func(r *Report) []Table { return []Table{r.turnTable()} },
	figures: func(r *Report) []Figure { return []Figure{{"curves", r.curvesFigure}} },
}

func (r *Report) turnTable() Table {
	t := Table{Name: "turns", Caption: "Fixed score × 100 by turn, with 95 % intervals", Columns: []Column{scoreColumns[0], scoreColumns[1], scoreColumns[2]}}
	for _, turn := range r.turns {
		t.Columns = append(t.Columns, Column{Head: fmt.Sprintf("turn %d", turn), Doc: "mean over the queries of that turn, then as the score", Number: true, Interval: true},
			Column{Head: fmt.Sprintf("n %d", turn), Doc: "queries of that turn", Number: true})
	}
	groups := r.groups
	for _, e := range r.estimates {
		row := Row{e.mode, e.group, e.method, []Cell{text(r.modes[e.mode].String()), text(groups[e.group].name), text(r.methods[e.method].name)}}
		for _, turn := range r.turns {
			one := outputs.TurnEstimate{}
			for _, t := range e.Turns {
				if t.Turn == turn {
					one = t
				}
			}
			row.Cells = append(row.Cells, estimated(one.Score, percent, "%.1f"), count(one.Score.N))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
