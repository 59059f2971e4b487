package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"scbench/stages/models/safetensors"
)

// fields reads the members of one JSON object strictly: a member is of its type and in its range, or an error that
// names file, member and value. A member that is absent or null leaves its destination alone.
type fields struct {
	file   string // what errors call the file
	prefix string // "rope_scaling." in a nested object
	raw    map[string]json.RawMessage
	read   map[string]bool // members that have been asked for
	errs   []error         // all that is wrong, so that one run shows it all
}

// parseFields takes b apart into its members. Bare Infinity and NaN are accepted, as Python writes them.
func parseFields(file, prefix string, b []byte) (*fields, error) {
	raw, err := members(spellOutFloats(b))
	if what := safetensors.Foreign(b); err != nil && what != "" {
		return nil, fmt.Errorf("%s is no JSON but %s", file, what)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s%w", file, prefix, err)
	}
	return &fields{file: file, prefix: prefix, raw: raw, read: map[string]bool{}}, nil
}

// members parses one JSON object; a name that occurs twice is refused, because readers differ in which one they take.
func members(b []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("is not a JSON object")
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("is not valid JSON at byte %d: %w", d.InputOffset(), err)
		}
		name := t.(string) // the decoder admits nothing else here
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("is not valid JSON at byte %d, in %.60q: %w", d.InputOffset(), name, err)
		}
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("has %.60q twice", name)
		}
		out[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("is cut off")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("has more text after its closing brace")
	}
	return out, nil
}

// floatKey is how newer versions of transformers spell floats that JSON lacks: {"__float__": "Infinity"}.
const floatKey = "__float__"

// spellOutFloats rewrites the bare tokens Infinity, -Infinity and NaN, which Python's json writes although JSON has no
// such numbers, into the object form.
func spellOutFloats(b []byte) []byte {
	if !bytes.Contains(b, []byte("Infinity")) && !bytes.Contains(b, []byte("NaN")) {
		return b
	}
	var out []byte
	for inString, i := false, 0; i < len(b); i++ {
		switch {
		case inString && b[i] == '\\' && i+1 < len(b):
			out = append(out, b[i])
			i++
		case b[i] == '"':
			inString = !inString
		case !inString:
			if word := bareFloat(b[i:]); word != "" {
				out = fmt.Appendf(out, `{%q:%q}`, floatKey, word)
				i += len(word) - 1
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

func bareFloat(b []byte) string {
	for _, word := range []string{"-Infinity", "Infinity", "NaN"} {
		if bytes.HasPrefix(b, []byte(word)) {
			return word
		}
	}
	return ""
}

// take marks a member as understood and returns its value, nil where it is absent or null.
func (f *fields) take(key string) json.RawMessage {
	f.read[key] = true
	if raw := f.raw[key]; string(raw) != "null" {
		return raw
	}
	return nil
}

// wrong records that a member's value is not what it must be.
func (f *fields) wrong(key, want string) {
	f.errs = append(f.errs, fmt.Errorf("%s: %s%s is %.60s, want %s", f.file, f.prefix, key, f.raw[key], want))
}

// size reads a whole number of 1 to limit.
func (f *fields) size(key string, dst *int, limit int) {
	if raw := f.take(key); raw != nil {
		n, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil || n < 1 || n > int64(limit) {
			f.wrong(key, fmt.Sprintf("a whole number from 1 to %d", limit))
			return
		}
		*dst = int(n)
	}
}

// number reads a finite number that ok accepts; want describes those.
func (f *fields) number(key string, dst *float64, want string, ok func(float64) bool) {
	if raw := f.take(key); raw != nil {
		var v jsonFloat
		if json.Unmarshal(raw, &v) != nil || !finite(v) || !ok(float64(v)) {
			f.wrong(key, want)
			return
		}
		*dst = float64(v)
	}
}

func (f *fields) numbers(key string, dst *[]float64, want string, ok func(float64) bool) {
	raw := f.take(key)
	if raw == nil {
		return
	}
	var list []jsonFloat
	if json.Unmarshal(raw, &list) != nil || slices.ContainsFunc(list, func(v jsonFloat) bool { return !finite(v) || !ok(float64(v)) }) {
		f.wrong(key, "a list of "+want)
		return
	}
	*dst = float64s(list)
}

func (f *fields) flag(key string, dst *bool) {
	if raw := f.take(key); raw != nil {
		if s := string(raw); s != "true" && s != "false" {
			f.wrong(key, "true or false")
			return
		}
		*dst = string(raw) == "true"
	}
}

func (f *fields) text(key string, dst *string) {
	if raw := f.take(key); raw != nil && json.Unmarshal(raw, dst) != nil {
		f.wrong(key, "a string")
	}
}

func (f *fields) texts(key string, dst *[]string) {
	if raw := f.take(key); raw != nil && json.Unmarshal(raw, dst) != nil {
		f.wrong(key, "a list of strings")
	}
}

// ids reads token ids below limit (any, if limit is 0): one number or a list of them.
func (f *fields) ids(key string, dst *[]int32, limit int) {
	raw := f.take(key)
	if raw == nil {
		return
	}
	var list []json.RawMessage
	if raw[0] != '[' {
		list = append(list, raw)
	} else if json.Unmarshal(raw, &list) != nil {
		f.wrong(key, "a token id or a list of them")
		return
	}
	*dst = nil
	last := int64(math.MaxInt32)
	if limit > 0 {
		last = int64(limit) - 1
	}
	for _, item := range list {
		n, err := strconv.ParseInt(string(item), 10, 64)
		if err != nil || n < 0 || n > last {
			f.wrong(key, fmt.Sprintf("token ids of the vocabulary, 0 to %d", last))
			return
		}
		*dst = append(*dst, int32(n))
	}
}

// jsonFloat is a float64 that may also be written in the object form.
type jsonFloat float64

// UnmarshalJSON reads a JSON number or the object form of those that JSON lacks; unlike float64's it refuses null.
func (v *jsonFloat) UnmarshalJSON(raw []byte) error {
	text := string(raw)
	if raw[0] == '{' {
		var special map[string]string
		if err := json.Unmarshal(raw, &special); err != nil {
			return err
		}
		if text = special[floatKey]; len(special) != 1 || text == "" || bareFloat([]byte(text)) != text {
			return fmt.Errorf("%.60s is not a number", raw)
		}
	}
	x, err := strconv.ParseFloat(text, 64)
	*v = jsonFloat(x)
	return err
}

// unmarshal is json.Unmarshal with floats read as jsonFloat.
func unmarshal(raw []byte, dst any) error {
	switch dst := dst.(type) {
	case *float64:
		return json.Unmarshal(raw, (*jsonFloat)(dst))
	case *[]float64:
		var list []jsonFloat
		err := json.Unmarshal(raw, &list)
		*dst = float64s(list)
		return err
	}
	return json.Unmarshal(raw, dst)
}

func finite(v jsonFloat) bool { return !math.IsInf(float64(v), 0) && !math.IsNaN(float64(v)) }

func float64s(list []jsonFloat) []float64 {
	out := make([]float64, len(list))
	for i, v := range list {
		out[i] = float64(v)
	}
	return out
}
