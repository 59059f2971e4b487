package jinja

import (
	"math"
	"strings"
)

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
