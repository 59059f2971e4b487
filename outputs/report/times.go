package report

import "fmt"

// times show how long answers take.
var times = section{
	id: "times", title: "Time by turn", script: true,
	lead: "Time to first token: seconds from the start of a query's own work to its first token, at turn 1 with its share of the prefill. Time per token: seconds of decoding over the " +
		"tokens decoded. Means over queries with 95 % intervals over sessions; a dot for each turn. Wall-clock time of this machine while branches were decoded together: " +
		"compare methods within a run, not runs.",
	data: func(r *Report) any {
		first, token := &r.measured[firstToken], &r.measured[perToken]
		if len(first.Mode) == 0 {
			return nil
		}
		return map[string]any{"first": first, "token": token}
	},
	tables: func(r *Report) []Table { return r.timeTables() },
	figures: func(r *Report) (all []Figure) {
		for _, which := range []int{firstToken, perToken} {
			p := &r.measured[which]
			for m, name := range r.modes {
				f := dots{title: measures[which].name + ", " + name.String(), note: "● turn 1, ○ the last turn; bars: 95 % intervals over sessions", axis: "ms", log: true}
				for k, method := range r.methods {
					if first, last := p.at(m, 0, k, 1), p.at(m, 0, k, int(r.lastTurn())); first.N > 0 {
						f.rows = append(f.rows, dot{method.name, first, last, 1e-3})
					}
				}
				if len(f.rows) > 0 {
					all = append(all, Figure{fmt.Sprintf("%s-%d", map[int]string{firstToken: "ttft", perToken: "per-token"}[which], m+1), f.draw})
				}
			}
		}
		return all
	},
}

func (r *Report) lastTurn() int32 {
	if len(r.turns) == 0 {
		return 1
	}
	return r.turns[len(r.turns)-1]
}

func (r *Report) timeTables() (all []Table) {
	groups := r.groups
	for _, which := range []int{firstToken, perToken} {
		m := measures[which]
		t := Table{Name: map[int]string{firstToken: "ttft", perToken: "per-token"}[which], Caption: m.name + " in ms by turn, with 95 % intervals: " + m.doc,
			Columns: []Column{scoreColumns[0], scoreColumns[1], scoreColumns[2]}}
		for _, turn := range r.turns {
			t.Columns = append(t.Columns, Column{Head: fmt.Sprintf("turn %d, ms", turn), Doc: m.doc, Number: true, Interval: true}, Column{Head: fmt.Sprintf("n %d", turn), Doc: "queries of that turn that ran", Number: true})
		}
		p := &r.measured[which]
		for _, e := range r.estimates {
			row := Row{e.mode, e.group, e.method, []Cell{text(r.modes[e.mode].String()), text(groups[e.group].name), text(r.methods[e.method].name)}}
			any := false
			for _, turn := range r.turns {
				iv := p.at(e.mode, e.group, e.method, int(turn))
				any = any || iv.N > 0
				row.Cells = append(row.Cells, estimated(iv, 1e-3, "%.3f"), count(iv.N))
			}
			if any {
				t.Rows = append(t.Rows, row)
			}
		}
		if len(t.Rows) > 0 {
			all = append(all, t)
		}
	}
	return all
}
