package jinja

import (
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
			return undefined{name: "loop." + name}
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
