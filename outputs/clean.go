package outputs

import "scbench/outputs/plain"

// Clean makes text that a model or a data set wrote safe to show on a terminal, as plain.Line does.
func Clean(s string) string { return plain.Line(s) }
