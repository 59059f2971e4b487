package datasets

import (
	"fmt"
	"iter"
)

// Set is a prepared set that is open for reading.
type Set struct {
	Provenance Provenance // as the file states it; Verify compares it with the rows
	file       *parquetFile
}

// Open opens a prepared set. The file may come from anywhere: its footer and page headers are checked before any library sees
// them, and damage becomes an error that names the file. Close the set after use.
func Open(path string) (*Set, error) {
	if err := wantFormat(path, formatParquet, "a prepared set is a Parquet file; import published files first"); err != nil {
		return nil, err
	}
	f, err := openParquet(path)
	if err != nil {
		return nil, err
	}
	p, err := parseProvenance(f.metadata)
	if err == nil && int64(p.Rows) != f.rdr.NumRows() {
		err = fmt.Errorf("metadata scbench.rows says %d, the file has %d rows", p.Rows, f.rdr.NumRows())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Set{p, f}, nil
}

// Close closes the file; no sequence of the set may be read after that.
func (s *Set) Close() error { return s.file.Close() }

// Len is the number of examples.
func (s *Set) Len() int { return s.Provenance.Rows }

// Rows yields the rows in order, from the first one in every sequence. A row owns its bytes; at any time one page of each column is
// in memory. The sequence ends after an error, which names file, row (from 1) and field.
func (s *Set) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		n := 0
		for rec, err := range s.file.rows() {
			var row Row
			if err == nil {
				n++
				row, err = rowOf(place{file: s.file.name, row: n}, rec, s.Provenance.Task)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// Examples yields the examples of Rows.
func (s *Set) Examples() iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		for row, err := range s.Rows() {
			if !yield(row.Example, err) {
				return
			}
		}
	}
}

// rowOf is the inverse of toFile.
func rowOf(at place, rec record, task string) (row Row, err error) {
	f := fields{at: at, rec: rec}
	e := Example{ID: f.text("id"), Task: f.text("task"), Profile: f.text("profile"), Context: f.text("context")}
	e.Turns, err = listOf(at.field("turns"), f.value("turns"), turnOf)
	f.note(err)
	row = Row{Index: f.integer("index"), Tokens: f.integer("context_tokens"), Example: e}
	if f.err != nil {
		return Row{}, f.err
	}
	if e.Task != task {
		return Row{}, at.field("task").errorf("want %q, as the metadata says, have %q", task, e.Task)
	}
	if err := checkRow(row, at.row-1); err != nil {
		return Row{}, fmt.Errorf("%s: row %d: %w; prepare the set again", at.file, at.row, err)
	}
	return row, nil
}

func turnOf(at place, v any) (Turn, error) {
	rec, err := at.object(v)
	if err != nil {
		return Turn{}, err
	}
	f := fields{at: at, rec: rec}
	t := Turn{Input: f.text("input"), Part: f.text("part")}
	t.Answers, err = listOf(at.field("answers"), f.value("answers"), place.text)
	f.note(err)
	t.Options, err = listOf(at.field("options"), f.value("options"), place.text)
	f.note(err)
	t.Evidence, err = listOf(at.field("evidence"), f.value("evidence"), spanOf)
	f.note(err)
	return t, f.err
}

func spanOf(at place, v any) (Span, error) {
	rec, err := at.object(v)
	if err != nil {
		return Span{}, err
	}
	f := fields{at: at, rec: rec}
	return Span{Lo: f.integer("lo"), Hi: f.integer("hi")}, f.err
}

// fields reads the fields of an object one after the other and keeps the first error.
type fields struct {
	at  place
	rec record
	err error
}

func (f *fields) note(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *fields) value(name string) any {
	v, _ := f.rec.get(name)
	return v
}

func (f *fields) text(name string) string {
	s, err := f.at.field(name).text(f.value(name))
	f.note(err)
	return s
}

func (f *fields) integer(name string) int {
	n, err := f.at.field(name).integer(f.value(name))
	f.note(err)
	return n
}
