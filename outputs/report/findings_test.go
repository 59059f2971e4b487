package report

import (
	"testing"

	"scbench/outputs"
)

// TestFindingsAreThoseOfTheRows wants all claims in the page, judged as outputs judges them, and none where two runs have the same methods.
func TestFindingsAreThoseOfTheRows(t *testing.T) {
	dir := t.TempDir()
	results := small.write(t, dir, nil)
	r := read(t, results)
	var s outputs.Scores
	var sum outputs.Summary
	if err := outputs.EachResult(results, func(q *outputs.Result) error { s.Add(q); sum.Add(q); return nil }); err != nil {
		t.Fatal(err)
	}
	want, err := outputs.Findings(&s, &sum, outputs.FindingsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	table := findings.tables(r)[0]
	if len(table.Rows) != len(want) {
		t.Fatalf("%d rows of %d claims", len(table.Rows), len(want))
	}
	judged := 0
	for i, f := range want {
		if row := table.Rows[i]; row.Cells[0].Text != f.ID || row.Cells[1].Text != string(f.Verdict) || row.Cells[5].Text != f.Why {
			t.Errorf("row %v, want %s %s", row.Cells, f.ID, f.Verdict)
		}
		if f.Verdict != outputs.NotMeasured {
			judged++
		}
	}
	if judged == 0 {
		t.Error("no claim was measured")
	}
	other := small
	other.id = "other"
	if both := read(t, results, other.write(t, dir, nil)); findings.tables(both) != nil {
		t.Error("claims are judged where two runs have the same methods")
	}
}
