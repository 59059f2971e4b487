package report

import "fmt"

// depth shows how scores depend on where in the context the evidence stands.
var depth = section{
	id: "depth", title: "Needle depth", script: true,
	lead: "Fixed score × 100 by the place of the evidence in the context, in ten equal parts from its start (0–10 %) to its end (90–100 %): the mean over the queries whose evidence stands there, " +
		"all turns, with its interval and n in each cell's note. Queries without a known place are not counted; evidence in several places counts at their mean. Tasks put their evidence in different parts: over several tasks compare the methods of a column; to compare columns, choose one task.",
	data: func(r *Report) any {
		p := r.depths()
		if len(p.Mode) == 0 {
			return nil
		}
		return map[string]any{"points": p, "parts": depths}
	},
	tables: func(r *Report) []Table {
		p := r.depths()
		if len(p.Mode) == 0 {
			return nil
		}
		return []Table{r.depthTable(p)}
	},
	figures: func(r *Report) []Figure { return r.depthFigures() },
}

// depths are the scores by part of the context, from 0. Of several tasks they are means over queries.
func (r *Report) depths() points {
	if r.byDepth.where == nil {
		r.byDepth = r.pooled(r.intervals(func(c *cell) *sampled { return &c.depth }, func(_ *cell, b int) int { return b }))
	}
	return r.byDepth
}

func depthName(part int) string {
	return fmt.Sprintf("%d–%d %%", part*100/depths, (part+1)*100/depths)
}

func (r *Report) depthTable(p points) Table {
	t := Table{Name: "depth", Caption: "Fixed score × 100 by the place of the evidence in the context, with 95 % intervals", Columns: []Column{scoreColumns[0], scoreColumns[1], scoreColumns[2]}}
	for part := range depths {
		t.Columns = append(t.Columns, Column{Head: depthName(part), Doc: "mean over the queries whose evidence stands in that part of the context", Number: true, Interval: true},
			Column{Head: "n " + depthName(part), Doc: "those queries", Number: true})
	}
	for _, e := range r.estimates {
		row := Row{e.mode, e.group, e.method, []Cell{text(r.modes[e.mode].String()), text(r.groups[e.group].name), text(r.methods[e.method].name)}}
		any := false
		for part := range depths {
			iv := p.at(e.mode, e.group, e.method, part)
			any = any || iv.N > 0
			row.Cells = append(row.Cells, estimated(iv, percent, "%.1f"), count(iv.N))
		}
		if any {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

func (r *Report) depthFigures() (all []Figure) {
	p := r.depths()
	for m, name := range r.modes {
		f := grid{title: "Fixed score × 100 by the place of the evidence, " + name.String(), format: "%.0f", unit: percent, high: 1}
		for part := range depths {
			f.columns = append(f.columns, depthName(part))
		}
		for _, k := range r.methods {
			f.rows = append(f.rows, k.name)
		}
		f.clear()
		for k := range r.methods {
			for part := range depths {
				if iv := p.at(m, 0, k, part); iv.N > 0 {
					f.values[k][part] = iv.Value
				}
			}
		}
		if f.any() {
			all = append(all, Figure{fmt.Sprintf("depth-%d", m+1), f.draw})
		}
	}
	return all
}
