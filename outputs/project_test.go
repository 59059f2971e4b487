package outputs

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSomeColumnsSumUpTheSame wants the summary, the estimates and every projected field to be those of whole rows, over many
// batches, in a run's folder and of a file on its own.
func TestSomeColumnsSumUpTheSame(t *testing.T) {
	rows := append(nulls(), sampleRows([]string{"vt"}, 60, 5)...)
	run := finished(t, rows)
	path := filepath.Join(run, ResultsFile)
	lone := filepath.Join(t.TempDir(), "lone.parquet")
	write(t, lone, read(t, path))
	whole, err := ReadResults(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(whole) < 2*batchRows {
		t.Fatalf("%d rows are too few to need batches", len(whole))
	}
	for _, from := range []string{path, lone} {
		var s Summary
		var some, all Scores
		i := 0
		err := EachResultOf(from, SummaryColumns, func(r *Result) error {
			w := whole[i]
			all.Add(&w)
			some.Add(r)
			s.Add(r)
			for _, c := range projection(SummaryColumns) {
				if got, want := fieldByColumn(reflect.ValueOf(*r), c.name), fieldByColumn(reflect.ValueOf(w), c.name); !cmp.Equal(got, want) {
					return fmt.Errorf("row %d, %s: %v, want %v", i, c.name, got, want)
				}
			}
			i++
			return nil
		})
		if err != nil || i != len(whole) {
			t.Fatalf("%s: %d of %d rows, %v", from, i, len(whole), err)
		}
		if d := cmp.Diff(Summarize(whole).Cells, s.Cells); d != "" {
			t.Errorf("%s: summaries differ:\n%s", from, d)
		}
		if d := cmp.Diff(fmt.Sprint(all.Estimates()), fmt.Sprint(some.Estimates())); d != "" {
			t.Errorf("%s: estimates differ:\n%s", from, d)
		}
	}
}

func TestSomeColumnsStopAndFail(t *testing.T) {
	run := finished(t, sampleRows([]string{"vt"}, 60, 5))
	path := filepath.Join(run, ResultsFile)
	stop, n := errors.New("enough"), 0
	if err := EachResultOf(path, SummaryColumns, func(*Result) error { n++; return stop }); err != stop || n != 1 {
		t.Errorf("went on to row %d: %v", n, err)
	}
	data := read(t, path)
	for i := 0; i < len(data); i += len(data)/40 + 1 {
		bad := slices.Clone(data)
		bad[i] ^= 0x10
		write(t, path, bad)
		if err := EachResultOf(path, SummaryColumns, func(*Result) error { t.Fatal("a damaged file was parsed"); return nil }); !errors.Is(err, ErrCorrupt) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
	wantError(t, EachResultOf(filepath.Join(run, "none.parquet"), SummaryColumns, nil), "none.parquet")
	func() {
		defer func() {
			if p := fmt.Sprint(recover()); p != "outputs: no column of results to read is answers" {
				t.Errorf("a list: %s", p)
			}
		}()
		_ = EachResultOf(path, []string{"answers"}, nil)
	}()
}
