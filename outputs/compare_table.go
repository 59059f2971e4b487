package outputs

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"scbench/outputs/plain"
)

// notes define what the table of a comparison shows.
func (c Comparison) notes() []string {
	scoring := "Fixed"
	if c.Options.Strict {
		scoring = "Published"
	}
	lines := []string{
		fmt.Sprintf("%s scoring × 100 over the queries that both have, n: pairs/sessions; failed queries count 0. B - A: in brackets the %.0f %% interval by bootstrap over sessions. all: the mean of the skills.", scoring, 100*c.Options.Level),
		fmt.Sprintf("p: flipping the sign of whole sessions; Holm: p adjusted over the %d lines of these tables. better, worse: where Holm is at most %g.", len(c.Lines), c.Options.Alpha),
		fmt.Sprintf("flips: queries that B gained and lost. McNemar: exact p of those, as if the queries of a session were independent. sees: the smallest difference that this design finds in 8 of 10 runs at %g, before Holm.", c.Options.Alpha),
	}
	for _, l := range c.Lines {
		if c.Verdict(l) == "too few" {
			lines = append(lines, fmt.Sprintf("too few: flipping the signs of so few sessions gives no p that is significant over %d lines; compare more examples, or fewer methods.", len(c.Lines)))
			break
		}
	}
	if c.failed() {
		lines = append(lines, fmt.Sprintf("failed: of A and B, and the difference if A's scored 1 or B's did; above %.0f %% of either there is no verdict.", 100*MaxFailed))
	}
	return lines
}

func (c Comparison) failed() bool {
	for _, l := range c.Lines {
		if l.FailedA+l.FailedB > 0 {
			return true
		}
	}
	return false
}

// Verdict is better, worse, or what keeps it from being either.
func (c Comparison) Verdict(l Line) string {
	switch {
	case l.withheld():
		return "failures"
	case l.Holm > c.Options.Alpha && math.Pow(2, float64(1-l.Sessions))*float64(len(c.Lines)) > c.Options.Alpha:
		return "too few" // whatever they showed
	case l.Holm > c.Options.Alpha:
		return "–"
	case l.Diff.Value > 0:
		return "better"
	}
	return "worse"
}

func (l Line) withheld() bool { return float64(max(l.FailedA, l.FailedB)) > MaxFailed*float64(l.N) }

// Table writes the comparison for reading: a table for each mode and history, definitions and what was left out below.
func (c Comparison) Table(w io.Writer, o TableOptions) error {
	if err := c.summary().sheets(w, o, c.notes(), func(b *block) [][]column { return [][]column{c.columns(b)} }); err != nil {
		return err
	}
	return c.leftOut(w, "\nnote     %s\n")
}

func (c Comparison) leftOut(w io.Writer, format string) error {
	for _, note := range c.Notes {
		if _, err := fmt.Fprintf(w, format, note); err != nil {
			return err
		}
	}
	return nil
}

// summary has a cell for each line, for its blocks, names and legend.
func (c Comparison) summary() (s Summary) {
	for _, l := range c.Lines {
		s.Cells = append(s.Cells, Cell{Mode: l.Mode, History: l.History, Task: l.Task, Method: l.MethodA}, Cell{Mode: l.Mode, History: l.History, Task: l.Task, Method: l.MethodB})
	}
	return s
}

// columns is the table of a block.
func (c Comparison) columns(b *block) []column {
	cols := []column{{head: "task", left: true}, {head: "method", left: true}, {head: "n"}, {head: "A"}, {head: "B"}, {head: "B - A"},
		{head: "verdict", left: true}, {head: "p"}, {head: "Holm"}, {head: "sees"}, {head: "flips"}, {head: "McNemar"}}
	failed := c.failed()
	if failed {
		cols = append(cols, column{head: "failed"})
	}
	name := map[string]string{}
	for i, m := range b.methods {
		name[m] = b.names[i]
	}
	for _, l := range c.Lines {
		if l.Mode != b.mode || l.History != b.history {
			continue
		}
		method := name[l.MethodB]
		if l.MethodA != l.MethodB {
			method += " - " + name[l.MethodA]
		}
		for i, f := range c.fields(l, method, failed) {
			cols[i].fields = append(cols[i].fields, f)
		}
	}
	return cols
}

