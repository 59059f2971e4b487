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
