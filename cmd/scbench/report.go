package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"scbench/kernels"
	"scbench/outputs"
	"scbench/stages"
)

// report prints the table and what the run cost.
func (r *runCommand) report(c console, dir string, j *stages.Job, took time.Duration, ended error) error {
	rows, err := outputs.ReadResults(filepath.Join(dir, outputs.ResultsFile))
	if err != nil {
		return err
	}
	summary := outputs.Summarize(rows)
	if err := summary.Table(c.out, outputs.TableOptions{}); err != nil {
		return err
	}
	picture, err := summary.WriteCurves(dir)
	if err != nil {
		return err
	}
	notes := append(caveats(rows), weak(summary)...)
	if slices.Equal(r.Method, suiteMethods) {
		notes = append(notes, leftOutNote())
	}
	for _, note := range notes {
		fmt.Fprintf(c.out, "\nnote     %s\n", note)
	}
	computed, alone := j.Prefilled()
	how := "shared beginnings were computed once"
	if j.NoShare {
		how = "nothing was shared"
	}
	fmt.Fprintf(c.out, "\nprefill  %d tokens computed for prompts of %d: %s\n", computed, alone, how)
	if n := j.Apart(); n > 0 {
		fmt.Fprintf(c.out, "chunks   %d tokens computed apart, as chunks of contexts that were put together from them\n", n)
	}
	if j.Prefix != nil {
		p := j.Prefix.Stats()
		fmt.Fprintf(c.out, "prefixes %d tokens were in the cache; %s stored, %s evicted\n", p.Reused, bytesText(p.Stored), bytesText(p.Evicted))
		if p.Damaged > 0 {
			fmt.Fprintf(c.out, "         %d entries were damaged on disk; they were discarded and computed anew\n", p.Damaged)
		}
		if p.Unstored > 0 {
			fmt.Fprintf(c.err, "note: %d ends of prompts were not stored, since what a method observes of them cannot be: they will be computed again\n", p.Unstored)
		}
		if p.Failed != nil {
			fmt.Fprintf(c.err, "note: nothing more was stored: %v\n", p.Failed)
		}
	}
	fmt.Fprintf(c.out, "time     %.1f s on %d threads, kernels %s, precision %s\n", took.Seconds(), j.Engine.Pool.Threads(), kernels.Tier(), j.Base.Precision)
	fmt.Fprintf(c.out, "memory   %s peak, of it %s KV cache\n", bytesText(stages.PeakRSS()), bytesText(j.Engine.Store.Peak()))
	fmt.Fprintf(c.out, "results  %s\n", filepath.Join(dir, outputs.ResultsFile))
	fmt.Fprintf(c.out, "picture  %s\n", picture)
	fmt.Fprintf(c.out, "next     duckdb -c \"select method, turn, avg(score_fixed) from '%s' group by all order by all\"\n", filepath.Join(dir, outputs.ResultsFile))
	if ended != nil {
		fmt.Fprintln(c.err, "the finished rows are kept; the same command goes on from here")
		return ended
	}
	if slices.ContainsFunc(rows, func(r outputs.Result) bool { return !r.Status.Failure() }) {
		return nil
	}
	return fmt.Errorf("none of %d queries was answered; the notes above say why", len(rows))
}

