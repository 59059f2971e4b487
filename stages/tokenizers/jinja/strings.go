package jinja

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// strip trims white space or the given characters.
func strip(r *run, s string, chars any, left, right bool) string {
	in := isSpace
	if chars != nil {
		set := r.text("the characters to strip", chars)
		in = func(c rune) bool {
			r.step(1)
			return strings.ContainsRune(set, c)
		}
	}
	if left {
		s = strings.TrimLeftFunc(s, in)
	}
	if right {
		s = strings.TrimRightFunc(s, in)
	}
	return s
}

func (r *run) replace(s, old, with string, count any) string {
	n := int64(-1)
	if count != nil {
		n = r.integer("count", count)
	}
	found := int64(strings.Count(s, old))
	if n >= 0 {
		found = min(found, n)
	}
	if len(with) > 0 && found > r.limits.Bytes/int64(len(with)) {
		r.fail("%w of %d bytes", ErrLimit, r.limits.Bytes)
	}
	r.make(len(s) + int(found)*len(with))
	return strings.Replace(s, old, with, int(found))
}

// strings makes a list of parts of a string.
func (r *run) strings(parts []string) *List {
	r.items(len(parts))
	out := &List{}
	for _, p := range parts {
		out.items = append(out.items, p)
	}
	return out
}

func (r *run) split(s string, b []any, fromRight bool) any {
	limit := r.integer("maxsplit", or(b[1], int64(-1)))
	if limit < 0 || limit > int64(len(s)) {
		limit = int64(len(s)) + 1
	}
	sep := ""
	if v := or(b[0], nil); v != nil {
		if sep = r.text("the separator", v); sep == "" {
			r.fail("split at an empty separator")
		}
	}
	r.items(len(s) / 8)
	var parts []string
	for ; limit > 0; limit-- {
		rest, part, ok := cutOne(s, sep, fromRight)
		if !ok {
			break
		}
		r.items(1)
		s, parts = rest, append(parts, part)
	}
	if sep == "" {
		s = strip(r, s, nil, !fromRight, fromRight)
	}
	if sep != "" || s != "" {
		parts = append(parts, s)
	}
	if fromRight {
		slices.Reverse(parts)
	}
	return r.strings(parts)
}

// cutOne cuts the first or last part off s; sep "" is white space, and empty parts do not count.
func cutOne(s, sep string, fromRight bool) (rest, part string, ok bool) {
	if sep != "" {
		if fromRight {
			i := strings.LastIndex(s, sep)
			if i < 0 {
				return s, "", false
			}
			return s[:i], s[i+len(sep):], true
		}
		part, rest, ok = strings.Cut(s, sep)
		if !ok {
			return s, "", false
		}
		return rest, part, true
	}
	if fromRight {
		s = strings.TrimRightFunc(s, isSpace)
		i := strings.LastIndexFunc(s, isSpace)
		if i < 0 {
			return s, "", false
		}
		_, w := utf8.DecodeRuneInString(s[i:])
		return strings.TrimRightFunc(s[:i], isSpace), s[i+w:], true
	}
	s = strings.TrimLeftFunc(s, isSpace)
	i := strings.IndexFunc(s, isSpace)
	if i < 0 {
		return s, "", false
	}
	return strings.TrimLeftFunc(s[i:], isSpace), s[:i], true
}

// splitLines splits at Python's line ends.
func splitLines(s string, keep bool) []string {
	var lines []string
	for s != "" {
		i := strings.IndexAny(s, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029")
		if i < 0 {
			return append(lines, s)
		}
		_, w := utf8.DecodeRuneInString(s[i:])
		if strings.HasPrefix(s[i:], "\r\n") {
			w = 2
		}
		if keep {
			lines = append(lines, s[:i+w])
		} else {
			lines = append(lines, s[:i])
		}
		s = s[i+w:]
	}
	return lines
}

// pythonTitle is str.title: a word is a run of letters.
func pythonTitle(s string) string {
	inside := false
	return strings.Map(func(c rune) rune {
		was := inside
		inside = unicode.IsLetter(c)
		if was {
			return unicode.ToLower(c)
		}
		return unicode.ToTitle(c)
	}, s)
}

// format is Python's % on strings, for %s, %d, %r, %f and %%.
func (r *run) format(format string, v any) string {
	values := []any{v}
	if l, ok := v.(*List); ok && l.kind == tuple {
		values = l.items
	}
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		start := i
		for i++; i < len(format) && strings.IndexByte("0123456789.", format[i]) >= 0; i++ {
		}
		if i == len(format) || i-start > 6 {
			r.fail("format %q is not supported", format[start:])
		}
		if format[i] == '%' {
			out.WriteByte('%')
			continue
		}
		if len(values) == 0 {
			r.fail("not enough values for format %q", format)
		}
		one := r.formatOne(format[start:i], format[i], values[0])
		values = values[1:]
		r.make(len(one))
		out.WriteString(one)
	}
	if len(values) > 0 {
		r.fail("too many values for format %q", format)
	}
	return out.String()
}

func (r *run) formatOne(spec string, verb byte, v any) string {
	f, n, integer, ok := number(v)
	switch {
	case verb == 's' && spec == "%":
		return r.str(v)
	case verb == 'r' && spec == "%":
		var b strings.Builder
		r.repr(&b, v)
		return b.String()
	case verb == 'd' && integer:
		return fmt.Sprintf(spec+"d", n)
	case verb == 'd' && ok:
		return fmt.Sprintf(spec+"d", int64(f))
	case verb == 'f' && ok:
		return fmt.Sprintf(spec+"f", f)
	}
	r.fail("format %s%c of a %s is not supported", spec, verb, typeName(v))
	return ""
}
