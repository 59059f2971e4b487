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
	for row := -1; row < len(cols[0].fields); row++ {
		var line strings.Builder
		for i, c := range cols {
			f := field{{text: c.head, sgr: dim}}
			if row >= 0 {
				f = c.fields[row]
			}
			pad := strings.Repeat(" ", c.width()-f.width())
			if i > 0 {
				line.WriteString(gap)
			}
			if c.left {
				line.WriteString(f.render(color) + pad)
			} else {
				line.WriteString(pad + f.render(color))
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}
