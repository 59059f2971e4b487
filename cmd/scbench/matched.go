package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"scbench/outputs"
	"scbench/stages/engine"
)

// budgetCommand compares methods at equal bytes.
type budgetCommand struct {
	Folder string   `arg:"" name:"run" help:"Folder of a run with sweeps, such as -m 'full snapkv:budget=128|256|512 quest:budget=128|256|512'." type:"path"`
	At     []string `help:"Shares of a dense cache to compare at." default:"1/8,1/4,1/2" placeholder:"SHARE"`
	Read   bool     `help:"Match bytes that a decoded token reads, instead of bytes that are stored."`
	JSON   bool     `name:"json" help:"As JSON."`
}

// Run prints the curves.
func (k budgetCommand) Run(c console) error {
	var at []float64
	for _, s := range k.At {
		a, err := engine.ParseAmount(s)
		if err != nil || a.Share == 0 {
			return fmt.Errorf("--at %s: want a share of a dense cache, such as 1/8 or 12.5%%", s)
		}
		at = append(at, a.Share)
	}
	by := outputs.BytesHeld
	if k.Read {
		by = outputs.BytesRead
	}
	b := outputs.NewBudgets(by)
	if err := outputs.EachResultOf(resultsPath(k.Folder), outputs.SummaryColumns, func(r *outputs.Result) error { b.Add(r); return nil }); err != nil {
		return err
	}
	curves := b.Curves(at)
	if len(curves) == 0 {
		return errors.New("no method of the run has several settings that were measured to take different bytes: run a sweep, such as -m 'full snapkv:budget=128|256|512', or match what is read (--read)")
	}
	if k.JSON {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		return e.Encode(curves)
	}
	return outputs.BudgetTable(c.out, curves, by, at, outputs.TableOptions{Width: 120})
}
