package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"scbench/datasets"
	"scbench/outputs"
	"scbench/stages/methods"
	"scbench/stages/models"
)

// listCommand prints what the program knows.
type listCommand struct {
	What string `arg:"" optional:"" enum:"all,tasks,methods,settings,profiles,models,columns" default:"all" help:"One of tasks, methods, settings (of methods), profiles, models, columns; all but columns by default."`
	JSON bool   `name:"json" help:"Columns as JSON." xor:"form"`

	Markdown bool `help:"Columns as Markdown, which is outputs/schema.md." xor:"form"`
}

// Run prints the lists.
func (l listCommand) Run(c console) error {
	if (l.JSON || l.Markdown) && l.What != "columns" {
		return errors.New("--json and --markdown are for columns: scbench list columns --json")
	}
	if l.Markdown {
		return outputs.SchemaMarkdown(c.out)
	}
	if l.JSON {
		e := json.NewEncoder(c.out)
		e.SetIndent("", " ")
		return e.Encode(append(outputs.Columns(), outputs.DriftColumns()...))
	}
	for _, s := range []struct {
		name  string
		print func(io.Writer)
	}{
		{"tasks", listTasks}, {"methods", listMethods}, {"settings", listSettings}, {"profiles", listProfiles}, {"models", listModels}, {"columns", listColumns},
	} {
		if l.What == s.name {
			return table(c.out, s.print)
		}
		if l.What == "all" && s.name != "columns" {
			fmt.Fprintf(c.out, "%s\n", strings.ToUpper(s.name))
			if err := table(c.out, s.print); err != nil {
				return err
			}
			fmt.Fprintln(c.out)
		}
	}
	return nil
}

// table aligns what print writes, cells divided by tabs.
func table(w io.Writer, print func(io.Writer)) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	print(t)
	return t.Flush()
}

func listTasks(w io.Writer) {
	for _, t := range datasets.All {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.Name, t.Paper, t.Skill, t.Doc)
	}
}

func listMethods(w io.Writer) {
	for _, m := range methods.All {
		fmt.Fprintf(w, "%s\t%s\t%s\n", m.Name, m.Stage, m.Doc)
	}
}

// listSettings prints the settings of methods with their defaults.
func listSettings(w io.Writer) {
	for _, m := range methods.All {
		for _, p := range m.Params {
			fmt.Fprintf(w, "%s\t%s=%s\t%s\n", m.Name, p.Name, p.Default, p.Doc)
		}
	}
}

func listProfiles(w io.Writer) {
	for _, p := range datasets.Profiles {
		size, kind := fmt.Sprintf("%d tokens", p.Tokens), "published formats"
		if p.Tokens == 0 {
			size = "as published"
		}
		if p.Mini {
			kind = "formats of the embedded model, where it knows one of the task"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, size, kind)
	}
}

func listModels(w io.Writer) {
	for _, a := range models.All {
		fmt.Fprintf(w, "%s\t%s\n", a.Name, a.Doc)
	}
	fmt.Fprintf(w, "GGUF files\t%s\n", models.GGUFDoc())
}

func listColumns(w io.Writer) {
	for _, c := range append(outputs.Columns(), outputs.DriftColumns()...) {
		null := ""
		if c.Nullable {
			null = "nullable"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", c.File, c.Name, c.DuckDB, null, c.Since, c.Doc)
	}
}
