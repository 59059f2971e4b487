package jinja

import (
	"math"
	"strings"
	"unicode/utf8"
)

// expr is an expression.
type expr interface {
	eval(r *run, s *scope) any
}

type (
	literal  struct{ v any }
	name     struct{ name string }
	captured struct{} // what a set or filter block wrote
	listExpr struct {
		items []expr
		kind  listKind
	}
	dictExpr    struct{ keys, values []expr }
	conditional struct{ then, test, otherwise expr } // otherwise nil: undefined
	logical     struct {
		a, b expr
		or   bool
	}
	negated    struct{ e expr }
	comparison struct {
		first expr
		ops   []string
		rest  []expr
	}
	binary struct {
		op   string
		a, b expr
	}
	sign struct {
		e     expr
		minus bool
	}
	attribute struct {
		of   expr
		name string
	}
	subscript struct{ of, key expr }
	sliceExpr struct {
		of    expr
		parts [3]expr
	}
	call struct {
		of   expr
		args arguments
	}
	filter struct {
		of   expr
		name string
		args arguments
	}
	test struct {
		of   expr
		name string
		not  bool
		args arguments
	}
	arguments struct {
		placed []expr
		spread expr // *list after them; nil: none
		names  []string
		named  []expr
	}
)

// capturedName is no name that a template can write.
const capturedName = "{captured}"

func (l literal) eval(r *run, s *scope) any { return l.v }

func (n *name) eval(r *run, s *scope) any {
	if v, ok := s.get(n.name); ok {
		return v
	}
	return undefined{n.name}
}

func (*captured) eval(r *run, s *scope) any { return s.vars[capturedName] }

func (l *listExpr) eval(r *run, s *scope) any {
	r.items(len(l.items))
	out := &List{kind: l.kind}
	for _, e := range l.items {
		out.items = append(out.items, r.eval(e, s))
	}
	return out
}

func (d *dictExpr) eval(r *run, s *scope) any {
	r.items(2 * len(d.keys))
	out := NewDict()
	for i, k := range d.keys {
		key := r.eval(k, s)
		switch key.(type) {
		case string, int64, float64, bool, nil:
		default:
			r.fail("a %s cannot be the key of a dict", typeName(key))
		}
		out.set(key, r.eval(d.values[i], s))
	}
	return out
}

func (c *conditional) eval(r *run, s *scope) any {
	if truth(r.eval(c.test, s)) {
		return r.eval(c.then, s)
	}
	if c.otherwise == nil {
		return undefined{"the else of an if"}
	}
	return r.eval(c.otherwise, s)
}

func (l *logical) eval(r *run, s *scope) any {
	a := r.eval(l.a, s)
	if truth(a) == l.or {
		return a
	}
	return r.eval(l.b, s)
}

func (n *negated) eval(r *run, s *scope) any { return !truth(r.eval(n.e, s)) }

func (c *comparison) eval(r *run, s *scope) any {
	a := r.eval(c.first, s)
	for i, op := range c.ops {
		b := r.eval(c.rest[i], s)
		if !r.holds(op, a, b) {
			return false
		}
		a = b
	}
	return true
}

func (r *run) holds(op string, a, b any) bool {
	switch op {
	case "==":
		return r.equal(a, b)
	case "!=":
		return !r.equal(a, b)
	case "in":
		return r.contains(b, a)
	case "not in":
		return !r.contains(b, a)
	case "<":
		return r.compare(a, b) < 0
	case "<=":
		return r.compare(a, b) <= 0
	case ">":
		return r.compare(a, b) > 0
	}
	return r.compare(a, b) >= 0
}

func (r *run) contains(in, v any) bool {
	switch in := in.(type) {
	case string:
		s := r.text("the left side of in", v)
		r.look(len(in))
		return strings.Contains(in, s)
	case *Dict:
		_, ok := in.get(v)
		return ok
	}
	for _, item := range r.list(in) {
		if r.equal(item, v) {
			return true
		}
	}
	return false
}

