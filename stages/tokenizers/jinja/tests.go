package jinja

import "strings"

// testNames are the tests by name: whether "v is name(a)".
func testNames() []struct {
	name string
	f    func(r *run, v any, a []any) bool
} {
	is := func(f func(v any) bool) func(*run, any, []any) bool {
		return func(_ *run, v any, _ []any) bool { return f(v) }
	}
	holds := func(op string) func(*run, any, []any) bool {
		return func(r *run, v any, a []any) bool { return r.holds(op, v, a[0]) }
	}
	return []struct {
		name string
		f    func(r *run, v any, a []any) bool
	}{
		{"defined", is(func(v any) bool { _, u := v.(undefined); return !u })},
		{"undefined", is(func(v any) bool { _, u := v.(undefined); return u })},
		{"none", is(func(v any) bool { return v == nil })},
		{"string", is(func(v any) bool { _, ok := v.(string); return ok })},
		{"number", is(func(v any) bool { _, _, _, ok := number(v); return ok })},
		{"integer", is(func(v any) bool { _, ok := v.(int64); return ok })},
		{"float", is(func(v any) bool { _, ok := v.(float64); return ok })},
		{"boolean", is(func(v any) bool { _, ok := v.(bool); return ok })},
		{"true", is(func(v any) bool { return v == true })},
		{"false", is(func(v any) bool { return v == false })},
		{"mapping", is(func(v any) bool { _, ok := v.(*Dict); return ok })},
		{"iterable", is(isIterable)},
		{"sequence", is(func(v any) bool { l, ok := v.(*List); return isIterable(v) && (!ok || l.kind <= ranged) })},
		{"callable", is(func(v any) bool { _, ok := v.(*function); return ok })},
		{"lower", func(r *run, v any, _ []any) bool {
			s := r.str(v)
			return s == strings.ToLower(s) && s != strings.ToUpper(s)
		}},
		{"upper", func(r *run, v any, _ []any) bool {
			s := r.str(v)
			return s == strings.ToUpper(s) && s != strings.ToLower(s)
		}},
		{"even", func(r *run, v any, _ []any) bool { return r.integer("what is tested for even", v)%2 == 0 }},
		{"odd", func(r *run, v any, _ []any) bool { return r.integer("what is tested for odd", v)%2 != 0 }},
		{"divisibleby", func(r *run, v any, a []any) bool {
			return r.integers("%", r.integer("a dividend", v), r.integer("a divisor", a[0])) == int64(0)
		}},
		{"sameas", func(r *run, v any, a []any) bool { return v == a[0] }},
		{"in", func(r *run, v any, a []any) bool { return r.contains(a[0], v) }},
		{"eq", holds("==")}, {"equalto", holds("==")}, {"==", holds("==")}, {"ne", holds("!=")}, {"!=", holds("!=")},
		{"lt", holds("<")}, {"lessthan", holds("<")}, {"<", holds("<")}, {"le", holds("<=")}, {"<=", holds("<=")},
		{"gt", holds(">")}, {"greaterthan", holds(">")}, {">", holds(">")}, {"ge", holds(">=")}, {">=", holds(">=")},
	}
}

// testArguments are the tests that take one argument; the others take none.
const testArguments = " divisibleby sameas in eq equalto == ne != lt lessthan < le <= gt greaterthan > ge >= "

func isIterable(v any) bool {
	switch v.(type) {
	case string, undefined, *List, *Dict:
		return true
	}
	return false
}

func (r *run) test(name string, v any, a args) bool {
	want := 0
	if strings.Contains(testArguments, " "+name+" ") {
		want = 1
	}
	for _, t := range testNames() {
		if t.name != name {
			continue
		}
		if len(a.placed) != want || len(a.named) > 0 {
			r.fail("test %q takes %d arguments", name, want)
		}
		return t.f(r, v, a.placed)
	}
	r.fail("test %q is not supported", name)
	return false
}
