package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"scbench/kernels"
	"scbench/outputs"
	"scbench/stages"
)

// rowsWithIntervals is up to how many rows the table has intervals without being asked for them: they take a second there.
const rowsWithIntervals = 200_000

// report prints the table and what the run cost.
func (r *runCommand) report(c console, dir string, j *stages.Job, took time.Duration, ended error) error {
	rows, err := outputs.ReadResults(filepath.Join(dir, outputs.ResultsFile))
	if err != nil {
		return err
	}
	summary := outputs.Summarize(rows)
	var scores outputs.Scores
	if len(rows) <= rowsWithIntervals {
		for i := range rows {
			scores.Add(&rows[i])
		}
	}
	if err := summary.Table(c.out, outputs.TableOptions{Intervals: scores.Estimates()}); err != nil {
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
	if err := r.page(c, filepath.Join(dir, outputs.ResultsFile)); err != nil {
		return err
	}
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
	var summary outputs.Summary
	var scores outputs.Scores
	var know caution
	rows := 0
	err := outputs.EachResultOf(resultsPath(s.From), outputs.SummaryColumns, func(r *outputs.Result) error {
		summary.Add(r)
		know.add(r)
		switch rows++; {
		case s.Intervals || rows <= rowsWithIntervals:
			scores.Add(r)
		case rows == rowsWithIntervals+1:
			scores = outputs.Scores{} // those of some rows are not those of all
		}
		return nil
	})
	if err != nil {
		return err
	}
	switch {
	case s.Markdown:
		return summary.Markdown(c.out)
	case s.Paper:
		err = summary.Paper(c.out, outputs.TableOptions{})
	case s.Details:
		err = summary.Details(c.out, outputs.TableOptions{})
	case s.Intervals:
		err = outputs.EstimatesTable(c.out, scores.Estimates(), outputs.TableOptions{})
	default:
		err = summary.Table(c.out, outputs.TableOptions{Intervals: scores.Estimates()})
	}
	if err != nil {
		return err
	}
	for _, note := range append(know.notes(), weak(summary)...) {
		fmt.Fprintf(c.out, "\nnote     %s\n", note)
	}
	return nil
}
