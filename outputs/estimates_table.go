package outputs

import (
	"fmt"
	"io"
	"slices"

	"scbench/outputs/stats"
)

// estimateNotes define what EstimatesTable shows.
var estimateNotes = []string{
	"Fixed scoring × 100, failed queries count 0; in brackets the 95 % interval by bootstrap over sessions, which are what is independent. n: queries/sessions.",
	"all: the mean of the skills, each the mean of its tasks. decay: turn 1 less the mean of the later turns. strict: published scoring.",
}

// EstimatesTable writes estimates for reading: a row for each task and method, every score with its interval and n. Where more
// than MaxFailed of the queries failed, there is no score, but the two that it lies between: had all that failed scored 0, and 1.
func EstimatesTable(w io.Writer, all []Estimate, o TableOptions) error {
	var s Summary // blocks, names and legend are those of the summary
	for _, e := range all {
		if e.Task != "" {
			s.Cells = append(s.Cells, Cell{Mode: e.Mode, History: e.History, Task: e.Task, Method: e.Method, Failed: e.Failed})
		}
	}
	notes := estimateNotes
	if failures(s.Cells) > 0 {
		notes = append(notes[:len(notes):len(notes)], fmt.Sprintf("failed: queries without an answer, and the score if they counted 0 or 1; above %.0f %% of them nothing else is shown.", 100*MaxFailed))
	}
	return s.sheets(w, o, notes, func(b *block) [][]column { return [][]column{b.estimates(all)} })
}

// estimates is the table of a block.
func (b *block) estimates(all []Estimate) []column {
	cols := []column{{head: "task", left: true}, {head: "method", left: true}, {head: "n"}, {head: "score"}, {head: "strict"}, {head: "decay"}}
	var turns []int32
	failed := false
	for _, e := range all {
		if e.Mode == b.mode && e.History == b.history {
			failed = failed || e.Failed > 0
			for _, t := range e.Turns {
				if i, ok := slices.BinarySearch(turns, t.Turn); !ok {
					turns = slices.Insert(turns, i, t.Turn)
				}
			}
		}
	}
	if failed {
		cols = append(cols, column{head: "failed"})
	}
	for _, t := range turns {
		cols = append(cols, column{head: fmt.Sprintf("turn %d", t)})
	}
	for _, task := range append(slices.Clone(b.tasks), "") {
		for i, method := range b.methods {
			for _, e := range all {
				if e.Mode == b.mode && e.History == b.history && e.Task == task && e.Method == method {
					for k, f := range e.fields(b.names[i], turns, failed) {
						cols[k].fields = append(cols[k].fields, f)
					}
				}
			}
		}
	}
	return cols
}

// fields is the row of an estimate.
func (e Estimate) fields(name string, turns []int32, failed bool) []field {
	task := e.Task
	if task == "" {
		task = "all"
	}
	show := func(iv stats.Interval) field {
		if e.Withheld() {
			return text(missing)
		}
		return bracketed(iv)
	}
	row := []field{text(Clean(task)), {{name, bold}}, text(fmt.Sprintf("%d/%d", e.N, e.Sessions)), show(e.Fixed), show(e.Strict), show(e.Decay)}
	if failed {
		f := text("0")
		if e.Failed > 0 {
			f = field{{fmt.Sprintf("%d", e.Failed), red}, {" " + oneDecimal(100*e.Fixed.Value) + "–" + oneDecimal(100*e.Most), ""}}
		}
		row = append(row, f)
	}
	for _, t := range turns {
		f := text(missing)
		for _, is := range e.Turns {
			if is.Turn == t {
				f = show(is.Score)
			}
		}
		row = append(row, f)
	}
	return row
}

// bracketed shows an estimate and its interval, × 100.
func bracketed(iv stats.Interval) field {
	switch {
	case iv.N == 0:
		return text(missing)
	case !iv.OK:
		return field{{text: oneDecimal(100 * iv.Value)}, {" [–]", dim}}
	}
	return field{{text: oneDecimal(100 * iv.Value)}, {" [" + oneDecimal(100*iv.Low) + ", " + oneDecimal(100*iv.High) + "]", dim}}
}
