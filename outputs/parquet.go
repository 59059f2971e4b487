package outputs

import (
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
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
)

// rowsPerGroup keeps a row group to some 100 MB of text while a reader still skips by statistics.
const rowsPerGroup = 32768

// longText columns get no statistics: their bounds are as long as their values, and tell nothing.
var longText = [][]string{{"prediction"}, {"prediction_raw"}, {"answers", "list", "element"}, {"error"}}

// rowWriter writes rows of one kind to Parquet; the same rows give the same bytes.
type rowWriter[T Result | Timing] struct{ w *parquet.GenericWriter[T] }

func newRowWriter[T Result | Timing](w io.Writer) rowWriter[T] {
	options := []parquet.WriterOption{
		parquet.Compression(&parquet.Zstd),
		parquet.CreatedBy("scbench", strconv.Itoa(SchemaVersion)+".0.0", "parquet"),
		parquet.MaxRowsPerRowGroup(rowsPerGroup),
		parquet.DataPageStatistics(true),
		parquet.KeyValueMetadata(metaSchema, strconv.Itoa(SchemaVersion)),
		parquet.KeyValueMetadata(metaKind, kind[T]()),
	}
	for _, path := range longText {
		options = append(options, parquet.SkipPageBounds(path...), parquet.SkipPageStatistics(path...))
	}
	return rowWriter[T]{parquet.NewGenericWriter[T](w, options...)}
}

func (w rowWriter[T]) write(row T) error {
	_, err := w.w.Write([]T{row})
	return err
}

func (w rowWriter[T]) close() error { return w.w.Close() }

// kind is the value of metaKind for a file of Ts.
func kind[T Result | Timing]() string {
	var row T
	if _, ok := any(row).(Timing); ok {
		return "timings"
	}
	return "results"
}

// WriteResults writes rows, as they are and in their order, as a results file.
func WriteResults(w io.Writer, rows []Result) error { return writeRows(w, rows) }

// WriteTimings writes rows, as they are and in their order, as a timings file.
func WriteTimings(w io.Writer, rows []Timing) error { return writeRows(w, rows) }

func writeRows[T Result | Timing](w io.Writer, rows []T) error {
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
