package outputs

import (
	"strings"
	"unicode/utf8"
)

// span is text in one colour; field is what stands in a cell of a grid.
type span struct{ text, sgr string }
type field []span

// column is a head and a field per row. Columns are right-aligned but for those marked left.
type column struct {
	head   string
	over   []string // lines above the head, the uppermost last
	left   bool
	fields []field
}

// SGR codes of the colours.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

const gap = "  "

func text(s string) field { return field{{text: s}} }

// width counts runes: our own text has no wide ones, and a wide name only shifts its row.
func (f field) width() int {
	n := 0
	for _, s := range f {
		n += utf8.RuneCountInString(s.text)
	}
	return n
}

func (f field) plain() string {
	var b strings.Builder
	for _, s := range f {
		b.WriteString(s.text)
	}
	return b.String()
}

func (f field) render(color bool) string {
	var b strings.Builder
	for _, s := range f {
		if color && s.sgr != "" {
			b.WriteString("\x1b[" + s.sgr + "m" + s.text + "\x1b[0m")
		} else {
			b.WriteString(s.text)
		}
	}
	return b.String()
}

func (c column) width() int {
	w := utf8.RuneCountInString(c.head)
	for _, line := range c.over {
		w = max(w, utf8.RuneCountInString(line))
	}
	for _, f := range c.fields {
		w = max(w, f.width())
	}
	return w
}

// flow breaks columns into grids that fit the width, each beginning with the label column.
func flow(label column, cols []column, width int) [][]column {
	var grids [][]column
	used := width + 1 // no grid is open yet
	for _, c := range cols {
		if need := len(gap) + c.width(); used+need > width {
			grids = append(grids, []column{label, c})
			used = label.width() + need
		} else {
			last := len(grids) - 1
			grids[last] = append(grids[last], c)
			used += need
		}
	}
	return grids
}

// renderGrid writes the grid's lines, without trailing white space.
func renderGrid(b *strings.Builder, cols []column, color bool) {
	above := 0
	for _, c := range cols {
		above = max(above, len(c.over))
	}
	for row := -1 - above; row < len(cols[0].fields); row++ {
		var line strings.Builder
		for i, c := range cols {
			if i > 0 {
				line.WriteString(gap)
			}
			line.WriteString(c.line(row, color))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// line is what stands in a row, as wide as the column; row -1 is the head, and before it are the lines above.
func (c column) line(row int, color bool) string {
	var f field
	switch {
	case row >= 0:
		f = c.fields[row]
	case row == -1:
		f = field{{text: c.head, sgr: dim}}
	case -2-row < len(c.over):
		f = field{{text: c.over[-2-row], sgr: dim}}
	}
	pad := strings.Repeat(" ", c.width()-f.width())
	if c.left {
		return f.render(color) + pad
	}
	return pad + f.render(color)
}

// joined is a column of several that belong together, closer to each other than to others, with their name above them.
func joined(name string, cols []column) column {
	all := column{left: true, fields: make([]field, len(cols[0].fields))}
	above := 0
	for _, c := range cols {
		above = max(above, len(c.over))
	}
	all.over = make([]string, above, above+1)
	for i, c := range cols {
		lead := ""
		if i > 0 {
			lead = " "
		}
		all.head += lead + c.line(-1, false)
		for k := range above {
			all.over[k] += lead + c.line(-2-k, false)
		}
		for row, f := range c.fields {
			all.fields[row] = append(append(all.fields[row], span{text: lead + strings.Repeat(" ", c.width()-f.width())}), f...)
		}
	}
	all.over = append(all.over, name)
	return all
}
