package report

import "fmt"

// pareto shows what a score costs.
var pareto = section{
	id: "pareto", title: "Score against bytes", script: true,
	lead: "Fixed score × 100 against what was measured, not what a method was asked for: the bytes that its KV cache takes when an answer starts, and the bytes that attention " +
		"reads for each decoded token; means over queries. Bars are 95 % intervals. The line joins the methods that no other beats on both axes.",
	data: func(r *Report) any {
		return map[string]any{"kv": r.measured[kvBytes], "read": r.measured[readBytes]}
	},
	tables:  func(r *Report) []Table { return []Table{r.costTable()} },
	figures: func(r *Report) []Figure { return r.paretoFigures() },
}

// mebibyte is the unit of bytes in tables and figures.
const mebibyte = 1 << 20

func (r *Report) costTable() Table {
	t := Table{Name: "cost", Caption: "What was measured of caches and attention, with 95 % intervals", Columns: []Column{scoreColumns[0], scoreColumns[1], scoreColumns[2]}}
	shown := []struct {
		which  int
		unit   float64
		format string
		suffix string
	}{{kvBytes, mebibyte, "%.3f", " MiB"}, {readBytes, mebibyte, "%.3f", " MiB"}, {keptShare, percent, "%.1f", " %"}, {prefillShare, percent, "%.1f", " %"}, {decodeShare, percent, "%.1f", " %"}}
	for _, s := range shown {
		m := measures[s.which]
		t.Columns = append(t.Columns, Column{Head: m.name + "," + s.suffix, Doc: m.doc, Number: true, Interval: true})
	}
	t.Columns = append(t.Columns, scoreColumns[12])
	groups := r.groups
	for _, e := range r.estimates {
		row := Row{e.mode, e.group, e.method, []Cell{text(r.modes[e.mode].String()), text(groups[e.group].name), text(r.methods[e.method].name)}}
		for _, s := range shown {
			row.Cells = append(row.Cells, estimated(r.measured[s.which].at(e.mode, e.group, e.method, 0), s.unit, s.format))
		}
		t.Rows = append(t.Rows, Row{row.Mode, row.Group, row.Method, append(row.Cells, count(e.N))})
	}
	return t
}

func (r *Report) paretoFigures() (all []Figure) {
	for _, which := range []int{kvBytes, readBytes} {
		cost := &r.measured[which]
		for m, name := range r.modes {
			f := scatter{title: "Score × 100 against " + measures[which].name + ", " + name.String(), x: measures[which].name + ", MiB", y: "score × 100"}
			for _, e := range r.estimates {
				if x := cost.at(m, 0, e.method, 0); e.mode == m && e.group == 0 && x.N > 0 && e.Fixed.N > 0 {
					f.dots = append(f.dots, spot{r.methods[e.method].name, x, e.Fixed})
				}
			}
			all = append(all, Figure{fmt.Sprintf("pareto-%s-%d", map[int]string{kvBytes: "kv", readBytes: "read"}[which], m+1), f.draw})
		}
	}
	return all
}
