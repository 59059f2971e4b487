package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scbench/outputs"
)

// analysed writes an analysis of one prompt beside a run's results: full attention, and a method with a name of its own.
func analysed(t *testing.T, path, method string) {
	t.Helper()
	var b bytes.Buffer
	w := outputs.NewDriftWriter(&b)
	for position := int32(-1); position < 3; position++ {
		full := outputs.Drift{Task: "kv", Example: "kv-000000", Turn: 1, Method: outputs.DriftFull, Position: position, Prompt: 100, Overlap: ptr(0.25), TopMass: ptr(0.5),
			GeneratedMass: ptr(0.0), Entropy: ptr(1.0), Divergence: ptr(0.1), DistanceMass: []float64{0.5, 0.5}}
		other := outputs.Drift{Task: "kv", Example: "kv-000000", Turn: 1, Method: method, Position: position, Prompt: 100, KeysRead: ptr(10.0), ReadMass: ptr(0.75), PromptMass: ptr(0.625), ReadTop: ptr(0.5)}
		if err := w.Write(full); err != nil {
			t.Fatal(err)
		}
		if position >= 0 {
			if err := w.Write(other); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDrift wants an analysis in a run's folder, or named, to be a section with its numbers, table and figure, and no section without.
func TestDrift(t *testing.T) {
	section := func(r *Report) *pageSection {
		for _, s := range parse(t, page(t, r)).data.Sections {
			if s.ID == "drift" {
				return &s
			}
		}
		return nil
	}
	results := small.write(t, t.TempDir(), nil)
	if s := section(read(t, results)); s != nil {
		t.Errorf("there is no analysis, and a section %q", s.Title)
	}
	analysed(t, filepath.Join(filepath.Dir(results), outputs.DriftFile), "snapkv:budget=1</script><b>")
	r := read(t, results)
	s := section(r)
	if s == nil {
		t.Fatal("the analysis in the run's folder has no section")
	}
	lines := s.Data.(map[string]any)
	first := lines["read"].([]any)[0].(map[string]any)
	if first["name"] != "snapkv" || first["v"].([]any)[0] != nil || first["v"].([]any)[1] != 0.75 || lines["prompt"].([]any)[0].(map[string]any)["v"].([]any)[2] != 0.625 {
		t.Errorf("numbers of the section: %v", lines)
	}
	if n := strings.Count(page(t, r), "</script><b>"); n > 0 {
		t.Errorf("a method's name ends a script %d times", n)
	}
	var csv, svg bytes.Buffer
	if err := drift.tables(r)[0].CSV(&csv); err != nil || !strings.Contains(csv.String(), "reads of the prompt") || !strings.Contains(csv.String(), "62.5") {
		t.Errorf("%v, table:\n%s", err, csv.String())
	}
	if err := drift.figures(r)[0].SVG(&svg); err != nil || !strings.Contains(svg.String(), "How far back it looks") {
		t.Errorf("figure: %v", err)
	}
	named := filepath.Join(t.TempDir(), "other.parquet")
	analysed(t, named, "quest")
	r, err := Read([]string{results}, Options{Drift: named})
	if err != nil || r.drift.names[0] != "quest" {
		t.Errorf("the analysis that was named: %v", err)
	}
	if _, err := Read([]string{results}, Options{Drift: results}); err == nil || !strings.Contains(err.Error(), "holds results, not drift") {
		t.Errorf("results named as an analysis: %v", err)
	}
}
