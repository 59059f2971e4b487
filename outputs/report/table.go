package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"scbench/outputs/plain"
	"scbench/outputs/stats"
)

// Table is a table of a section. Text in it may come from data: whoever writes it out cleans and escapes it.
type Table struct {
	Name    string // of its files: letters, digits and hyphens
	Caption string
	By      string // head of the column that the page sorts by at first; empty: as rows are
	Columns []Column
	Rows    []Row
}

// Column is the head of a column and what stands in it.
type Column struct {
	Head     string `json:"h"`
	Doc      string `json:"d"`
	Number   bool   `json:"n"` // right-aligned, and sorted by the number that cells begin with
	Interval bool   `json:"-"` // of a number: cells have bounds, which CSV gives columns of their own
	Chosen   bool   `json:"-"` // the reader of the page chose it, and does not see it
}

// Row is a row with the mode, group of tasks and method that it is of; -1 stands for all of them.
type Row struct {
	Mode, Group, Method int
	Cells               []Cell
}

// Cell is what stands in a column: text, and of a number its value and the bounds of its interval, NaN where there are none.
type Cell struct {
	Text             string
	Value, Low, High float64
}

// text is a cell without a number.
func text(s string) Cell { return Cell{s, math.NaN(), math.NaN(), math.NaN()} }

// count is a cell with a whole number.
func count(n int) Cell { return Cell{fmt.Sprint(n), float64(n), math.NaN(), math.NaN()} }

// value is a cell with a number of an estimate, shown in units of which one is unit.
func value(x, unit float64, format string) Cell {
	if math.IsNaN(x) {
		return text("–")
	}
	return Cell{plus(fmt.Sprintf(format, x/unit)), x / unit, math.NaN(), math.NaN()}
}

// plus never says "-0.0".
func plus(s string) string {
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return s
}

// estimated is a cell with an estimate and its interval.
func estimated(iv stats.Interval, unit float64, format string) Cell {
	c := value(iv.Value, unit, format)
	switch {
	case iv.N == 0:
		return text("–")
	case iv.OK:
		c.Low, c.High = iv.Low/unit, iv.High/unit
		c.Text += fmt.Sprintf(" [%s, %s]", plus(fmt.Sprintf(format, c.Low)), plus(fmt.Sprintf(format, c.High)))
	}
	return c
}

// percent is the unit of shares and scores as they are shown.
const percent = 0.01

// CSV writes the table with a head; numbers as they are shown, with columns for the bounds of their intervals, empty where there
// are none. Text is cleaned, and kept from being taken for a formula.
func (t Table) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	var head []string
	for _, c := range t.Columns {
		head = append(head, plain.CSV(c.Head))
		if c.Interval {
			head = append(head, plain.CSV(c.Head+" low"), plain.CSV(c.Head+" high"))
		}
	}
	if err := out.Write(head); err != nil {
		return err
	}
	for _, r := range t.Rows {
		var row []string
		for i, c := range r.Cells {
			switch col := t.Columns[i]; {
			case col.Interval:
				row = append(row, decimal(c.Value), decimal(c.Low), decimal(c.High))
			case col.Number:
				row = append(row, decimal(c.Value))
			default:
				row = append(row, plain.CSV(c.Text))
			}
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// decimal is a number for a program to read.
func decimal(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

// Markdown writes the table.
func (t Table) Markdown(w io.Writer) error {
	var b strings.Builder
	row := func(cells []Cell) {
		for _, c := range cells {
			b.WriteString("| " + plain.Markdown(c.Text) + " ")
		}
		b.WriteString("|\n")
	}
	fmt.Fprintf(&b, "%s\n\n", plain.Markdown(t.Caption))
	rules := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		if rules[i] = "---"; c.Number {
			rules[i] = "--:"
		}
	}
	row(t.heads())
	fmt.Fprintf(&b, "| %s |\n", strings.Join(rules, " | "))
	for _, r := range t.Rows {
		row(r.Cells)
	}
	for _, c := range t.Columns {
		if c.Doc != "" {
			fmt.Fprintf(&b, "\n- %s: %s", plain.Markdown(c.Head), plain.Markdown(c.Doc))
		}
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (t Table) heads() (cells []Cell) {
	for _, c := range t.Columns {
		cells = append(cells, text(c.Head))
	}
	return cells
}

// LaTeX writes the table as a longtable with booktabs rules, which a document inputs; text is escaped.
func (t Table) LaTeX(w io.Writer) error {
	var b strings.Builder
	spec := ""
	for _, c := range t.Columns {
		if spec += "l"; c.Number {
			spec = spec[:len(spec)-1] + "r"
		}
	}
	row := func(cells []Cell) {
		for i, c := range cells {
			if i > 0 {
				b.WriteString(" & ")
			}
			b.WriteString(plain.LaTeX(c.Text))
		}
		b.WriteString(` \\` + "\n")
	}
	fmt.Fprintf(&b, "%% needs booktabs and longtable; UTF-8 input\n\\begin{longtable}{%s}\n\\caption{%s}\\\\\n\\toprule\n", spec, plain.LaTeX(t.Caption))
	row(t.heads())
	b.WriteString("\\midrule\n\\endhead\n")
	for _, r := range t.Rows {
		row(r.Cells)
	}
	b.WriteString("\\bottomrule\n\\end{longtable}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// bytesText shows a number of bytes.
func bytesText(x float64) string {
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if x < 1024 {
			return fmt.Sprintf("%.4g %s", x, unit)
		}
		x /= 1024
	}
	return fmt.Sprintf("%.4g TiB", x)
}
