package jinja

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
	return undefined{name: n.name}
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
		return undefined{name: "the else of an if"}
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
