package main

import (
	"fmt"
	"strings"

	"scbench/outputs"
)

// caution collects what a reader of a table has to know of its rows.
type caution struct {
	rows, truncated, cut int
	failed               map[outputs.Status]int
	why                  map[outputs.Status]string
	methods              []string        // as first seen
	works                map[string]bool // methods that dropped or skipped something, or promise nothing
}

// add takes a row in.
func (k *caution) add(r *outputs.Result) {
	if k.works == nil {
		k.failed, k.why, k.works = map[outputs.Status]int{}, map[outputs.Status]string{}, map[string]bool{}
	}
	k.rows++
	if r.TruncatedTokens > 0 {
		k.truncated++
	}
	if r.Evidence == outputs.EvidenceCut {
		k.cut++
	}
	if r.Status.Failure() {
		k.failed[r.Status]++
		if r.Error != nil && k.why[r.Status] == "" {
			k.why[r.Status] = outputs.Clean(*r.Error)
		}
	}
	works, seen := k.works[r.Method]
	if !seen {
		k.methods = append(k.methods, r.Method)
	}
	if !works {
		k.works[r.Method] = acts(r)
	}
}

// notes says it.
func (k *caution) notes() (notes []string) {
	if k.truncated > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d queries had their context cut to fit; for %d of them the evidence was cut out", k.truncated, k.rows, k.cut))
	}
	for _, s := range []outputs.Status{outputs.Refused, outputs.TimedOut, outputs.Failed} {
		if k.failed[s] > 0 {
			notes = append(notes, fmt.Sprintf("%d of %d queries are %s and count as 0: %s", k.failed[s], k.rows, s, k.why[s]))
		}
	}
	var idle []string
	for _, m := range k.methods {
		if !k.works[m] {
			idle = append(idle, m)
		}
	}
	if len(idle) > 0 {
		notes = append(notes, fmt.Sprintf("full attention under other names, since what their settings allow is all of these contexts: %s", strings.Join(idle, "; ")))
	}
	return notes
}

// caveats are the notes on rows.
func caveats(rows []outputs.Result) []string {
	var k caution
	for i := range rows {
		k.add(&rows[i])
	}
	return k.notes()
}

// weakBelow is the score of full attention below which a task tells little of other methods.
const weakBelow = 0.5

// weak names the tasks that the model itself cannot do.
func weak(s outputs.Summary) (notes []string) {
	var tasks []string
	scores := map[string]*outputs.Mean{} // over the modes; looked up, never iterated
	for _, c := range s.Cells {
		if x, ok := c.Fixed(); ok && c.Method == "full" {
			if scores[c.Task] == nil {
				tasks, scores[c.Task] = append(tasks, c.Task), &outputs.Mean{}
			}
			scores[c.Task].Add(x)
		}
	}
	var below []string
	for _, task := range tasks {
		if x, _ := scores[task].Value(); x < weakBelow {
			below = append(below, fmt.Sprintf("%s (%.1f)", outputs.Clean(task), 100*x))
		}
	}
	if len(below) == 0 {
		return nil
	}
	return []string{"the model is weak at " + strings.Join(below, ", ") + ": full attention scores below " + fmt.Sprint(100*weakBelow) + ", and other methods cannot be told apart there"}
}

// acts reports whether the method of a row dropped, skipped, shortened or changed anything, or is full attention by name.
func acts(r *outputs.Result) bool {
	switch {
	case r.Status.Failure(), r.Method == "full", r.KeptMin < r.PromptTokens, r.PrefillCells < r.PrefillCellsDense, r.DecodeCells < r.DecodeCellsDense:
		return true
	case r.BudgetTokens == nil && r.KLFull == nil: // it promised nothing, and nobody has compared
		return true
	case r.KVBytesResident < r.KVBytesLogical, r.KLFull != nil && *r.KLFull > 0, r.FirstDivergingToken != nil:
		return true
	}
	return false
}
