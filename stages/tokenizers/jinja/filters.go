package jinja

import (
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// filterFunc is a filter: what v|name(a) is.
type filterFunc func(r *run, v any, a args) any

// filterNames are the filters by name. Those not here are refused when they are used.
func filterNames() []struct {
	name string
	f    filterFunc
} {
	return []struct {
		name string
		f    filterFunc
	}{
		{"abs", absFilter}, {"attr", attrFilter}, {"capitalize", onText(capitalize)}, {"count", lengthFilter},
		{"d", defaultFilter}, {"default", defaultFilter}, {"dictsort", dictsort}, {"e", onText(html.EscapeString)},
		{"escape", onText(html.EscapeString)}, {"first", ends(0)}, {"float", floatFilter}, {"indent", indentFilter},
		{"int", intFilter}, {"items", itemsFilter}, {"join", joinFilter}, {"last", ends(-1)},
		{"length", lengthFilter}, {"list", listFilter}, {"lower", onText(strings.ToLower)}, {"map", mapFilter},
		{"max", extreme(1)}, {"min", extreme(-1)}, {"reject", selecting(false, false)},
		{"rejectattr", selecting(true, false)}, {"replace", replaceFilter}, {"reverse", reverseFilter},
		{"round", roundFilter}, {"safe", onText(func(s string) string { return s })},
		{"select", selecting(false, true)}, {"selectattr", selecting(true, true)}, {"sort", sortFilter},
		{"string", onText(func(s string) string { return s })}, {"sum", sumFilter}, {"title", onText(title)},
		{"tojson", tojson}, {"trim", trimFilter}, {"unique", uniqueFilter}, {"upper", onText(strings.ToUpper)},
	}
}

func (r *run) filter(name string, v any, a args) any {
	var names []string
	for _, f := range filterNames() {
		if f.name == name {
			return f.f(r, v, a)
		}
		names = append(names, f.name)
	}
	r.fail("filter %q is not supported; supported: %s", name, strings.Join(names, ", "))
	return nil
}

// onText is a filter without arguments that works on str(v).
func onText(f func(string) string) filterFunc {
	return func(r *run, v any, a args) any {
		r.bind("filter", a)
		s := r.str(v)
		r.make(2 * len(s))
		return f(s)
	}
}

func capitalize(s string) string {
	first := true
	return strings.Map(func(c rune) rune {
		if first {
			first = false
			return unicode.ToTitle(c)
		}
		return unicode.ToLower(c)
	}, s)
}

// title is Jinja's filter: a word begins after white space and - ( { [ <.
func title(s string) string {
	begin := true
	return strings.Map(func(c rune) rune {
		was := begin
		begin = isSpace(c) || strings.ContainsRune("-({[<", c)
		if was {
			return unicode.ToTitle(c)
		}
		return unicode.ToLower(c)
	}, s)
}

func absFilter(r *run, v any, a args) any {
	r.bind("abs", a)
	f, i, integer, ok := number(v)
	switch {
	case !ok:
		r.fail("abs of a %s", typeName(v))
	case !integer:
		return math.Abs(f)
	case i < 0:
		return r.integers("-", 0, i)
	}
	return i
}

func attrFilter(r *run, v any, a args) any {
	name := r.text("the name of an attribute", r.bind("attr", a, "name")[0])
	if v, ok := r.attribute(v, name); ok {
		return v
	}
	return undefined{name: name}
}

func lengthFilter(r *run, v any, a args) any {
	r.bind("length", a)
	return r.length(v)
}

func defaultFilter(r *run, v any, a args) any {
	b := r.bind("default", a, "default_value", "boolean")
	_, missing := v.(undefined)
	if missing || truth(or(b[1], false)) && !truth(v) {
		return or(b[0], "")
	}
	return v
}

func dictsort(r *run, v any, a args) any {
	b := r.bind("dictsort", a, "case_sensitive", "by", "reverse")
	d, ok := v.(*Dict)
	if !ok {
		r.fail("dictsort of a %s", typeName(v))
	}
	by := map[any]int{"key": 0, "value": 1}
	k, ok := by[or(b[1], "key")]
	if !ok {
		r.fail("dictsort by what is neither key nor value")
	}
	pairs := r.pairs(d)
	key := r.foldCase(truth(or(b[0], false)), func(v any) any { return v.(*List).items[k] })
	r.sortValues(pairs, key, truth(or(b[2], false)))
	return NewList(pairs...)
}

// foldCase makes strings lower before they are compared, as filters do if they are not case sensitive.
func (r *run) foldCase(sensitive bool, of func(any) any) func(any) any {
	if sensitive {
		return of
	}
	return func(v any) any {
		v = of(v)
		if s, ok := v.(string); ok {
			r.make(len(s))
			return strings.ToLower(s)
		}
		return v
	}
}

func (r *run) sortValues(items []any, key func(any) any, reverse bool) {
	r.items(len(items))
	keys := make([]any, len(items))
	order := make([]int, len(items))
	for i, v := range items {
		keys[i], order[i] = key(v), i
	}
	r.sort(order, func(a, b int) int {
		if reverse {
			a, b = b, a
		}
		return r.compare(keys[a], keys[b])
	})
	sorted := make([]any, len(items))
	for i, at := range order {
		sorted[i] = items[at]
	}
	copy(items, sorted)
}

// sort sorts stably.
func (r *run) sort(order []int, compare func(a, b int) int) {
	slices.SortStableFunc(order, func(a, b int) int {
		r.step(1)
		return compare(a, b)
	})
}

// pairs are the (key, value) tuples of a dict.
func (r *run) pairs(d *Dict) []any {
	r.items(3 * len(d.keys))
	out := make([]any, len(d.keys))
	for i, k := range d.keys {
		out[i] = &List{[]any{k, d.values[i]}, tuple}
	}
	return out
}

// ends is first (0) and last (-1).
func ends(at int) filterFunc {
	return func(r *run, v any, a args) any {
		r.bind("first or last", a)
		if l, ok := v.(*List); ok && l.kind == generator && at < 0 {
			r.fail("last of a generator; make a list of it with |list")
		}
		items := r.list(v)
		if len(items) == 0 {
			return undefined{name: "an item of an empty sequence"}
		}
		return items[(at+len(items))%len(items)]
	}
}

func floatFilter(r *run, v any, a args) any {
	def := or(r.bind("float", a, "default")[0], 0.0)
	if f, _, _, ok := number(v); ok {
		return f
	}
	if s, ok := v.(string); ok {
		if f, err := strconv.ParseFloat(strings.TrimFunc(s, isSpace), 64); err == nil {
			return f
		}
	}
	return def
}

func intFilter(r *run, v any, a args) any {
	b := r.bind("int", a, "default", "base")
	f, i, integer, ok := number(v)
	if s, isText := v.(string); isText {
		s = strings.TrimFunc(s, isSpace)
		n, err := strconv.ParseInt(s, int(min(max(r.integer("base", or(b[1], int64(10))), 0), 36)), 64)
		if err == nil {
			return n
		}
		f, err = strconv.ParseFloat(s, 64)
		ok = err == nil
	}
	if integer {
		return i
	}
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		return or(b[0], int64(0))
	}
	if math.Abs(f) >= math.MaxInt64 {
		r.fail("%v|int: integers have 64 bits", f)
	}
	return int64(f)
}

