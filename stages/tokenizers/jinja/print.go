package jinja

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// str is Python's str().
func (r *run) str(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case undefined:
		if v.missing {
			r.fail("%q %w", v.name, ErrMissing)
		}
		return ""
	}
	var b strings.Builder
	r.repr(&b, v)
	return b.String()
}

// repr writes Python's repr().
func (r *run) repr(b *strings.Builder, v any) {
	r.enter()
	defer r.leave()
	put := func(s string) {
		r.make(len(s))
		b.WriteString(s)
	}
	switch v := v.(type) {
	case nil:
		put("None")
	case undefined:
		put("Undefined")
	case bool:
		put(map[bool]string{true: "True", false: "False"}[v])
	case int64:
		put(strconv.FormatInt(v, 10))
	case float64:
		put(formatFloat(v))
	case string:
		r.look(len(v))
		put(quoted(v))
	case *List:
		if v.kind > tuple {
			r.fail("a %s cannot be printed; make a list of it with |list", typeName(v))
		}
		brackets := [...][2]string{{"[", "]"}, {"(", ")"}}[v.kind]
		put(brackets[0])
		for i, item := range v.items {
			if i > 0 {
				put(", ")
			}
			r.repr(b, item)
		}
		if v.kind == tuple && len(v.items) == 1 {
			put(",")
		}
		put(brackets[1])
	case *Dict:
		put("{")
		for i, key := range v.keys {
			if i > 0 {
				put(", ")
			}
			r.repr(b, key)
			put(": ")
			r.repr(b, v.values[i])
		}
		put("}")
	default:
		r.fail("a %s cannot be printed", typeName(v))
	}
}

// formatFloat writes a float as Python does.
func formatFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quoted writes a string as Python's repr does.
func quoted(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b := []byte{quote}
	for _, c := range s {
		switch {
		case c == rune(quote) || c == '\\':
			b = append(b, '\\', byte(c))
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c != ' ' && !unicode.IsPrint(c):
			b = append(b, escapeRune(c)...)
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return string(append(b, quote))
}

func escapeRune(c rune) string {
	hex := strconv.FormatInt(int64(c), 16)
	switch {
	case c < 0x100:
		return `\x` + strings.Repeat("0", 2-len(hex)) + hex
	case c < 0x10000:
		return `\u` + strings.Repeat("0", 4-len(hex)) + hex
	}
	return `\U` + strings.Repeat("0", 8-len(hex)) + hex
}
