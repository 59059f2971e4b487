package datasets

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"unicode/utf8"
)

const (
	maxLine      = 128 << 20 // bytes; the longest published line (Zh.QA) has 20 MB, or 40 with every character escaped
	maxJSONDepth = 32
)

// line is a row of a JSON lines file and the number of its line, from 1.
type line struct {
	number int
	rec    record
}

// jsonLines yields the objects of a JSON lines file. Blank lines are skipped but counted. One line at a time is in memory. Refused are
// lines beyond maxLine, invalid UTF-8, an object that has a key twice, and anything but one object on a line. A lone
// surrogate escape (\ud800) becomes U+FFFD.
func jsonLines(path string) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(line{}, err)
			return
		}
		defer f.Close()
		r := bufio.NewReaderSize(f, 1<<20)
		var buf []byte
		for n := 1; ; n++ {
			buf, err = readLine(r, buf[:0])
			if err == io.EOF {
				return
			}
			var rec record
			if err == nil {
				if len(bytes.TrimSpace(buf)) == 0 {
					continue
				}
				rec, err = parseObject(buf)
			}
			if err != nil {
				yield(line{}, fmt.Errorf("%s: row %d: %w; fix the row or re-download the file", path, n, err))
				return
			}
			if !yield(line{n, rec}, nil) {
				return
			}
		}
	}
}

// readLine appends the next line to buf, without its end. io.EOF comes with no line.
func readLine(r *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		buf = append(buf, part...)
		switch {
		case len(buf) > maxLine:
			return buf, fmt.Errorf("the line has more than %d bytes", maxLine)
		case err == nil, err == io.EOF && len(buf) > 0:
			return buf, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return buf, err
		}
	}
}

func parseObject(text []byte) (record, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the line is not valid UTF-8")
	}
	if !json.Valid(text) {
		var raw json.RawMessage
		err := json.Unmarshal(text, &raw) // says where
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("byte %d of the line is not JSON: %w", syntax.Offset, err)
		}
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	rec, ok := v.(record)
	if !ok {
		return nil, fmt.Errorf("want one object a line, have %s", describe(v))
	}
	return rec, nil
}

// parseValue reads one value of text that is known to be valid JSON.
func parseValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxJSONDepth)
	}
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('{'):
		return parseFields(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := parseValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return tok, nil
}

func parseFields(d *json.Decoder, depth int) (any, error) {
	rec, seen := record{}, map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name := key.(string)
		if seen[name] {
			return nil, fmt.Errorf("field %q is there twice", name)
		}
		seen[name] = true
		v, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		rec = append(rec, recordField{name, v})
	}
	_, err := d.Token()
	return rec, err
}