func roundFilter(r *run, v any, a args) any {
	b := r.bind("round", a, "precision", "method")
	f, _, _, ok := number(v)
	if !ok {
		r.fail("round of a %s", typeName(v))
	}
	scale := math.Pow(10, float64(r.integer("precision", or(b[0], int64(0)))))
	switch or(b[1], "common") {
	case "common":
		return math.RoundToEven(f*scale) / scale
	case "ceil":
		return math.Ceil(f*scale) / scale
	case "floor":
		return math.Floor(f*scale) / scale
	}
	r.fail("round: the method is common, ceil or floor")
	return nil
}

func indentFilter(r *run, v any, a args) any {
	b := r.bind("indent", a, "width", "first", "blank")
	width, ok := or(b[0], int64(4)).(string)
	if !ok {
		width = r.repeat(" ", r.integer("width", or(b[0], int64(4))))
	}
	blank := truth(or(b[2], false))
	s := r.str(v)
	lines := splitLines(s+"\n", false)
	size := len(s)
	for i, line := range lines {
		if i > 0 && (line != "" || blank) {
			size += len(width)
			r.make(len(width))
			lines[i] = width + line
		}
	}
	r.make(size + len(width))
	out := strings.Join(lines, "\n")
	if truth(or(b[1], false)) {
		out = width + out
	}
	return out
}

func trimFilter(r *run, v any, a args) any {
	chars := or(r.bind("trim", a, "chars")[0], nil)
	s := r.str(v)
	r.make(len(s))
	return strip(r, s, chars, true, true)
}

func replaceFilter(r *run, v any, a args) any {
	b := r.bind("replace", a, "old", "new", "count")
	return r.replace(r.str(v), r.str(b[0]), r.str(b[1]), or(b[2], nil))
}
