package outputs

import (
	"fmt"
	"io"
	"strings"

	"scbench/outputs/plain"
)

// Markdown writes the summary as Markdown: one table per mode and history, definitions as a list below.
func (s Summary) Markdown(w io.Writer) error {
	var b strings.Builder
	for _, block := range s.blocks() {
		cols := append([]column{block.labelColumn()}, append(block.taskColumns(), block.headlineColumns()...)...)
		fmt.Fprintf(&b, "### %s\n\n", plain.Markdown(block.title()))
		writeMarkdownTable(&b, cols)
	}
	methods := s.methods()
	names := ShortNames(methods)
	for i, spec := range methods {
		if spec = Clean(spec); spec != names[i] {
			fmt.Fprintf(&b, "- %s: %s\n", plain.Markdown(names[i]), plain.Markdown(spec))
		}
	}
	for _, line := range s.definitions() {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeMarkdownRow(b *strings.Builder, cols []column, show func(column) string) {
	for _, c := range cols {
		b.WriteString("| " + plain.Markdown(show(c)) + " ")
	}
	b.WriteString("|\n")
}
