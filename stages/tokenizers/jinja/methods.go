package jinja

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// attribute is of.name: the methods of strings and dicts, and the fields of loops and namespaces.
func (r *run) attribute(of any, name string) (any, bool) {
	switch of := of.(type) {
	case undefined:
		r.fail("%q is undefined, so it has no %q", of.name, name)
	case *namespace:
		return of.vars.get(name)
	case *loop:
		return of.attribute(name)
	case *Dict:
		for _, m := range dictMethods {
			if m.name == name {
				return &function{name, func(r *run, a args) any { return m.f(r, of, a) }}, true
			}
		}
	case string:
		for _, m := range stringMethods() {
			if m.name == name {
				return &function{name, func(r *run, a args) any {
					r.make(len(of))
					return m.f(r, of, r.bind(name, a, m.params...))
				}}, true
			}
		}
	}
	return nil, false
}

func (l *loop) attribute(name string) (any, bool) {
	i, n := l.index, len(l.items)
	near := func(at int) any {
		if at < 0 || at >= n {
			return undefined{"loop." + name}
		}
		return l.items[at]
	}
	switch name {
	case "index":
		return int64(i + 1), true
	case "index0":
		return int64(i), true
	case "revindex":
		return int64(n - i), true
	case "revindex0":
		return int64(n - i - 1), true
	case "first":
		return i == 0, true
	case "last":
		return i == n-1, true
	case "length":
		return int64(n), true
	case "depth":
		return int64(l.depth + 1), true
	case "depth0":
		return int64(l.depth), true
	case "previtem":
		return near(i - 1), true
	case "nextitem":
		return near(i + 1), true
	case "cycle":
		return &function{name, func(r *run, a args) any {
			if len(a.placed) == 0 {
				r.fail("loop.cycle needs values")
			}
			return a.placed[i%len(a.placed)]
		}}, true
	case "changed":
		return &function{name, func(r *run, a args) any {
			now := &List{items: a.placed}
			before, ok := l.changed.(*List)
			l.changed = now
			return !ok || !r.equal(before, now)
		}}, true
	}
	return nil, false
}

var dictMethods = []struct {
	name string
	f    func(r *run, d *Dict, a args) any
}{
	{"get", func(r *run, d *Dict, a args) any {
		b := r.bind("get", a, "key", "default")
		if v, ok := d.get(b[0]); ok {
			return v
		}
		return or(b[1], nil)
	}},
	{"items", func(r *run, d *Dict, a args) any {
		r.bind("items", a)
		return &List{r.pairs(d), view}
	}},
	{"keys", func(r *run, d *Dict, a args) any {
		r.bind("keys", a)
		r.items(len(d.keys))
		return &List{slices.Clone(d.keys), view}
	}},
	{"values", func(r *run, d *Dict, a args) any {
		r.bind("values", a)
		r.items(len(d.values))
		return &List{slices.Clone(d.values), view}
	}},
}

type stringMethod struct {
	name   string
	params []string
	f      func(r *run, s string, b []any) any
}

func stringMethods() []stringMethod {
	plain := func(name string, f func(string) string) stringMethod {
		return stringMethod{name, nil, func(r *run, s string, _ []any) any {
			r.make(2 * len(s))
			return f(s)
		}}
	}
	stripping := func(name string, left, right bool) stringMethod {
		return stringMethod{name, []string{"chars"}, func(r *run, s string, b []any) any {
			return strip(r, s, or(b[0], nil), left, right)
		}}
	}
	all := func(name string, in func(rune) bool) stringMethod {
		return stringMethod{name, nil, func(_ *run, s string, _ []any) any {
			return s != "" && strings.IndexFunc(s, func(c rune) bool { return !in(c) }) < 0
		}}
	}
	affix := func(name string, has func(s, affix string) bool) stringMethod {
		return stringMethod{name, []string{"affix"}, func(r *run, s string, b []any) any {
			if l, ok := b[0].(*List); ok && l.kind == tuple {
				return slices.ContainsFunc(l.items, func(v any) bool { return has(s, r.text(name, v)) })
			}
			return has(s, r.text("the argument of "+name, b[0]))
		}}
	}
	find := func(name string, index func(s, sub string) int) stringMethod {
		return stringMethod{name, []string{"sub"}, func(r *run, s string, b []any) any {
			i := index(s, r.text("the argument of "+name, b[0]))
			if i < 0 {
				return int64(-1)
			}
			return int64(utf8.RuneCountInString(s[:i]))
		}}
	}
	cut := func(name string, f func(s, affix string) string) stringMethod {
		return stringMethod{name, []string{"affix"}, func(r *run, s string, b []any) any {
			return f(s, r.text("the argument of "+name, b[0]))
		}}
	}
	return []stringMethod{
		stripping("strip", true, true), stripping("lstrip", true, false), stripping("rstrip", false, true),
		plain("upper", strings.ToUpper), plain("lower", strings.ToLower), plain("capitalize", capitalize), plain("title", pythonTitle),
		affix("startswith", strings.HasPrefix), affix("endswith", strings.HasSuffix),
		find("find", strings.Index), find("rfind", strings.LastIndex),
		cut("removeprefix", strings.TrimPrefix), cut("removesuffix", strings.TrimSuffix),
		all("isdigit", unicode.IsDigit), all("isalpha", unicode.IsLetter), all("isspace", isSpace),
		all("isalnum", func(c rune) bool { return unicode.IsLetter(c) || unicode.IsNumber(c) }),
		{"count", []string{"sub"}, func(r *run, s string, b []any) any {
			return int64(strings.Count(s, r.text("the argument of count", b[0])))
		}},
		{"replace", []string{"old", "new", "count"}, func(r *run, s string, b []any) any {
			return r.replace(s, r.text("the argument of replace", b[0]), r.text("the argument of replace", b[1]), or(b[2], nil))
		}},
		{"join", []string{"items"}, func(r *run, s string, b []any) any {
			for _, item := range r.list(b[0]) {
				r.text("an item to join", item)
			}
			return joinFilter(r, b[0], args{placed: []any{s}})
		}},
		{"split", []string{"sep", "maxsplit"}, func(r *run, s string, b []any) any { return r.split(s, b, false) }},
		{"rsplit", []string{"sep", "maxsplit"}, func(r *run, s string, b []any) any { return r.split(s, b, true) }},
		{"splitlines", []string{"keepends"}, func(r *run, s string, b []any) any {
			return r.strings(splitLines(s, truth(or(b[0], false))))
		}},
	}
}

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
