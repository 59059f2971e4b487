package outputs

import (
	"fmt"
	"io"
	"strings"

	"scbench/outputs/plain"
)

// SchemaMarkdown writes the documentation of all columns as Markdown; it is outputs/schema.md. The error is the writer's.
func SchemaMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# The columns of a run, schema version %d\n\n", SchemaVersion)
	b.WriteString("Printed by `scbench list columns --markdown` from the code that writes them (`outputs/row.go`).\n\n")
	b.WriteString("A run has two files with one row a query and the same key: run, task, example, turn, mode, history, method. `results.parquet` is\n" +
		"a function of the inputs, byte for byte; `timings.parquet` is what the clock and the operating system said. Join them by the key.\n" +
		"`drift.parquet` is what `scbench drift` leaves: a row for each head and generated token of a long answer.\n")
	file := ""
	for _, c := range append(Columns(), DriftColumns()...) {
		if c.File != file {
			file = c.File
			fmt.Fprintf(&b, "\n## %s.parquet\n\n| column | type | NULL | since | what it says |\n| --- | --- | --- | --- | --- |\n", file)
		}
		null := ""
		if c.Nullable {
			null = "may be"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %d | %s |\n", c.Name, c.DuckDB, null, c.Since, plain.Markdown(c.Doc))
	}
	fmt.Fprintf(&b, "\nTypes are DuckDB's. Files are zstd-compressed Parquet; their key/value metadata say `%s` and `%s`. Columns \"since %d\" are in every file that\n"+
		"this version reads; in a file that is older than a column, that column is missing, and reads as empty or NULL.\n", metaKind, metaSchema, oldestSchema)
	_, err := io.WriteString(w, b.String())
	return err
}
