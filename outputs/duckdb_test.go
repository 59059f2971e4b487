package outputs

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDuckDB has DuckDB, an independent reader, check a run's files against Columns, and checks that a wrong column, a
// lost timing and a foreign file are noticed. It needs Node and `npm ci --prefix .ci/duckdb`.
func TestDuckDB(t *testing.T) {
	ci := filepath.Join("..", ".ci", "duckdb")
	if _, err := os.Stat(filepath.Join(ci, "node_modules", "@duckdb", "node-api")); err != nil {
		t.Skip("DuckDB is not installed; run `npm ci --prefix .ci/duckdb` to have this test")
	}
	dir := finished(t, nulls())
	check := func(columns []Column, dir string) (string, error) {
		data, err := json.Marshal(columns)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("node", filepath.Join(ci, "check.mjs"), filepath.Join(dir, ResultsFile), "-")
		cmd.Stdin = bytes.NewReader(data)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := check(Columns(), dir)
	t.Log(out)
	if err != nil || !strings.Contains(out, "ok: 96 rows") {
		t.Fatalf("DuckDB does not agree: %v", err)
	}

	wrong := Columns()
	wrong[3].DuckDB = "BIGINT"
	if out, err := check(wrong, dir); err == nil || !strings.Contains(out, "turn INTEGER, the schema says turn BIGINT") {
		t.Errorf("a wrong type went unnoticed: %v\n%s", err, out)
	}
	if out, err := check(append(Columns()[:57:57], Columns()[58:]...), dir); err == nil {
		t.Errorf("a missing column went unnoticed:\n%s", out)
	}

	lost := filepath.Join(t.TempDir(), "lost")
	if err := os.CopyFS(lost, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	_, tim := prepared(t, nulls())
	var b bytes.Buffer
	if err := WriteTimings(&b, tim[1:]); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(lost, TimingsFile), b.Bytes())
	if out, err := check(Columns(), lost); err == nil || !strings.Contains(out, "96 results and 95 timings") {
		t.Errorf("a lost timing went unnoticed: %v\n%s", err, out)
	}
	write(t, filepath.Join(lost, TimingsFile), read(t, dir, ResultsFile))
	if out, err := check(Columns(), lost); err == nil {
		t.Errorf("results in the place of timings went unnoticed:\n%s", out)
	}
}

// TestTablesSQL has DuckDB make the paper's tables with examples/tables.sql, of a sweep with a mixed task, failures, turns that few
// sessions have and queries without a score, and compares them with what Paper prints; a score that is another is noticed.
func TestTablesSQL(t *testing.T) {
	ci := filepath.Join("..", ".ci", "duckdb")
	if _, err := os.Stat(filepath.Join(ci, "node_modules", "@duckdb", "node-api")); err != nil {
		t.Skip("DuckDB is not installed; run `npm ci --prefix .ci/duckdb` to have this test")
	}
	var rows []Row
	for i, row := range sampleRows([]string{"kv", "mf", "repoqa_and_kv"}, 5, 4) {
		r := &row.Result
		switch {
		case r.Task == "repoqa_and_kv":
			r.Part, r.Skill = []string{"repoqa", "kv"}[r.Turn%2], "multi-tasking"
		case r.Task == "mf" && i%7 == 0:
			r.ScoreStrict, r.ScoreFixed = nil, nil
		case r.Task == "kv" && r.Turn == 4 && r.Example != "kv-000001":
			continue
		case i%11 == 0:
			r.Status, r.ScoreStrict, r.ScoreFixed = Failed, ptr(0.0), ptr(0.0)
		default:
			r.ScoreStrict = ptr(float64(i%5) / 5)
		}
		rows = append(rows, row)
	}
	dir := finished(t, rows)
	hive := filepath.Join(t.TempDir(), "hive")
	if err := Hive(hive, dir); err != nil {
		t.Fatal(err)
	}
	compare := func(rows []Result) (string, error) {
		var b bytes.Buffer
		if err := Summarize(rows).Paper(&b, TableOptions{}); err != nil {
			t.Fatal(err)
		}
		paper := filepath.Join(t.TempDir(), "paper.txt")
		write(t, paper, b.Bytes())
		out, err := exec.Command("node", filepath.Join(ci, "tables.mjs"), filepath.Join("..", "examples", "tables.sql"), paper,
			filepath.Join(dir, ResultsFile), filepath.Join(hive, "results", "**", "*.parquet")).CombinedOutput()
		return string(out), err
	}
	all := results(rows)
	out, err := compare(all)
	if err != nil || strings.Count(out, "ok: ") != 2 {
		t.Errorf("DuckDB does not agree: %v\n%s", err, out)
	}
	*all[2].ScoreStrict += 0.5
	if out, err := compare(all); err == nil {
		t.Errorf("a wrong score went unnoticed:\n%s", out)
	}
}
