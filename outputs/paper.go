package outputs

import (
	"fmt"
	"io"
	"strings"
)

// paperNotes define what Paper shows.
var paperNotes = []string{
	"As the paper aggregates: published scoring × 100, bug for bug. Task: multi-turn, the mean of its turns' means; else the mean over its queries; a mixed task is the mean of its subtasks.",
	"Skills: the mean of their tasks. AVG: the mean of the skills. By turn: the mean over the sessions that have the turn, n of them in brackets; – where none asks that subtask.",
}

// Paper writes the tables of the paper, one per mode and history: tasks, skills and their average, and below the scores by turn.
func (s Summary) Paper(w io.Writer, o TableOptions) error {
	return s.sheets(w, o, paperNotes, func(b *block) (tables [][]column) {
		label := column{head: "method", left: true}
		for _, name := range b.names {
			label.fields = append(label.fields, field{{text: name, sgr: bold}})
		}
		totals := []column{label}
		add := func(head string, keep func(Cell) bool) {
			col := column{head: Clean(head)}
			for _, m := range b.methods {
				var cells []Cell
				for _, c := range b.of(m) {
					if keep(c) {
						cells = append(cells, c)
					}
				}
				col.fields = append(col.fields, text(hundredfold(overSkills(cells, Cell.Paper))))
			}
			totals = append(totals, col)
		}
		for _, task := range b.tasks {
			add(task, func(c Cell) bool { return c.Task == task })
		}
		for _, skill := range b.skills() {
			add(skill, func(c Cell) bool { return c.Skill == skill })
		}
		add("AVG", func(Cell) bool { return true })
		return [][]column{totals, b.byTurn(func(t TurnMean) Mean { return t.Strict }, nil)}
	})
}

// cellNotes define what Details shows.
var cellNotes = []string{
	"Fixed scoring × 100, means over queries, n of them in brackets; failed queries count 0; the parts of a mixed task are apart. all: over all turns.",
	"answerable, cut: over the queries whose evidence truncation left in the prompt, or whose builder does not say where it stands, and over the others.",
}

// Details writes every mean with the number of queries behind it: a row for each task, part and method, a column for each turn.
func (s Summary) Details(w io.Writer, o TableOptions) error {
	return s.sheets(w, o, cellNotes, func(b *block) [][]column {
		extra := []detail{{"all", func(p Part) Mean { return p.Fixed }}}
		if cut(b.cells) > 0 {
			extra = append(extra, detail{"answerable", func(p Part) Mean { return p.Answerable }}, detail{"cut", func(p Part) Mean { return p.Cut }})
		}
		return [][]column{b.byTurn(func(t TurnMean) Mean { return t.Fixed }, extra)}
	})
}

// detail is a column of its own beside the turns.
type detail struct {
	head string
	of   func(Part) Mean
}

// byTurn is a table with a row for each task, part and method, and a column for each turn, with n in every cell.
func (b *block) byTurn(of func(TurnMean) Mean, extra []detail) []column {
	task, method := column{head: "task", left: true}, column{head: "method", left: true}
	more, turns := make([]column, len(extra)), make([]column, len(b.turns))
	for i, e := range extra {
		more[i].head = e.head
	}
	for i, t := range b.turns {
		turns[i].head = fmt.Sprintf("turn %d", t)
	}
	for _, name := range b.tasks {
		for i, m := range b.methods {
			for _, c := range b.of(m) {
				if c.Task != name {
					continue
				}
				for _, p := range c.Parts {
					task.fields = append(task.fields, text(Clean(strings.TrimSpace(name+" "+p.Name))))
					method.fields = append(method.fields, field{{text: b.names[i], sgr: bold}})
					for k, e := range extra {
						more[k].fields = append(more[k].fields, counted(e.of(p)))
					}
					for k, t := range b.turns {
						turns[k].fields = append(turns[k].fields, counted(p.at(t, of)))
					}
				}
			}
		}
	}
	return append(append([]column{task, method}, more...), turns...)
}

// at is the mean of a turn, empty where it was not asked.
func (p Part) at(turn int32, of func(TurnMean) Mean) Mean {
	for _, t := range p.Turns {
		if t.Turn == turn {
			return of(t)
		}
	}
	return Mean{}
}

// counted shows a mean and its n.
func counted(m Mean) field {
	x, ok := m.Value()
	if !ok {
		return text(missing)
	}
	return field{{text: oneDecimal(100 * x)}, {fmt.Sprintf(" (%d)", m.N), dim}}
}

// skills lists the skills of a block, as first seen.
func (b *block) skills() (all []string) {
	seen := map[string]bool{"": true}
	for _, c := range b.cells {
		if !seen[c.Skill] {
			seen[c.Skill] = true
			all = append(all, c.Skill)
		}
	}
	return all
}

// sheets writes the tables of every block, and the notes once below. A table whose columns do not fit goes on below itself.
func (s Summary) sheets(w io.Writer, o TableOptions, notes []string, tables func(*block) [][]column) error {
	width := o.Width
	if width <= 0 {
		width = defaultWidth
	}
	color := o.Color == Always || o.Color == Auto && colorful(w)
	var b strings.Builder
	if len(s.Cells) == 0 {
		b.WriteString("no results\n")
	}
	for _, block := range s.blocks() {
		b.WriteString(field{{block.title(), bold}}.render(color) + "\n")
		for _, cols := range tables(&block) {
			labels := 1
			if len(cols) > 1 && cols[1].left {
				labels = 2
			}
			for _, grid := range flow(beside(cols[:labels]), cols[labels:], width) {
				renderGrid(&b, append(cols[:labels:labels], grid[1:]...), color)
				b.WriteString("\n")
			}
		}
	}
	if len(s.Cells) > 0 {
		writeLegend(&b, s.methods(), width, color)
		for _, line := range notes {
			b.WriteString(paint(wrap(line, width), dim, color))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// beside is one column as wide as several and the gaps between them.
func beside(cols []column) column {
	n := -len(gap)
	for _, c := range cols {
		n += len(gap) + c.width()
	}
	return column{head: strings.Repeat(" ", n)}
}
