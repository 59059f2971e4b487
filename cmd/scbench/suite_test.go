package main

import (
	"strings"
	"testing"

	"scbench/datasets"
	"scbench/stages/methods"
)

// TestSuiteIsWhole: every method there is runs by default, or it is said why not; and every task has as many questions as are asked.
func TestSuiteIsWhole(t *testing.T) {
	var runs []string
	for _, spec := range suiteMethods {
		name, _, _ := strings.Cut(spec, ":")
		runs = append(runs, name)
	}
	for _, l := range leftOut {
		if l.why == "" {
			t.Errorf("why is %s left out?", l.method)
		}
	}
	i := 0
	for _, m := range methods.All {
		out := false
		for _, l := range leftOut {
			out = out || l.method == m.Name
		}
		switch {
		case out:
		case i < len(runs) && runs[i] == m.Name:
			i++
		default:
			t.Fatalf("%s is neither among the methods of a run, in the order of methods.All, nor among those that are left out", m.Name)
		}
	}
	if i != len(runs) {
		t.Errorf("%v are no methods", runs[i:])
	}
	if n := len(suiteTasks()); n != 12 {
		t.Errorf("%d tasks", n)
	}
	for _, name := range suiteTasks() {
		task, err := datasets.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := datasets.Generate(t.Context(), task, datasets.BuildOptions{Profile: "mini", Examples: 1, Turns: suiteTurns})
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range rows {
			if err != nil || len(row.Example.Turns) != suiteTurns {
				t.Errorf("%s: %v, %d questions", name, err, len(row.Example.Turns))
			}
		}
	}
}
