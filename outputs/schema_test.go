package outputs

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"
)

func TestColumnsAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	name := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	for _, c := range Columns() {
		if !name.MatchString(c.Name) || c.Doc == "" || strings.HasSuffix(c.Doc, ".") {
			t.Errorf("column %+v: name and doc (no full stop) are required", c)
		}
		if seen[c.File+c.Name] {
			t.Errorf("column %s is there twice in %s", c.Name, c.File)
		}
		seen[c.File+c.Name] = true
	}
	for _, want := range []string{"resultsrun", "resultskl_full", "timingsrun", "timingsfinished"} {
		if !seen[want] {
			t.Errorf("Columns lacks %s", want)
		}
	}
}

// clocky finds names and docs that speak of the clock or the operating system.
var clocky = regexp.MustCompile(`(?i)\bseconds?\b|\bclock\b|\brss\b|\bresident memory\b|microsecond|\bhost\b|\bthreads?\b|_(s|ms|us|ns)$|^(started|finished)$`)

func TestResultsDoNotDependOnTheClock(t *testing.T) {
	var timings int
	for _, c := range Columns() {
		hit := clocky.MatchString(c.Name) || clocky.MatchString(c.Doc) || strings.HasPrefix(c.Type, "timestamp")
		if hit && c.File == "results" {
			t.Errorf("column %s (%s) belongs into timings: %s", c.Name, c.Type, c.Doc)
		}
		if hit && c.File == "timings" {
			timings++
		}
	}
	if timings < 9 {
		t.Errorf("the pattern finds only %d columns of timings: it cannot be trusted with results", timings)
	}
	for f := range reflect.TypeFor[Result]().Fields() {
		if f.Type == reflect.TypeFor[time.Time]() || f.Type == reflect.TypeFor[time.Duration]() {
			t.Errorf("field %s is a time", f.Name)
		}
	}
}

// nulls are rows that use every NULL, empty list and odd text there is.
func nulls() []Row {
	rows := sampleRows([]string{"kv", "mf"}, 2, 3)
	for i := range rows {
		r := &rows[i].Result
		switch i % 4 {
		case 0:
			r.Status, r.ScoreStrict, r.ScoreFixed = Failed, ptr(0.0), ptr(0.0)
			r.Error, r.Finish, r.Answers = ptr("out of \x00 memory"), NotDecoded, []string{}
			r.PrefillCellsDense, r.DecodeCellsDense = 0, 0
			rows[i].Timing.Token = []float64{}
		case 1:
			r.ScoreStrict, r.Prediction, r.Answers = nil, "", []string{""}
		case 2:
			r.Prediction, r.PredictionRaw = "bad \xff\xfe byte", strings.Repeat("長い", 5000)
		}
	}
	return rows
}

func prepared(t *testing.T, rows []Row) (res []Result, tim []Timing) {
	t.Helper()
	for _, row := range rows {
		if err := prepare("sample", &row.Result, &row.Timing); err != nil {
			t.Fatal(err)
		}
		res, tim = append(res, row.Result), append(tim, row.Timing)
	}
	return res, tim
}

