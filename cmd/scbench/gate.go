package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"scbench/outputs"
)

// gateCommand passes or fails a run against a baseline, for CI.
type gateCommand struct {
	Judged    string  `arg:"" name:"run" help:"Folder of the run to judge, outputs/runs/ID, or a results file." type:"path"`
	Baseline  string  `required:"" help:"Run or results file to compare with." type:"path" placeholder:"RUN"`
	Method    string  `help:"Method of the baseline that all are compared with; each with itself by default." placeholder:"SPEC"`
	Drop      float64 `help:"Allowed drop of a score, where 1 is all." default:"0.02"`
	Alpha     float64 `help:"Chance of a false regression, and of a false pass." default:"0.05"`
	MaxFailed float64 `help:"Share of failed or missing queries above which nothing is said of scores." default:"0.05"`
	Each      bool    `help:"Every task must have the power to tell, not only the mean over tasks."`
	Strict    bool    `help:"Judge published scores."`
	Junit     string  `help:"Write JUnit XML." placeholder:"FILE" type:"path"`
	Markdown  string  `help:"Write Markdown." placeholder:"FILE" type:"path"`
}

// verdictError is the outcome of a gate that did not pass; it was printed already.
type verdictError outputs.Outcome

func (v verdictError) Error() string { return "gate: " + outputs.Outcome(v).String() }

// Run prints the verdict.
func (g gateCommand) Run(c console) error {
	switch {
	case !(g.Alpha > 0 && g.Alpha < 0.5):
		return fmt.Errorf("--alpha %g: want a level above 0 and below 0.5", g.Alpha)
	case !(g.Drop >= 0 && g.Drop <= 1):
		return fmt.Errorf("--drop %g: want a drop of 0 to 1; scores are in [0, 1]", g.Drop)
	case !(g.MaxFailed >= 0 && g.MaxFailed <= 1):
		return fmt.Errorf("--max-failed %g: want a share of 0 to 1", g.MaxFailed)
	}
	baseline, err := scoresOf(g.Baseline)
	if err != nil {
		return err
	}
	run, err := scoresOf(g.Judged)
	if err != nil {
		return err
	}
	verdict, err := outputs.Judge(baseline, run, outputs.GateOptions{Drop: g.Drop, Alpha: g.Alpha, MaxFailed: g.MaxFailed, Each: g.Each, Baseline: g.Method, Strict: g.Strict})
	if err != nil {
		return err
	}
	if err := errors.Join(verdict.Table(c.out, outputs.TableOptions{}), writeTo(g.Junit, verdict.JUnit), writeTo(g.Markdown, verdict.Markdown)); err != nil {
		return err
	}
	if verdict.Outcome != outputs.Passed {
		return verdictError(verdict.Outcome)
	}
	return nil
}

// writeTo writes a file, or nothing where no path was given.
func writeTo(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}
