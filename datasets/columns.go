package datasets

import (
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// Limits on one row once it is put together; a dictionary or a run of empty lists can ask for far more than a file's bytes.
const (
	maxRowBytes  = 256 << 20
	maxRowValues = 4 << 20
)

// parquetFile reads any Parquet file row by row, through Arrow's column readers. It does without Arrow's record batches
// (pqarrow): those are made in goroutines of the library, whose panics nobody can recover, and link grpc. Text is
// copied out, so that a row owns its bytes and a page can go.
type parquetFile struct {
	name string
	f    *os.File
	rdr  *file.Reader
}

// openParquet opens a file that has passed the guard.
func openParquet(path string) (*parquetFile, error) {
	f, err := openGuarded(path)
	if err != nil {
		return nil, err
	}
	p := &parquetFile{name: path, f: f}
	props := parquet.NewReaderProperties(memory.NewGoAllocator())
	props.BufferedStreamEnabled = true
	props.PageStreamingEnabled = true
	props.MaxCompressedPageSize = maxPage
	props.MaxUncompressedPageSize = maxPage
	err = protect(func() (err error) {
		p.rdr, err = file.NewParquetReader(f, file.WithReadProps(props))
		return err
	})
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

func (p *parquetFile) Close() error { return p.f.Close() }

// protect runs library code on bytes that nobody vouches for: its panics and memory faults become errors.
func protect(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the file is damaged: %v", r)
		}
	}()
	return do()
}

// rows yields all rows from the first one. It ends after an error, which names file, row and column.
func (p *parquetFile) rows() iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		row := 0
		for g := range p.rdr.NumRowGroups() {
			var r *groupReader
			err := protect(func() (err error) {
				r, err = newGroupReader(p.rdr, g)
				return err
			})
			if err != nil {
				yield(nil, fmt.Errorf("%s: row %d: %w", p.name, row+1, err))
				return
			}
			for range r.rows {
				row++
				var rec record
				err := protect(func() (err error) {
					rec, err = r.next()
					return err
				})
				if err != nil {
					yield(nil, fmt.Errorf("%s: row %d: %w", p.name, row, err))
					return
				}
				if !yield(rec, nil) {
					return
				}
			}
			if err := protect(r.end); err != nil {
				yield(nil, fmt.Errorf("%s: after row %d: %w", p.name, row, err))
				return
			}
		}
	}
}

// leaf is a column of a row group, read in batches of levels and values.
type leaf struct {
	path           string
	chunk          file.ColumnChunkReader
	maxDef, maxRep int16
	defs, reps     []int16
	at, n          int // next level and number of levels in the batch
	next, values   int // next value and number of values in the batch
	fill           func() (levels int64, values int, err error)
	value          func(i int) any
}

// newLeaf chooses how the values of a column are read.
func newLeaf(c file.ColumnChunkReader) (*leaf, error) {
	number := func(s string) any { return json.Number(s) }
	switch c := c.(type) {
	case *file.ByteArrayColumnChunkReader:
		// The values alias the page: fine, as they are copied out before the next batch is read.
		return leafOf(c.ReadBatchInPage, 64, func(v parquet.ByteArray) any { return string(v) }), nil
	case *file.Int32ColumnChunkReader:
		return leafOf(c.ReadBatch, 1024, func(v int32) any { return number(strconv.FormatInt(int64(v), 10)) }), nil
	case *file.Int64ColumnChunkReader:
		return leafOf(c.ReadBatch, 1024, func(v int64) any { return number(strconv.FormatInt(v, 10)) }), nil
	case *file.Float32ColumnChunkReader:
		return leafOf(c.ReadBatch, 1024, func(v float32) any { return number(strconv.FormatFloat(float64(v), 'g', -1, 32)) }), nil
	case *file.Float64ColumnChunkReader:
		return leafOf(c.ReadBatch, 1024, func(v float64) any { return number(strconv.FormatFloat(v, 'g', -1, 64)) }), nil
	case *file.BooleanColumnChunkReader:
		return leafOf(c.ReadBatch, 1024, func(v bool) any { return v }), nil
	}
	return nil, fmt.Errorf("values of type %s are not read", c.Type())
}

func leafOf[T any](read func(int64, []T, []int16, []int16) (int64, int, error), batch int, value func(T) any) *leaf {
	l := &leaf{defs: make([]int16, batch), reps: make([]int16, batch)}
	buf := make([]T, batch)
	l.fill = func() (int64, int, error) { return read(int64(batch), buf, l.defs, l.reps) }
	l.value = func(i int) any { return value(buf[i]) }
	return l
}

// peek returns the levels of the next value. At the end of the column more is false.
func (l *leaf) peek() (def, rep int16, more bool, err error) {
	if l.at == l.n {
		levels, values, err := l.fill()
		if err != nil {
			return 0, 0, false, fmt.Errorf("field %s: %w", l.path, err)
		}
		l.at, l.n, l.next, l.values = 0, int(levels), 0, values
		if l.n == 0 {
			return 0, 0, false, nil
		}
	}
	def, rep = l.maxDef, 0
	if l.maxDef > 0 {
		def = l.defs[l.at]
	}
	if l.maxRep > 0 {
		rep = l.reps[l.at]
	}
	return def, rep, true, nil
}

// take consumes the next level, which has to begin at repetition level rep, and returns its value; or, with below > 0, the null
// that it has to be, at a definition level less than that.
func (l *leaf) take(r *groupReader, rep, below int16) (any, error) {
	def, have, more, err := l.peek()
	switch {
	case err != nil:
		return nil, err
	case !more:
		return nil, fmt.Errorf("field %s: the column ends before its row group", l.path)
	case have != rep || def < 0 || below > 0 && def >= below || below == 0 && def != l.maxDef:
		return nil, fmt.Errorf("field %s: its levels do not fit its neighbours'", l.path)
	}
	l.at++
	if r.values--; r.values < 0 {
		return nil, fmt.Errorf("field %s: the row has more than %d values", l.path, maxRowValues)
	}
	if below > 0 {
		return nil, nil
	}
	if l.next >= l.values {
		return nil, fmt.Errorf("field %s: a page has fewer values than levels", l.path)
	}
	v := l.value(l.next)
	l.next++
	if s, ok := v.(string); ok {
		if r.bytes -= len(s); r.bytes < 0 {
			return nil, fmt.Errorf("field %s: the row has more than %d bytes", l.path, maxRowBytes)
		}
	}
	return v, nil
}

// metadata looks up an entry of the file's key/value metadata.
func (p *parquetFile) metadata(key string) *string {
	return p.rdr.MetaData().KeyValueMetadata().FindValue(key)
}
