package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"scbench/outputs"
)

// findingsCommand checks the paper's claims.
type findingsCommand struct {
	Runs  []string `arg:"" name:"run" help:"Folders of runs, outputs/runs/ID, or results files; several are taken together, such as one with gold and one with own answers." type:"path"`
	Drift string   `help:"The file that scbench drift wrote for the same model (T9); drift.parquet beside a run is found." placeholder:"FILE" type:"existingfile"`
	Other string   `help:"Run of prefixsuffix with another model, of which one is a hybrid (T10)." placeholder:"RUN" type:"path"`
	JSON  bool     `name:"json" help:"As JSON."`
}

// Run prints the findings.
func (f findingsCommand) Run(c console) error {
	var scores outputs.Scores
	var summary outputs.Summary
	from := map[string]string{} // which run a cell's rows are of
	for i, run := range f.Runs {
		path := resultsPath(run)
		if slices.Contains(f.Runs[:i], run) {
			return fmt.Errorf("%s is named twice", run)
		}
		err := outputs.EachResultOf(path, outputs.SummaryColumns, func(r *outputs.Result) error {
			cell := fmt.Sprintf("%s, %s, %s history, %s", r.Task, r.Mode, r.History, r.Method)
			if was, ok := from[cell]; ok && was != path {
				return fmt.Errorf("%s and %s both have %s: check them one by one", was, path, outputs.Clean(cell))
			}
			from[cell] = path
			scores.Add(r)
			summary.Add(r)
			return nil
		})
		if err != nil {
			return err
		}
		if beside := filepath.Join(filepath.Dir(path), outputs.DriftFile); f.Drift == "" {
			if _, err := os.Stat(beside); err == nil {
				f.Drift = beside
			}
		}
	}
	o := outputs.FindingsOptions{Drift: f.Drift}
	if f.Other != "" {
		for _, run := range []string{f.Runs[0], f.Other} {
			var s outputs.Spelling
			if err := outputs.EachResult(resultsPath(run), func(r *outputs.Result) error { s.Add(r); return nil }); err != nil {
				return err
			}
			o.Spelling = append(o.Spelling, &s)
		}
	}
	all, err := outputs.Findings(&scores, &summary, o)
	if err != nil {
		return err
	}
	if f.JSON {
		return outputs.FindingsJSON(c.out, all)
	}
	return outputs.FindingsTable(c.out, all, outputs.TableOptions{})
}
