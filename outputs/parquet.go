package outputs

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/zeebo/blake3"
)

// Names of the files of a run.
const (
	ResultsFile  = "results.parquet"
	TimingsFile  = "timings.parquet"
	ManifestFile = "manifest.json"
	ConfigFile   = "config.json"
	ClockFile    = "clock.json"
	JournalFile  = "journal"
)

// Key/value metadata of both Parquet files.
const (
	metaSchema = "scbench.schema_version"
	metaKind   = "scbench.file"
	metaSum    = "scbench.rows_blake3" // see rowSum
)

// rowsPerGroup keeps a row group to some 100 MB of text while a reader still skips by statistics.
const rowsPerGroup = 32768

// longText columns get no statistics: their bounds are as long as their values, and tell nothing.
var longText = [][]string{{"prediction"}, {"prediction_raw"}, {"answers", "list", "element"}, {"error"}}

// record is a row of one of our files.
type record interface{ Result | Timing | Drift }

// rowWriter writes rows of one kind to Parquet; the same rows give the same bytes.
type rowWriter[T record] struct {
	w   *parquet.GenericWriter[T]
	sum rowSum
}

func newRowWriter[T record](w io.Writer) *rowWriter[T] {
	options := append(fileOptions(), parquet.KeyValueMetadata(metaKind, kind[T]()))
	return &rowWriter[T]{parquet.NewGenericWriter[T](w, options...), newRowSum()}
}

// fileOptions are how all our files are written.
func fileOptions() []parquet.WriterOption {
	options := []parquet.WriterOption{
		parquet.Compression(&parquet.Zstd),
		parquet.CreatedBy("scbench", strconv.Itoa(SchemaVersion)+".0.0", "parquet"),
		parquet.MaxRowsPerRowGroup(rowsPerGroup),
		parquet.DataPageStatistics(true),
		parquet.KeyValueMetadata(metaSchema, strconv.Itoa(SchemaVersion)),
	}
	for _, path := range longText {
		options = append(options, parquet.SkipPageBounds(path...), parquet.SkipPageStatistics(path...))
	}
	return options
}

func (w *rowWriter[T]) write(row T) error {
	tidy(reflect.ValueOf(&row).Elem())
	if err := w.sum.add(row); err != nil {
		return err
	}
	_, err := w.w.Write([]T{row})
	return err
}

func (w *rowWriter[T]) close() error {
	w.w.SetKeyValueMetadata(metaSum, w.sum.String())
	return w.w.Close()
}

// rowSum is BLAKE3 over rows as JSON, a row a line. It is stored in the file and compared by the reader: Parquet's own
// checksums cover pages, but not the footer that says which page belongs to which column.
type rowSum struct{ h *blake3.Hasher }

func newRowSum() rowSum { return rowSum{blake3.New()} }

func (s rowSum) add(row any) error { return json.NewEncoder(s.h).Encode(row) }

func (s rowSum) String() string { return hex.EncodeToString(s.h.Sum(nil)) }

// kind is the value of metaKind for a file of Ts.
func kind[T record]() string {
	var row T
	switch any(row).(type) {
	case Timing:
		return "timings"
	case Drift:
		return "drift"
	}
	return "results"
}

// WriteResults writes rows in their order as a results file. Unlike Append it fills nothing in and checks nothing but
// that numbers are finite; bytes that are not UTF-8 become U+FFFD.
func WriteResults(w io.Writer, rows []Result) error { return writeRows(w, rows) }

// WriteTimings writes rows in their order as a timings file, as WriteResults does.
func WriteTimings(w io.Writer, rows []Timing) error { return writeRows(w, rows) }

func writeRows[T record](w io.Writer, rows []T) error {
	pw := newRowWriter[T](w)
	for _, row := range rows {
		if err := pw.write(row); err != nil {
			return fmt.Errorf("outputs: writing %s rows: %w", kind[T](), err)
		}
	}
	if err := pw.close(); err != nil {
		return fmt.Errorf("outputs: writing %s rows: %w", kind[T](), err)
	}
	return nil
}
