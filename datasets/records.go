package datasets

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// record is one row, or an object within it, as any file gives it: fields in the file's order, each value a nil, bool, json.Number,
// string, []any or record. JSONL and Parquet both end here, so that what follows exists once.
type record []recordField

type recordField struct {
	name  string
	value any
}

// get returns the value of a field; a field that is null counts as absent, as Parquet cannot tell the two apart.
func (r record) get(name string) (any, bool) {
	for _, f := range r {
		if f.name == name {
			return f.value, f.value != nil
		}
	}
	return nil, false
}

// place is where a value stands, for messages: file, row from 1, path of fields.
type place struct {
	file string
	row  int
	path string
}

// field is the place of a field within p. A file may name its fields as it likes, so what could steer a terminal is escaped.
func (p place) field(name string) place {
	name = printable(name)
	if p.path != "" {
		name = p.path + "." + name
	}
	p.path = name
	return p
}

func (p place) index(i int) place {
	p.path = fmt.Sprintf("%s[%d]", p.path, i)
	return p
}

// wrong is the error of a value that is not what it has to be.
func (p place) wrong(want string, have any) error {
	return p.errorf("want %s, have %s", want, describe(have))
}

func (p place) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: row %d: field %s: %w; fix the row or re-download the file", p.file, p.row, p.path, fmt.Errorf(format, args...))
}

// describe names a value's kind and shows the beginning of it.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case bool:
		return fmt.Sprintf("boolean %t", v)
	case json.Number:
		return "number " + clip(v.String(), 40)
	case string:
		return fmt.Sprintf("string %q", clip(v, 40))
	case []any:
		return fmt.Sprintf("list of %d", len(v))
	case record:
		return fmt.Sprintf("object of %d fields", len(v))
	}
	panic(fmt.Sprintf("records: a value of type %T", v))
}

// clip shortens s to at most n bytes, at a rune's boundary.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

func (p place) text(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", p.wrong("string", v)
	}
	if !utf8.ValidString(s) {
		return "", p.errorf("the text is not valid UTF-8")
	}
	return s, nil
}

func (p place) integer(v any) (int, error) {
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return int(i), nil
		}
	}
	return 0, p.wrong("integer", v)
}

func (p place) list(v any) ([]any, error) {
	l, ok := v.([]any)
	if !ok {
		return nil, p.wrong("list", v)
	}
	return l, nil
}

func (p place) object(v any) (record, error) {
	r, ok := v.(record)
	if !ok {
		return nil, p.wrong("object", v)
	}
	return r, nil
}

// listOf reads a list, element by element; an empty one is nil.
func listOf[T any](p place, v any, read func(place, any) (T, error)) ([]T, error) {
	l, err := p.list(v)
	if err != nil || len(l) == 0 {
		return nil, err
	}
	out := make([]T, len(l))
	for i, v := range l {
		if out[i], err = read(p.index(i), v); err != nil {
			return nil, err
		}
	}
	return out, nil
}
