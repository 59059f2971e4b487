package report

import "fmt"

// tasks show every method on every task.
var tasks = section{
	id: "tasks", title: "Tasks and methods", script: true,
	lead: "Fixed score × 100 of each method (rows) in each task (columns), tasks of a skill side by side. Enter or a click on a cell shows its queries.",
	data: func(r *Report) any {
		if len(r.tasks) < 2 {
			return nil
		}
		return map[string]any{"skills": r.skillOf}
	},
	tables: func(r *Report) []Table {
		return nil // the leaderboard's has them
	},
	figures: func(r *Report) []Figure { return r.taskFigures() },
}

func (r *Report) taskFigures() (all []Figure) {
	groups := r.groups
	for m, name := range r.modes {
		f := grid{title: "Fixed score × 100 by task and method, " + name.String(), format: "%.0f", unit: percent, high: 1}
		columns := map[int]int{}
		for g, group := range groups {
			if group.kind == "task" {
				columns[g] = len(f.columns)
				f.columns = append(f.columns, group.name)
			}
		}
		for _, k := range r.methods {
			f.rows = append(f.rows, k.name)
		}
		f.clear()
		for _, e := range r.estimates {
			if x, ok := columns[e.group]; ok && e.mode == m && e.Fixed.N > 0 {
				f.values[e.method][x] = e.Fixed.Value
			}
		}
		all = append(all, Figure{fmt.Sprintf("tasks-%d", m+1), f.draw})
	}
	return all
}
