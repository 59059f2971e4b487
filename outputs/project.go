package outputs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// SummaryColumns are the columns that Summary.Add, and of Scores what Estimates needs, read of a row, and with them what a note on a
// run may be about. Compare needs more.
var SummaryColumns = []string{
	"task", "example", "turn", "mode", "history", "method", "part", "skill", "data_hash", "score_strict", "score_fixed", "status", "error", "evidence", "context_deflated",
	"truncated_tokens", "prompt_tokens", "budget_tokens", "kept_min", "kept_mean", "kv_bytes_logical", "kv_bytes_resident", "read_bytes_per_token",
	"prefill_cells", "prefill_cells_dense", "decode_cells", "decode_cells_dense", "first_diverging_token", "kl_full",
}

// EachResultOf is EachResult for callers that need some columns only and keep no row: others may be empty, and a row is valid during
// the call. A million rows of SummaryColumns take 1.4 s of one processor, where EachResult takes 6 s. A file whose hash nobody
// recorded is read whole all the same, since then only all columns together have a checksum. It panics on a column that
// no results file has, or that is a list.
func EachResultOf(path string, columns []string, visit func(*Result) error) error {
	shape := projection(columns)
	f, size, known, err := openChecked[Result](path)
	if err != nil {
		return err
	}
	defer f.Close()
	if !known {
		return scan(f, size, visit)
	}
	pf, err := openParquet(f, size)
	if err != nil {
		return err
	}
	if err := checkSchema[Result](path, pf); err != nil {
		return err
	}
	return shape.scan(path, pf, visit)
}

// openParquet opens a file whose bytes are those that were written; a panic of the library becomes an error all the same.
func openParquet(f *os.File, size int64) (pf *parquet.File, err error) {
	defer damaged(f.Name(), &err)
	pf, err = parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("outputs: %s: %w: %w", f.Name(), err, ErrCorrupt)
	}
	return pf, nil
}

func damaged(path string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("outputs: %s cannot be decoded (%v): %w", path, p, ErrCorrupt)
	}
}

// projected is a column to read, and the field of Result that it fills.
type projected struct {
	name  string
	field []int
}

type projectedColumns []projected

func projection(columns []string) projectedColumns {
	var out projectedColumns
	for _, name := range columns {
		found := false
		for _, f := range reflect.VisibleFields(reflect.TypeFor[Result]()) {
			if column, _, _ := strings.Cut(f.Tag.Get("parquet"), ","); column == name && !f.Anonymous && f.Type.Kind() != reflect.Slice {
				out, found = append(out, projected{name, f.Index}), true
			}
		}
		if !found {
			panic("outputs: no column of results to read is " + name)
		}
	}
	return out
}

const batchRows = 1024

// batch is a run of rows, or why there are no more.
type batch struct {
	rows []Result
	err  error
}

// scan decodes row groups on all processors and visits their rows in the file's order.
func (p projectedColumns) scan(path string, pf *parquet.File, visit func(*Result) error) error {
	groups := pf.RowGroups()
	done := make(chan struct{})
	defer close(done)
	queues := make([]chan batch, len(groups))
	start := func(i int) {
		if i < len(groups) {
			queues[i] = make(chan batch, rowsPerGroup/batchRows)
			go p.decode(path, groups[i], queues[i], done)
		}
	}
	ahead := runtime.GOMAXPROCS(0)
	for i := range ahead {
		start(i)
	}
	for i := range groups {
		for b := range queues[i] {
			if b.err != nil {
				return b.err
			}
			for k := range b.rows {
				if err := visit(&b.rows[k]); err != nil {
					return err
				}
			}
		}
		start(i + ahead)
	}
	return nil
}

// decode sends the rows of a group, batch by batch, until they end or done is closed.
func (p projectedColumns) decode(path string, group parquet.RowGroup, out chan<- batch, done <-chan struct{}) {
	defer close(out)
	send := func(b batch) bool {
		select {
		case out <- b:
			return true
		case <-done:
			return false
		}
	}
	readers := make([]columnReader, 0, len(p))
	for _, c := range p {
		if leaf, ok := group.Schema().Lookup(c.name); ok { // an older file lacks some
			readers = append(readers, columnReader{c, parquet.NewColumnChunkValueReader(group.ColumnChunks()[leaf.ColumnIndex]), "", map[string]string{}})
		}
	}
	for left := group.NumRows(); left > 0; {
		rows := make([]Result, min(batchRows, left))
		if err := fill(path, rows, readers); err != nil {
			send(batch{err: err})
			return
		}
		left -= int64(len(rows))
		if !send(batch{rows: rows}) {
			return
		}
	}
}

// fill reads the next rows of all columns.
func fill(path string, rows []Result, readers []columnReader) (err error) {
	defer damaged(path, &err)
	values := make([]parquet.Value, len(rows))
	fields := reflect.ValueOf(rows)
	for i := range readers {
		r := &readers[i]
		for n := 0; n < len(rows); {
			k, err := r.values.ReadValues(values[n:])
			n += k
			if n < len(rows) && (err != nil || k == 0) {
				return fmt.Errorf("outputs: %s: column %s ends early (%w): %w", path, r.name, errors.Join(err, io.ErrUnexpectedEOF), ErrCorrupt)
			}
		}
		for row, v := range values {
			r.set(fields.Index(row).FieldByIndex(r.field), v)
		}
	}
	return nil
}

// columnReader reads a column of a row group. Texts that come again are the same string.
type columnReader struct {
	projected
	values parquet.ValueReader
	last   string
	seen   map[string]string
}

func (r *columnReader) set(field reflect.Value, v parquet.Value) {
	if field.Kind() == reflect.Pointer {
		if v.IsNull() {
			return
		}
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	switch field.Kind() {
	case reflect.String:
		field.SetString(r.text(v.ByteArray()))
	case reflect.Int32:
		field.SetInt(int64(v.Int32()))
	case reflect.Int64:
		field.SetInt(v.Int64())
	case reflect.Float64:
		field.SetFloat(v.Double())
	default:
		panic("outputs: no column is read into a " + field.Kind().String())
	}
}

func (r *columnReader) text(b []byte) string {
	if string(b) == r.last {
		return r.last
	}
	s, ok := r.seen[string(b)]
	if !ok {
		s = string(b)
		r.seen[s] = s
	}
	r.last = s
	return s
}
