package jinja

import (
	"math"
	"strings"
	"unicode/utf8"
)

func (a *attribute) eval(r *run, s *scope) any {
	of := r.eval(a.of, s)
	if v, ok := r.attribute(of, a.name); ok {
		return v
	}
	if v, ok := r.item(of, a.name); ok {
		return v
	}
	return undefined{name: a.name}
}

func (x *subscript) eval(r *run, s *scope) any {
	of, key := r.eval(x.of, s), r.eval(x.key, s)
	if v, ok := r.item(of, key); ok {
		return v
	}
	name, ok := key.(string)
	if ok {
		if v, ok := r.attribute(of, name); ok {
			return v
		}
	}
	return undefined{name: name}
}

// item is of[key].
func (r *run) item(of, key any) (any, bool) {
	switch of := of.(type) {
	case undefined:
		r.fail("%q is undefined", of.name)
	case *Dict:
		return of.get(key)
	case *List:
		_, i, integer, _ := number(key)
		if n := int64(len(of.items)); integer && of.kind <= ranged && -n <= i && i < n {
			return of.items[(i+n)%n], true
		}
	case string:
		_, i, integer, _ := number(key)
		if !integer {
			return nil, false
		}
		r.look(len(of))
		n := int64(utf8.RuneCountInString(of))
		if -n <= i && i < n {
			return r.slice(of, (i+n)%n, (i+n)%n+1, 1), true
		}
	}
	return nil, false
}

func (x *sliceExpr) eval(r *run, s *scope) any {
	of := r.eval(x.of, s)
	n := int64(0)
	switch of := of.(type) {
	case string:
		r.look(len(of))
		n = int64(utf8.RuneCountInString(of))
	case *List:
		if of.kind > ranged {
			r.fail("a %s cannot be sliced; make a list of it with |list", typeName(of))
		}
		n = int64(len(of.items))
	case undefined:
		r.fail("%q is undefined", of.name)
	default:
		r.fail("a %s cannot be sliced", typeName(of))
	}
	var at [3]any
	for i, p := range x.parts {
		if p != nil {
			at[i] = r.eval(p, s)
		}
	}
	step := int64(1)
	if at[2] != nil {
		if step = r.integer("the step of a slice", at[2]); step == 0 || step == math.MinInt64 {
			r.fail("slice step %d", step)
		}
	}
	lowest, highest := int64(0), n
	if step < 0 {
		lowest, highest = -1, n-1
	}
	bound := func(v any, def int64) int64 {
		if v == nil {
			return def
		}
		i := r.integer("the bound of a slice", v)
		if i < 0 {
			i += n
		}
		return min(max(i, lowest), highest)
	}
	if step < 0 {
		return r.slice(of, bound(at[0], highest), bound(at[1], lowest), step)
	}
	return r.slice(of, bound(at[0], lowest), bound(at[1], highest), step)
}

// slice takes every step-th character or item from lo on, up to hi but without it.
func (r *run) slice(of any, lo, hi, step int64) any {
	switch of := of.(type) {
	case string:
		r.make(len(of))
		if step == 1 {
			return runesBetween(of, lo, hi)
		}
		runes := []rune(of)
		var b strings.Builder
		for i := lo; (step > 0 && i < hi) || (step < 0 && i > hi); i += step {
			b.WriteRune(runes[i])
		}
		return b.String()
	case *List:
		r.items(len(of.items))
		out := &List{kind: of.kind}
		for i := lo; (step > 0 && i < hi) || (step < 0 && i > hi); i += step {
			out.items = append(out.items, of.items[i])
		}
		return out
	}
	panic("jinja: slice of a " + typeName(of))
}

// runesBetween is s[lo:hi] in characters.
func runesBetween(s string, lo, hi int64) string {
	if lo >= hi {
		return ""
	}
	start, end, n := len(s), len(s), int64(0)
	for i := range s {
		if n == lo {
			start = i
		}
		if n == hi {
			end = i
			break
		}
		n++
	}
	return s[start:end]
}
