package datasets

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// Limits on one row once it is put together; a dictionary or a run of empty lists can ask for far more than a file's bytes.
const (
	maxRowBytes  = 256 << 20
	maxRowValues = 4 << 20
)

// parquetFile reads any Parquet file row by row, through Arrow's column readers. It does without Arrow's record batches
// (pqarrow): those are made in goroutines of the library, whose panics nobody can recover, and link a quarter of the binary. Text is
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

// groupReader puts the rows of one row group together.
type groupReader struct {
	rows          int64
	root          *node
	leaves        []*leaf
	values, bytes int // what the row may still take
}

func newGroupReader(rdr *file.Reader, g int) (*groupReader, error) {
	rg := rdr.RowGroup(g)
	r := &groupReader{rows: rg.NumRows()}
	for i := range rg.NumColumns() {
		chunk, err := rg.Column(i)
		if err != nil {
			return nil, err
		}
		descr := chunk.Descriptor()
		l, err := newLeaf(chunk)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", descr.Path(), err)
		}
		l.path, l.chunk, l.maxDef, l.maxRep = descr.Path(), chunk, descr.MaxDefinitionLevel(), descr.MaxRepetitionLevel()
		r.leaves = append(r.leaves, l)
	}
	unread := r.leaves
	root := rdr.MetaData().Schema.Root()
	r.root = &node{name: root.Name(), leaves: r.leaves}
	for i := range root.NumFields() {
		r.root.kids = append(r.root.kids, newNode(root.Field(i), "", 0, 0, &unread))
	}
	return r, nil
}

// next assembles the next row.
func (r *groupReader) next() (record, error) {
	r.values, r.bytes = maxRowValues, maxRowBytes
	v, err := r.root.element(r, 0)
	if err != nil {
		return nil, err
	}
	return v.(record), nil
}

// end checks that the row group's rows were all that its columns hold, and gives their buffers back.
func (r *groupReader) end() error {
	for _, l := range r.leaves {
		_, _, more, err := l.peek()
		if err == nil && more {
			err = fmt.Errorf("field %s: the column goes on behind its row group", l.path)
		}
		if err = errors.Join(err, l.chunk.Close()); err != nil {
			return err
		}
	}
	return nil
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

// node is a field of the schema.
type node struct {
	name     string
	def, rep int16 // definition and repetition level at which the field is there
	optional bool
	repeated bool
	bare     bool    // a wrapper of lists: stands for its only kid
	kids     []*node // none: leaves[0]
	leaves   []*leaf // all columns below
}

// newNode builds the tree below n and takes its leaves from unread, in order.
func newNode(n schema.Node, parent string, def, rep int16, unread *[]*leaf) *node {
	out := &node{name: n.Name()}
	switch n.RepetitionType() {
	case parquet.Repetitions.Optional:
		out.optional = true
		def++
	case parquet.Repetitions.Repeated:
		out.repeated = true
		def, rep = def+1, rep+1
	}
	out.def, out.rep = def, rep
	all := *unread
	if g, ok := n.(*schema.GroupNode); ok {
		for i := range g.NumFields() {
			out.kids = append(out.kids, newNode(g.Field(i), n.Name(), def, rep, unread))
		}
		one := len(out.kids) == 1
		inList := out.repeated && n.Name() != "array" && n.Name() != parent+"_tuple"
		out.bare = one && (isList(n) && out.kids[0].repeated || inList)
	} else {
		*unread = all[1:]
	}
	out.leaves = all[:len(all)-len(*unread)]
	return out
}

func isList(n schema.Node) bool {
	_, logical := n.LogicalType().(schema.ListLogicalType)
	return logical || n.ConvertedType() == schema.ConvertedTypes.List
}

// read assembles the field's value from its columns; rep is the repetition level at which it begins.
func (n *node) read(r *groupReader, rep int16) (any, error) {
	if !n.optional && !n.repeated {
		return n.element(r, rep)
	}
	def, _, more, err := n.leaves[0].peek()
	if err != nil {
		return nil, err
	}
	if more && def < n.def {
		return n.absent(r, rep)
	}
	if !n.repeated {
		return n.element(r, rep)
	}
	list := []any{}
	for more {
		v, err := n.element(r, rep)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if _, rep, more, err = n.leaves[0].peek(); err != nil {
			return nil, err
		}
		more = more && rep == n.rep
	}
	return list, nil
}

// absent consumes the null that every column below has for a field that is not there.
func (n *node) absent(r *groupReader, rep int16) (any, error) {
	for _, l := range n.leaves {
		if _, err := l.take(r, rep, n.def); err != nil {
			return nil, err
		}
	}
	if n.repeated {
		return []any{}, nil
	}
	return nil, nil
}

// element assembles one occurrence of the field.
func (n *node) element(r *groupReader, rep int16) (any, error) {
	switch {
	case len(n.kids) == 0 && len(n.leaves) == 1:
		return n.leaves[0].take(r, rep, 0)
	case n.bare:
		return n.kids[0].read(r, rep)
	}
	rec := make(record, len(n.kids))
	for i, k := range n.kids {
		v, err := k.read(r, rep)
		if err != nil {
			return nil, err
		}
		rec[i] = recordField{k.name, v}
	}
	return rec, nil
}

// metadata looks up an entry of the file's key/value metadata.
func (p *parquetFile) metadata(key string) *string {
	return p.rdr.MetaData().KeyValueMetadata().FindValue(key)
}