func (b *binary) eval(r *run, s *scope) any {
	x, y := r.eval(b.a, s), r.eval(b.b, s)
	if b.op == "~" {
		return r.concat(r.str(x), r.str(y))
	}
	fx, ix, intx, okx := number(x)
	fy, iy, inty, oky := number(y)
	switch {
	case okx && oky && intx && inty && b.op != "/":
		return r.integers(b.op, ix, iy)
	case okx && oky:
		return r.floats(b.op, fx, fy)
	}
	switch x := x.(type) {
	case string:
		switch sy, ok := y.(string); {
		case b.op == "+" && ok:
			return r.concat(x, sy)
		case b.op == "*" && inty:
			return r.repeat(x, iy)
		case b.op == "%":
			return r.format(x, y)
		}
	case *List:
		if y, ok := y.(*List); ok && b.op == "+" && x.kind == y.kind && x.kind <= tuple {
			r.items(len(x.items) + len(y.items))
			return &List{append(append([]any{}, x.items...), y.items...), x.kind}
		}
	case undefined:
		r.fail("%q is undefined", x.name)
	}
	if u, ok := y.(undefined); ok {
		r.fail("%q is undefined", u.name)
	}
	if sy, ok := y.(string); ok && b.op == "*" && intx {
		return r.repeat(sy, ix)
	}
	r.fail("%s %s %s is not defined", typeName(x), b.op, typeName(y))
	return nil
}

func (r *run) concat(a, b string) string {
	r.make(len(a) + len(b))
	return a + b
}

func (r *run) repeat(s string, n int64) string {
	if n <= 0 || s == "" {
		return ""
	}
	if n > r.limits.Bytes/int64(len(s)) {
		r.fail("%w of %d bytes", ErrLimit, r.limits.Bytes)
	}
	r.make(len(s) * int(n))
	return strings.Repeat(s, int(n))
}

// integers is integer arithmetic as in Python, but for overflow, which is an error.
func (r *run) integers(op string, a, b int64) any {
	overflow := func() { r.fail("%d %s %d: integers have 64 bits", a, op, b) }
	switch op {
	case "+":
		c := a + b
		if (c > a) != (b > 0) {
			overflow()
		}
		return c
	case "-":
		c := a - b
		if (c < a) != (b > 0) {
			overflow()
		}
		return c
	case "*":
		if a == 0 || b == 0 {
			return int64(0)
		}
		c := a * b
		if c/b != a || a == -1 && b == math.MinInt64 || b == -1 && a == math.MinInt64 {
			overflow()
		}
		return c
	case "//", "%":
		if b == 0 {
			r.fail("division by zero")
		}
		if b == -1 && a == math.MinInt64 {
			overflow()
		}
		q, m := a/b, a%b
		if m != 0 && (m < 0) != (b < 0) {
			q, m = q-1, m+b
		}
		if op == "//" {
			return q
		}
		return m
	}
	if b < 0 {
		return r.floats(op, float64(a), float64(b))
	}
	c := int64(1)
	for ; b > 0; b-- {
		r.step(1)
		c = r.integers("*", c, a).(int64)
		if c == 0 || c == 1 {
			break
		}
	}
	return c
}

func (r *run) floats(op string, a, b float64) any {
	if b == 0 && (op == "/" || op == "//" || op == "%") {
		r.fail("division by zero")
	}
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / b
	case "//":
		return math.Floor(a / b)
	case "%":
		return a - b*math.Floor(a/b)
	}
	return math.Pow(a, b)
}

func (g *sign) eval(r *run, s *scope) any {
	v := r.eval(g.e, s)
	f, i, integer, ok := number(v)
	switch {
	case !ok:
		r.fail("a %s has no sign", typeName(v))
	case integer && g.minus:
		return r.integers("-", 0, i)
	case integer:
		return i
	case g.minus:
		return -f
	}
	return f
}

func (a *attribute) eval(r *run, s *scope) any {
	of := r.eval(a.of, s)
	if v, ok := r.attribute(of, a.name); ok {
		return v
	}
	if v, ok := r.item(of, a.name); ok {
		return v
	}
	return undefined{a.name}
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
	return undefined{name}
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

func (c *call) eval(r *run, s *scope) any {
	f := r.eval(c.of, s)
	return r.call(f, c.args.eval(r, s))
}

func (r *run) call(f any, a args) any {
	r.enter()
	defer r.leave()
	switch f := f.(type) {
	case *function:
		return f.call(r, a)
	case undefined:
		r.fail("%q is undefined", f.name)
	}
	r.fail("a %s cannot be called", typeName(f))
	return nil
}

func (a arguments) eval(r *run, s *scope) args {
	out := args{names: append([]string(nil), a.names...)}
	for _, e := range a.placed {
		out.placed = append(out.placed, r.eval(e, s))
	}
	if a.spread != nil {
		out.placed = append(out.placed, r.list(r.eval(a.spread, s))...)
		r.items(len(out.placed))
	}
	for _, e := range a.named {
		out.named = append(out.named, r.eval(e, s))
	}
	return out
}

func (f *filter) eval(r *run, s *scope) any {
	return r.filter(f.name, r.eval(f.of, s), f.args.eval(r, s))
}

func (t *test) eval(r *run, s *scope) any {
	return r.test(t.name, r.eval(t.of, s), t.args.eval(r, s)) != t.not
}
