package jinja

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func (r *run) length(v any) int64 {
	switch v := v.(type) {
	case string:
		r.look(len(v))
		return int64(utf8.RuneCountInString(v))
	case undefined:
		return 0
	case *List:
		if v.kind < generator {
			return int64(len(v.items))
		}
	case *Dict:
		return int64(len(v.keys))
	}
	r.fail("a %s has no length", typeName(v))
	return 0
}

func itemsFilter(r *run, v any, a args) any {
	r.bind("items", a)
	switch v := v.(type) {
	case undefined:
		return &List{kind: generator}
	case *Dict:
		return &List{r.pairs(v), generator}
	}
	r.fail("items of a %s", typeName(v))
	return nil
}

func listFilter(r *run, v any, a args) any {
	r.bind("list", a)
	items := r.list(v)
	r.items(len(items))
	return NewList(slices.Clone(items)...)
}

// path follows an attribute such as "function.name" or "0.text".
func (r *run) path(v any, path any) any {
	if n, ok := path.(int64); ok {
		item, _ := r.item(v, n)
		return item
	}
	for _, name := range strings.Split(r.text("an attribute", path), ".") {
		var key any = name
		if n, err := strconv.ParseInt(name, 10, 64); err == nil {
			key = n
		}
		next, ok := r.item(v, key)
		if !ok {
			next, ok = r.attribute(v, name)
		}
		if !ok {
			return undefined{name: name}
		}
		v = next
	}
	return v
}

func joinFilter(r *run, v any, a args) any {
	b := r.bind("join", a, "d", "attribute")
	sep := r.str(or(b[0], ""))
	var out strings.Builder
	for i, item := range r.list(v) {
		if i > 0 {
			r.make(len(sep))
			out.WriteString(sep)
		}
		if path := or(b[1], nil); path != nil {
			item = r.path(item, path)
		}
		s := r.str(item)
		r.make(len(s))
		out.WriteString(s)
	}
	return out.String()
}

func mapFilter(r *run, v any, a args) any {
	each := func(item any) any { return nil }
	if len(a.placed) == 0 {
		b := r.bind("map", a, "attribute", "default")
		each = func(item any) any {
			got := r.path(item, b[0])
			if _, missing := got.(undefined); missing {
				return or(b[1], got)
			}
			return got
		}
	} else {
		filter := r.text("the filter of map", a.placed[0])
		rest := args{a.placed[1:], a.names, a.named}
		each = func(item any) any { return r.filter(filter, item, rest) }
	}
	items := r.list(v)
	r.items(len(items))
	out := &List{kind: generator}
	for _, item := range items {
		out.items = append(out.items, each(item))
	}
	return out
}

// selecting is select and reject, on items or on an attribute of them.
func selecting(attribute, keep bool) filterFunc {
	return func(r *run, v any, a args) any {
		of := func(item any) any { return item }
		if attribute {
			if len(a.placed) == 0 {
				r.fail("selectattr and rejectattr need an attribute")
			}
			path := a.placed[0]
			a.placed = a.placed[1:]
			of = func(item any) any { return r.path(item, path) }
		}
		holds := func(item any) bool { return truth(of(item)) }
		if len(a.placed) > 0 {
			name, rest := r.text("the test of select", a.placed[0]), args{placed: a.placed[1:]}
			holds = func(item any) bool { return r.test(name, of(item), rest) }
		}
		out := &List{kind: generator}
		for _, item := range r.list(v) {
			if holds(item) == keep {
				r.items(1)
				out.items = append(out.items, item)
			}
		}
		return out
	}
}

func reverseFilter(r *run, v any, a args) any {
	r.bind("reverse", a)
	items := slices.Clone(r.list(v))
	r.items(len(items))
	slices.Reverse(items)
	if _, ok := v.(string); ok {
		return joinFilter(r, NewList(items...), args{})
	}
	return &List{items, generator}
}

// keyOf is the part of an item that sort, unique, min and max look at.
func (r *run) keyOf(attribute, sensitive any) func(any) any {
	of := func(v any) any { return v }
	if path := or(attribute, nil); path != nil {
		of = func(v any) any { return r.path(v, path) }
	}
	return r.foldCase(truth(or(sensitive, false)), of)
}

func sortFilter(r *run, v any, a args) any {
	b := r.bind("sort", a, "reverse", "case_sensitive", "attribute")
	items := slices.Clone(r.list(v))
	r.sortValues(items, r.keyOf(b[2], b[1]), truth(or(b[0], false)))
	return NewList(items...)
}

func uniqueFilter(r *run, v any, a args) any {
	b := r.bind("unique", a, "case_sensitive", "attribute")
	key := r.keyOf(b[1], b[0])
	seen := NewDict()
	out := &List{kind: generator}
	for _, item := range r.list(v) {
		k := key(item)
		switch k.(type) {
		case string, int64, float64, bool, nil:
		default:
			r.fail("unique of a %s", typeName(k))
		}
		if _, twice := seen.get(k); !twice {
			r.items(1)
			seen.set(k, nil)
			out.items = append(out.items, item)
		}
	}
	return out
}

// extreme is max (1) and min (-1).
func extreme(direction int) filterFunc {
	return func(r *run, v any, a args) any {
		b := r.bind("min or max", a, "case_sensitive", "attribute")
		key := r.keyOf(b[1], b[0])
		items := r.list(v)
		if len(items) == 0 {
			return undefined{name: "the extreme of an empty sequence"}
		}
		best := items[0]
		for _, item := range items[1:] {
			if direction*r.compare(key(item), key(best)) > 0 {
				best = item
			}
		}
		return best
	}
}

func sumFilter(r *run, v any, a args) any {
	b := r.bind("sum", a, "attribute", "start")
	total := or(b[1], int64(0))
	for _, item := range r.list(v) {
		if path := or(b[0], nil); path != nil {
			item = r.path(item, path)
		}
		total = (&binary{"+", literal{total}, literal{item}}).eval(r, nil)
	}
	return total
}
