package main

import (
	"fmt"
	"os"
	"path/filepath"

	"scbench/outputs"
)

// compareCommand compares two runs, or the methods of one.
type compareCommand struct {
	A        string  `arg:"" help:"Folder of a run, outputs/runs/ID, or a results file." type:"path"`
	B        string  `arg:"" optional:"" help:"The run to compare with it, method by method; A itself by default." type:"path"`
	Baseline string  `help:"Method of A that all others are compared with." placeholder:"METHOD"`
	Strict   bool    `help:"Compare published scores."`
	Alpha    float64 `help:"Level of the tests." default:"0.05"`
	Format   string  `help:"${enum}." enum:"text,csv,markdown" default:"text"`
}

// Run prints the comparison.
func (k compareCommand) Run(c console) error {
	if k.B == "" && k.Baseline == "" {
		return fmt.Errorf("name a second run, or with --baseline the method to compare the others with")
	}
	if !(k.Alpha > 0 && k.Alpha < 0.5) {
		return fmt.Errorf("--alpha %g: want a level above 0 and below 0.5", k.Alpha)
	}
	a, err := scoresOf(k.A)
	if err != nil {
		return err
	}
	b := a
	if k.B != "" {
		if b, err = scoresOf(k.B); err != nil {
			return err
		}
	}
	table, err := outputs.Compare(a, b, outputs.CompareOptions{Baseline: k.Baseline, Strict: k.Strict, Alpha: k.Alpha, Level: outputs.Level})
	if err != nil {
		return err
	}
	switch k.Format {
	case "csv":
		return table.CSV(c.out)
	case "markdown":
		return table.Markdown(c.out)
	}
	return table.Table(c.out, outputs.TableOptions{})
}

// resultsPath is the results file of a run's folder, or the file itself.
func resultsPath(from string) string {
	if info, err := os.Stat(from); err == nil && info.IsDir() {
		return filepath.Join(from, outputs.ResultsFile)
	}
	return from
}

func scoresOf(from string) (*outputs.Scores, error) { return outputs.ReadScores(resultsPath(from)) }
