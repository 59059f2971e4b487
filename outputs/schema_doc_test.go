package outputs

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

// TestSchemaIsDocumented compares outputs/schema.md with the code.
func TestSchemaIsDocumented(t *testing.T) {
	var b bytes.Buffer
	if err := SchemaMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, c := range Columns() {
		if !strings.Contains(b.String(), "| `"+c.Name+"` | "+c.DuckDB+" |") {
			t.Errorf("the text lacks column %s", c.Name)
		}
		if c.Since < oldestSchema || c.Since > SchemaVersion {
			t.Errorf("column %s is there since version %d; versions go from %d to %d", c.Name, c.Since, oldestSchema, SchemaVersion)
		}
	}
	golden(t, filepath.Join("..", "schema.md"), b.String())
}

// TestReadsOlderVersions writes a file as version 2 did, and wants all of it, and the new columns empty. A bit that is flipped in it is
// noticed all the same.
func TestReadsOlderVersions(t *testing.T) {
	res, _ := prepared(t, nulls())
	var older []any
	var want []Result
	shape := narrowed(reflect.TypeFor[Result](), func(f reflect.StructField) bool { return since(f) <= 2 })
	sum := newRowSum()
	for _, r := range res {
		r.Question, r.Model, r.EvidenceDepth, r.ContextDeflated, r.SchemaVersion = 0, "", nil, nil, 2
		r.KeptHeads, r.KeptPlaces = nil, nil
		tidy(reflect.ValueOf(&r).Elem())
		row := reflect.New(shape).Elem()
		for i := range shape.NumField() {
			row.Field(i).Set(reflect.ValueOf(r).FieldByName(shape.Field(i).Name))
		}
		if err := sum.add(row.Interface()); err != nil {
			t.Fatal(err)
		}
		older, want = append(older, row.Interface()), append(want, r)
	}
	write2 := func(version, sum string, shape reflect.Type) string {
		var b bytes.Buffer
		schema := parquet.NewSchema("Result", parquet.SchemaOf(reflect.New(shape).Interface()))
		w := parquet.NewWriter(&b, schema, parquet.KeyValueMetadata(metaSchema, version), parquet.KeyValueMetadata(metaKind, "results"), parquet.KeyValueMetadata(metaSum, sum))
		for _, row := range older {
			if err := w.Write(row); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "old.parquet")
		write(t, path, b.Bytes())
		return path
	}
	got, err := ReadResults(write2("2", sum.String(), shape))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("version 2 (-wrote +read):\n%s", d)
	}
	_, err = ReadResults(write2("2", strings.Repeat("0", 64), shape))
	wantError(t, err, "not those that were written")
	_, err = ReadResults(write2("3", sum.String(), shape))
	wantError(t, err, "other columns")
	_, err = ReadResults(write2("1", sum.String(), shape))
	wantError(t, err, "this scbench reads 2 to 3")
	_, err = ReadResults(write2("02", sum.String(), shape))
	wantError(t, err, "this scbench reads 2 to 3")
}

// TestReadsTheFirstRelease reads a run that schema version 2 left, where one is at hand.
func TestReadsTheFirstRelease(t *testing.T) {
	path := os.Getenv("SCBENCH_OLD_RESULTS")
	if path == "" {
		t.Skip("set SCBENCH_OLD_RESULTS to a results file of an older version to have it read")
	}
	rows, err := ReadResults(path)
	if err != nil || len(rows) == 0 {
		t.Errorf("%d rows: %v", len(rows), err)
	}
}