func (c Comparison) fields(l Line, method string, failed bool) []field {
	verdict := c.Verdict(l)
	color := map[string]string{"better": green, "worse": red, "failures": yellow}[verdict]
	score := func(x float64) field {
		if l.withheld() {
			return text(missing)
		}
		return text(oneDecimal(100 * x))
	}
	diff := text(missing)
	if !l.withheld() {
		diff = bracketed(l.Diff)
	}
	row := []field{text(taskOrAll(l.Task)), {{method, bold}}, text(fmt.Sprintf("%d/%d", l.N, l.Sessions)), score(l.A), score(l.B), diff,
		{{verdict, color}}, text(pValue(l.P)), text(pValue(l.Holm)), text(hundredfold(l.Smallest, !math.IsNaN(l.Smallest))),
		text(fmt.Sprintf("+%d -%d", l.Better, l.Worse)), text(pValue(l.McNemar))}
	if failed {
		f := text("0")
		if l.FailedA+l.FailedB > 0 {
			f = field{{fmt.Sprintf("%d, %d", l.FailedA, l.FailedB), red}, {fmt.Sprintf(" %s…%s", oneDecimal(100*l.Least), oneDecimal(100*l.Most)), ""}}
		}
		row = append(row, f)
	}
	return row
}

func taskOrAll(task string) string {
	if task == "" {
		return "all"
	}
	return Clean(task)
}

func pValue(p float64) string {
	switch {
	case math.IsNaN(p):
		return missing
	case p < 0.0001:
		return "<.0001"
	}
	return fmt.Sprintf("%.4f", p)
}

// Markdown writes the comparison as Markdown: a table for each mode and history.
func (c Comparison) Markdown(w io.Writer) error {
	var b strings.Builder
	s := c.summary()
	for _, block := range s.blocks() {
		fmt.Fprintf(&b, "### %s\n\n", plain.Markdown(block.title()))
		writeMarkdownTable(&b, c.columns(&block))
	}
	for _, line := range append(c.notes(), c.Notes...) {
		fmt.Fprintf(&b, "- %s\n", plain.Markdown(line))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeMarkdownTable writes a table and an empty line.
func writeMarkdownTable(b *strings.Builder, cols []column) {
	writeMarkdownRow(b, cols, func(c column) string { return c.head })
	writeMarkdownRow(b, cols, func(c column) string {
		if c.left {
			return ":--"
		}
		return "--:"
	})
	for row := range cols[0].fields {
		writeMarkdownRow(b, cols, func(c column) string { return c.fields[row].plain() })
	}
	b.WriteString("\n")
}

// CSV writes a row for each line, with a head; scores and differences in [-1, 1], empty where there is no number. Text from
// data is cleaned, and kept from being taken for a formula.
func (c Comparison) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write([]string{"mode", "history", "task", "method_a", "method_b", "n", "sessions", "a", "b", "difference", "low", "high",
		"verdict", "p", "p_holm", "smallest", "better", "worse", "p_mcnemar", "failed_a", "failed_b", "least", "most"})
	for _, l := range c.Lines {
		row := []string{plain.CSV(string(l.Mode)), plain.CSV(string(l.History)), plain.CSV(taskOrAll(l.Task)), plain.CSV(l.MethodA), plain.CSV(l.MethodB),
			strconv.Itoa(l.N), strconv.Itoa(l.Sessions), decimal(l.A), decimal(l.B), decimal(l.Diff.Value), decimal(l.Diff.Low), decimal(l.Diff.High),
			strings.Replace(c.Verdict(l), "–", "", 1), decimal(l.P), decimal(l.Holm), decimal(l.Smallest), strconv.Itoa(l.Better), strconv.Itoa(l.Worse),
			decimal(l.McNemar), strconv.Itoa(l.FailedA), strconv.Itoa(l.FailedB), decimal(l.Least), decimal(l.Most)}
		out.Write(row)
	}
	out.Flush()
	return out.Error()
}

func decimal(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}