func TestParquetRoundTrip(t *testing.T) {
	res, tim := prepared(t, nulls())
	dir := t.TempDir()
	var a, b, c bytes.Buffer
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := WriteResults(w, res); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteTimings(&c, tim); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same rows gave different bytes")
	}
	write(t, filepath.Join(dir, "a.parquet"), a.Bytes())
	write(t, filepath.Join(dir, "c.parquet"), c.Bytes())
	gotRes, err := ReadResults(filepath.Join(dir, "a.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(res, gotRes); d != "" {
		t.Errorf("results (-wrote +read):\n%s", d)
	}
	gotTim, err := ReadTimings(filepath.Join(dir, "c.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(tim, gotTim); d != "" {
		t.Errorf("timings (-wrote +read):\n%s", d)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestArrowReadsTheSame compares every value with what another Parquet library reads, column by column.
func TestArrowReadsTheSame(t *testing.T) {
	res, tim := prepared(t, nulls())
	var a, b bytes.Buffer
	if err := WriteResults(&a, res); err != nil {
		t.Fatal(err)
	}
	if err := WriteTimings(&b, tim); err != nil {
		t.Fatal(err)
	}
	compareArrow(t, "results", a.Bytes(), reflect.ValueOf(res))
	compareArrow(t, "timings", b.Bytes(), reflect.ValueOf(tim))
}

func TestFileProperties(t *testing.T) {
	res, _ := prepared(t, sweep())
	var b bytes.Buffer
	if err := WriteResults(&b, res); err != nil {
		t.Fatal(err)
	}
	pf, err := file.NewParquetReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	meta := pf.MetaData()
	if by := meta.GetCreatedBy(); by != "scbench version "+strconv.Itoa(SchemaVersion)+".0.0(build parquet)" {
		t.Errorf("created by %q: it must not vary with the library or the build", by)
	}
	long := map[string]bool{}
	for _, path := range longText {
		long[strings.Join(path, ".")] = true
	}
	for i := range meta.RowGroup(0).NumColumns() {
		c, err := meta.RowGroup(0).ColumnChunk(i)
		if err != nil {
			t.Fatal(err)
		}
		name := c.PathInSchema().String()
		if c.Compression() != compress.Codecs.Zstd {
			t.Errorf("%s is compressed with %v", name, c.Compression())
		}
		stats, err := c.Statistics()
		if err != nil {
			t.Fatal(err)
		}
		allNull := name == "error" || stats != nil && stats.NullCount() == int64(len(res))
		if has := stats != nil && stats.HasMinMax(); has == (long[name] || allNull) {
			t.Errorf("%s: statistics %v", name, has)
		}
	}
}

func compareArrow(t *testing.T, kind string, data []byte, rows reflect.Value) {
	t.Helper()
	pf, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if v := pf.MetaData().KeyValueMetadata().FindValue("scbench.schema_version"); v == nil || *v != strconv.Itoa(SchemaVersion) {
		t.Errorf("%s: schema version is not in the metadata", kind)
	}
	fr, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	tbl, err := fr.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer tbl.Release()
	var cols []Column
	for _, c := range Columns() {
		if c.File == kind {
			cols = append(cols, c)
		}
	}
	if int(tbl.NumCols()) != len(cols) || int(tbl.NumRows()) != rows.Len() {
		t.Fatalf("%s: %d columns of %d rows, want %d of %d", kind, tbl.NumCols(), tbl.NumRows(), len(cols), rows.Len())
	}
	for i, c := range cols {
		if got := tbl.Schema().Field(i); got.Name != c.Name || got.Nullable != c.Nullable {
			t.Errorf("%s: column %d is %v, want %+v", kind, i, got, c)
		}
		row := 0
		for _, chunk := range tbl.Column(i).Data().Chunks() {
			for j := range chunk.Len() {
				want := fieldByColumn(rows.Index(row), c.Name)
				if got := arrowValue(t, chunk, j); !cmp.Equal(got, want) {
					t.Errorf("%s.%s row %d: arrow reads %#v, want %#v", kind, c.Name, row, got, want)
				}
				row++
			}
		}
	}
}

// fieldByColumn returns a field as a plain value: nil, string, int32, int64, float64, []string or []float64.
func fieldByColumn(row reflect.Value, name string) any {
	for i := range row.NumField() {
		f := row.Type().Field(i)
		if f.Anonymous {
			if v := fieldByColumn(row.Field(i), name); v != nil {
				return v
			}
			continue
		}
		if column, _, _ := strings.Cut(f.Tag.Get("parquet"), ","); column == name {
			v := row.Field(i)
			if v.Kind() == reflect.Pointer {
				if v.IsNil() {
					return nil
				}
				v = v.Elem()
			}
			if v.Kind() == reflect.String {
				return v.String()
			}
			return v.Interface()
		}
	}
	return nil
}

func arrowValue(t *testing.T, a arrow.Array, i int) any {
	t.Helper()
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.Int32:
		return a.Value(i)
	case *array.Int64:
		return a.Value(i)
	case *array.Float64:
		return a.Value(i)
	case *array.Timestamp:
		if unit := a.DataType().(*arrow.TimestampType); unit.Unit != arrow.Microsecond || unit.TimeZone != "UTC" {
			t.Errorf("timestamps are %v", unit)
		}
		return int64(a.Value(i))
	case *array.List:
		lo, hi := a.ValueOffsets(i)
		switch v := a.ListValues().(type) {
		case *array.String:
			out := []string{}
			for j := lo; j < hi; j++ {
				out = append(out, v.Value(int(j)))
			}
			return out
		case *array.Int32:
			out := []int32{}
			for j := lo; j < hi; j++ {
				out = append(out, v.Value(int(j)))
			}
			return out
		case *array.Float64:
			out := []float64{}
			for j := lo; j < hi; j++ {
				out = append(out, v.Value(int(j)))
			}
			return out
		}
	}
	t.Fatalf("no column should have the Arrow type %v", a.DataType())
	return nil
}
