package outputs

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// TableOptions says how a terminal table looks. The zero value suits a terminal and a pipe alike.
type TableOptions struct {
	Width int   // columns to fill at most; 0: 120
	Color Color // when to colour
	// Intervals are the estimates of the same rows: with them, means over several tasks have the half of their interval beside them.
	Intervals []Estimate
}

// Color says when to colour.
type Color int

// Auto colours if the writer is a terminal, NO_COLOR is unset or empty, and TERM is not "dumb".
const (
	Auto Color = iota
	Never
	Always
)

const defaultWidth = 120

// definitions of every number a table shows, in the order of its columns.
var definitions = []string{
	"Scores are × 100. Each task: fixed scoring, mean over its n queries; a failed query counts 0; a mixed task is the mean of its subtasks.",
	"mean: over the skills, each the mean of its tasks. strict: the same with the published scoring, bug for bug.",
	"turn t: mean over the queries of that turn, then as mean. Bars: every turn, from 0 ▁ to 100 █.",
	"decay: turn 1 less the mean of the later turns, what a cache made for the first question loses on the next.",
	"kept: tokens kept of the prompt's. KV MiB: bytes a branch holds, shared pages included. prefill, decode: attention cells computed of dense ones.",
}

// cutDefinition defines two columns that are there only where evidence was cut.
const cutDefinition = "answerable: the mean over the queries whose evidence truncation left in the prompt. cut: how many it did not."

// intervalDefinition defines what Intervals add.
const intervalDefinition = "±: the larger half of the 95 % interval of the mean, over sessions; all other scores have theirs in the report, and in scbench show --intervals."

// definitions are those of the columns that the summary has.
func (s Summary) definitions() []string {
	all := definitions[:len(definitions):len(definitions)]
	if cut(s.Cells) > 0 {
		all = append(all, cutDefinition)
	}
	if failures(s.Cells) > 0 {
		all = append(all, fmt.Sprintf("failed: queries without an answer; where they are more than %.0f %% of a method's, it has no mean, strict, decay or answerable (scbench show --intervals has both bounds).", 100*MaxFailed))
	}
	return all
}

// Table writes the summary for reading: one table per mode and history, definitions once below. Names from data are
// cleaned. The error is the writer's.
func (s Summary) Table(w io.Writer, o TableOptions) error {
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
		block.intervals = o.Intervals
		block.render(&b, width, color)
	}
	if len(s.Cells) > 0 {
		writeLegend(&b, s.methods(), width, color)
		lines := s.definitions()
		if len(o.Intervals) > 0 {
			lines = append(lines, intervalDefinition)
		}
		for _, line := range lines {
			b.WriteString(paint(wrap(line, width), dim, color))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// render writes one grid if all fits, else one of the headline and, below it, the tasks by skill.
func (b *block) render(out *strings.Builder, width int, color bool) {
	label, tasks, headline := b.labelColumn(), b.taskColumns(), b.headlineColumns()
	grids := flow(label, append(slices.Clone(tasks), headline...), width)
	if len(grids) > 1 {
		grids = append(flow(withoutLastRow(label), withoutLastRows(headline), width), flow(label, b.bySkill(label, tasks, width), width)...)
	}
	out.WriteString(field{{b.title(), bold}}.render(color) + "\n")
	for _, cols := range grids {
		renderGrid(out, cols, color)
		out.WriteString("\n")
	}
}

// withoutLastRow drops the row of n, which is of tasks.
func withoutLastRow(c column) column {
	c.fields = c.fields[:len(c.fields)-1]
	return c
}

func withoutLastRows(cols []column) (out []column) {
	for _, c := range cols {
		out = append(out, withoutLastRow(c))
	}
	return out
}

// writeLegend spells out the specs that labels shortened; those too long for a line go on below, after a comma.
func writeLegend(b *strings.Builder, methods []string, width int, color bool) {
	names := ShortNames(methods)
	longest := 0
	for i, name := range names {
		if name != Clean(methods[i]) {
			longest = max(longest, utf8.RuneCountInString(name))
		}
	}
	for i, name := range names {
		spec := Clean(methods[i])
		if spec == name {
			continue
		}
		line := name + strings.Repeat(" ", longest-utf8.RuneCountInString(name)) + gap
		used, first := longest+len(gap), true
		for _, setting := range strings.SplitAfter(spec, ",") {
			n := utf8.RuneCountInString(setting)
			if !first && used+n > width {
				used = longest + 2*len(gap)
				line += "\n" + strings.Repeat(" ", used)
			}
			line, used, first = line+setting, used+n, false
		}
		b.WriteString(paint(line+"\n", dim, color))
	}
	if longest > 0 {
		b.WriteString("\n")
	}
}

// paint colours whole lines.
func paint(lines, sgr string, color bool) string {
	if !color {
		return lines
	}
	return "\x1b[" + sgr + "m" + strings.TrimSuffix(lines, "\n") + "\x1b[0m\n"
}

// wrap breaks a line at spaces; later lines are indented.
func wrap(line string, width int) string {
	var b strings.Builder
	used := 0
	for i, word := range strings.Fields(line) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+n > width:
			b.WriteString("\n  ")
			used = 2
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String() + "\n"
}

// colorful reports whether w is a terminal whose user did not ask for plain text.
func colorful(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
