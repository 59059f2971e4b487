package main

import (
	"fmt"
	"path/filepath"

	"scbench/outputs"
)

// exportCommand copies rows for other tools.
type exportCommand struct {
	Runs []string `arg:"" name:"run" help:"Folders of runs, outputs/runs/ID, or results files." type:"path"`
	Hive string   `required:"" help:"New folder for results/task=…/mode=…/method=…/*.parquet and timings/ likewise, as DuckDB, pandas, pyarrow and Polars read them." placeholder:"DIR" type:"path"`
}

// Run writes the folder and says how to read it.
func (e exportCommand) Run(c console) error {
	if err := outputs.Hive(e.Hive, e.Runs...); err != nil {
		return err
	}
	files := filepath.Join(e.Hive, "results", "**", "*.parquet")
	_, err := fmt.Fprintf(c.out, "written  %s\nnext     duckdb -c \"select method, turn, avg(score_fixed) from '%s' group by all order by all\"\n", e.Hive, files)
	return err
}