// plan prints what the run would do. Its time is that of a prompt and some decoding, measured now.
func (r *runCommand) plan(ctx context.Context, c console, o *opened, j *stages.Job, sets sources) error {
	p, err := j.Plan(ctx, sets.work(r, j, nil))
	if err != nil {
		return err
	}
	rate, err := j.Engine.Rate(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "queries  %d: %d contexts, %d methods, %d modes\n", p.Queries, p.Examples, len(j.Policies), len(j.Modes))
	fmt.Fprintf(c.out, "prefill  %d tokens for prompts of %d; the least that would do is %d\n", p.Prefill, p.Alone, p.Bound)
	if p.Apart > 0 {
		fmt.Fprintf(c.out, "chunks   %d tokens computed apart, as chunks of contexts that are put together from them\n", p.Apart)
	}
	fmt.Fprintf(c.out, "follow   %d tokens of questions and answers given\n", p.Follow)
	fmt.Fprintf(c.out, "memory   up to %s of KV cache for one context; %s\n", bytesText(p.Peak), o.planned)
	fmt.Fprintf(c.out, "time     about %.0f s for prompts and questions at %.0f tokens/s, and what the answers take\n", float64(p.Prefill+p.Apart+p.Follow)/rate, rate)
	return nil
}

// caveats says what a reader of the table has to know of its rows.
func caveats(rows []outputs.Result) (notes []string) {
	var truncated, cut int
	failed, why := map[outputs.Status]int{}, map[outputs.Status]string{}
	works := map[string]bool{} // methods that dropped or skipped something, or promise nothing
	var methods []string
	for _, r := range rows {
		if r.TruncatedTokens > 0 {
			truncated++
		}
		if r.Evidence == outputs.EvidenceCut {
			cut++
		}
		if r.Status.Failure() {
			failed[r.Status]++
			if r.Error != nil && why[r.Status] == "" {
				why[r.Status] = outputs.Clean(*r.Error)
			}
		}
		if _, seen := works[r.Method]; !seen {
			methods = append(methods, r.Method)
			works[r.Method] = false
		}
		if acts(r) {
			works[r.Method] = true
		}
	}
	if truncated > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d queries had their context cut to fit; for %d of them the evidence was cut out", truncated, len(rows), cut))
	}
	for _, s := range []outputs.Status{outputs.Refused, outputs.TimedOut, outputs.Failed} {
		if failed[s] > 0 {
			notes = append(notes, fmt.Sprintf("%d of %d queries are %s and count as 0: %s", failed[s], len(rows), s, why[s]))
		}
	}
	var idle []string
	for _, m := range methods {
		if !works[m] {
			idle = append(idle, m)
		}
	}
	if len(idle) > 0 {
		notes = append(notes, fmt.Sprintf("full attention under other names, since what their settings allow is all of these contexts: %s", strings.Join(idle, "; ")))
	}
	return notes
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
func acts(r outputs.Result) bool {
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

// showRunCommand prints the table of a run.
type showRunCommand struct {
	From     string `arg:"" help:"Folder of the run, outputs/runs/ID, or a results file." type:"path"`
	Markdown bool   `help:"As Markdown." xor:"form"`
	Paper    bool   `help:"As the paper aggregates: published scoring, means of turns' means, skills and AVG." xor:"form"`
	Details  bool   `help:"Every mean with the number of queries behind it: by task, part, method and turn." xor:"form"`

	Intervals bool `help:"Every score with its 95 % interval, over sessions, and its n." xor:"form"`
}

// Run prints the table, and below it what one has to know to read it.
func (s showRunCommand) Run(c console) error {
	rows, err := outputs.ReadResults(resultsPath(s.From))
	if err != nil {
		return err
	}
	summary := outputs.Summarize(rows)
	switch {
	case s.Markdown:
		return summary.Markdown(c.out)
	case s.Paper:
		err = summary.Paper(c.out, outputs.TableOptions{})
	case s.Details:
		err = summary.Details(c.out, outputs.TableOptions{})
	case s.Intervals:
		var scores outputs.Scores
		for i := range rows {
			scores.Add(&rows[i])
		}
		err = outputs.EstimatesTable(c.out, scores.Estimates(), outputs.TableOptions{})
	default:
		err = summary.Table(c.out, outputs.TableOptions{})
	}
	if err != nil {
		return err
	}
	for _, note := range append(caveats(rows), weak(summary)...) {
		fmt.Fprintf(c.out, "\nnote     %s\n", note)
	}
	return nil
}
