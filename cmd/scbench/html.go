package main

import (
	"fmt"
	"io"
	"net/url"
	"path/filepath"

	"scbench/datasets"
	"scbench/outputs"
	"scbench/outputs/report"
	"scbench/stages/methods"
)

// reportCommand draws runs.
type reportCommand struct {
	Runs    []string `arg:"" name:"run" help:"Folders of runs, outputs/runs/ID, or results files. Several are drawn together; methods that more than one has are told apart by a letter." type:"path"`
	Out     string   `short:"o" help:"The page; report.html in the folder of a single run, else here." placeholder:"FILE" type:"path"`
	Figures string   `help:"Write the figures as SVG." placeholder:"DIR" type:"path"`
	Drift   string   `help:"Analysis of long generation, by scbench drift, to show too; drift.parquet in a run's folder by default." placeholder:"FILE" type:"existingfile"`
	Tables  string   `help:"Write the tables as CSV, Markdown and LaTeX." placeholder:"DIR" type:"path"`
}

// Run writes the page and what else was asked for, and prints where.
func (k reportCommand) Run(c console) error {
	var paths []string
	for _, from := range k.Runs {
		paths = append(paths, resultsPath(from))
	}
	o := reportOptions()
	o.Drift = k.Drift
	r, err := report.Read(paths, o)
	if err != nil {
		return err
	}
	out := k.Out
	if out == "" {
		out = report.File
		if len(paths) == 1 {
			out = filepath.Join(filepath.Dir(paths[0]), report.File)
		}
	}
	if err := r.WriteHTML(out); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "report   %s\n", link(c.out, out))
	if k.Figures != "" {
		n, err := r.WriteFigures(k.Figures)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "figures  %d SVG files in %s\n", n, k.Figures)
	}
	if k.Tables != "" {
		n, err := r.WriteTables(k.Tables)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "tables   %d in %s, as CSV, Markdown and LaTeX\n", n, k.Tables)
	}
	return nil
}

// reportOptions explain the names of tasks and methods, and say of the rows what show says.
func reportOptions() report.Options {
	var summary outputs.Summary
	var know caution
	o := report.Options{
		Each:  func(r *outputs.Result) { summary.Add(r); know.add(r) },
		Notes: func() []string { return append(know.notes(), weak(summary)...) },
	}
	for _, t := range datasets.All {
		o.Tasks = append(o.Tasks, report.Entry{Name: t.Name, Title: t.Paper, Group: string(t.Skill), Doc: t.Doc})
	}
	for _, m := range methods.All {
		o.Methods = append(o.Methods, report.Entry{Name: m.Name, Title: m.Paper, Group: string(m.Stage), Doc: m.Doc})
	}
	return o
}

// page draws the finished run and prints where.
func (r *runCommand) page(c console, results string) error {
	if !r.Report {
		return nil
	}
	drawn, err := report.Read([]string{results}, reportOptions())
	if err != nil {
		return err
	}
	path := filepath.Join(filepath.Dir(results), report.File)
	if err := drawn.WriteHTML(path); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "report   %s\n", link(c.out, path))
	return nil
}

// link is a path that a terminal opens where it is clicked on (OSC 8), and the bare path elsewhere.
func link(w io.Writer, path string) string {
	abs, err := filepath.Abs(path)
	if err != nil || !terminal(w) {
		return path
	}
	return fmt.Sprintf("\x1b]8;;%s\x1b\\%s\x1b]8;;\x1b\\", &url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}, outputs.Clean(path))
}
