package jinja

// stmt is a statement.
type stmt interface {
	exec(r *run, s *scope) control
}

type (
	data   string
	output struct {
		e    expr
		line int
	}
	group  struct{ body []stmt } // {% generation %}: its content, in the same scope
	jump   struct{ control }
	ifStmt struct {
		branches  []branch
		otherwise []stmt
		line      int
	}
	branch struct {
		test expr
		body []stmt
	}
	forStmt struct {
		targets         []string
		over, only      expr
		body, otherwise []stmt
		line            int
	}
	setStmt struct {
		targets []string
		attr    string // set target.attr
		value   expr
		isBlock bool // value is a chain of filters on what the block writes
		block   []stmt
		line    int
	}
	macroStmt struct {
		name   string
		params []param
		body   []stmt
		line   int
	}
	param struct {
		name string
		def  expr // nil: none
	}
	callStmt struct {
		params []param
		call   *call
		body   []stmt
		line   int
	}
	filterStmt struct {
		chain expr
		body  []stmt
		line  int
	}
)

func (d data) exec(r *run, s *scope) control {
	r.write(string(d))
	return goesOn
}

func (o *output) exec(r *run, s *scope) control {
	r.line = o.line
	r.write(r.str(r.eval(o.e, s)))
	return goesOn
}

func (g *group) exec(r *run, s *scope) control { return r.body(g.body, s) }
func (j jump) exec(r *run, s *scope) control   { return j.control }

func (i *ifStmt) exec(r *run, s *scope) control {
	for _, b := range i.branches {
		r.line = i.line
		if truth(r.eval(b.test, s)) {
			return r.body(b.body, s)
		}
	}
	return r.body(i.otherwise, s)
}

// loop is the variable of that name.
type loop struct {
	items        []any
	index, depth int
	changed      any // the last argument of loop.changed
}

func (f *forStmt) exec(r *run, s *scope) control {
	r.line = f.line
	items := r.list(r.eval(f.over, s))
	if f.only != nil {
		var kept []any
		for _, v := range items {
			inner := s.child()
			r.assign(inner, f.targets, v)
			if truth(r.eval(f.only, inner)) {
				kept = append(kept, v)
			}
		}
		items = kept
	}
	if len(items) == 0 {
		return r.body(f.otherwise, s)
	}
	l := &loop{items: items, changed: absent{}}
	if outer, ok := s.get("loop"); ok {
		if o, ok := outer.(*loop); ok {
			l.depth = o.depth + 1
		}
	}
	for i, v := range items {
		inner := s.child()
		l.index = i
		inner.vars["loop"] = l
		r.assign(inner, f.targets, v)
		if r.body(f.body, inner) == breaks {
			break
		}
	}
	return goesOn
}

// assign sets one variable, or several from a sequence.
func (r *run) assign(s *scope, targets []string, v any) {
	if len(targets) == 1 {
		s.vars[targets[0]] = v
		return
	}
	items := r.list(v)
	if len(items) != len(targets) {
		r.fail("%d values for %d variables", len(items), len(targets))
	}
	for i, name := range targets {
		s.vars[name] = items[i]
	}
}

func (t *setStmt) exec(r *run, s *scope) control {
	r.line = t.line
	inner := s
	if t.isBlock {
		inner = s.child()
		inner.vars[capturedName] = r.capture(func() { r.body(t.block, s.child()) })
	}
	v := r.eval(t.value, inner)
	if t.attr == "" {
		r.assign(s, t.targets, v)
		return goesOn
	}
	target, _ := s.get(t.targets[0])
	ns, ok := target.(*namespace)
	if !ok {
		r.fail("%s.%s: only a namespace's attributes can be set", t.targets[0], t.attr)
	}
	r.items(1)
	ns.vars.set(t.attr, v)
	return goesOn
}

func (m *macroStmt) exec(r *run, s *scope) control {
	s.vars[m.name] = r.closure(m.name, m.params, m.body, s)
	return goesOn
}

// closure makes a function of the body of a macro or call block.
func (r *run) closure(name string, params []param, body []stmt, s *scope) *function {
	names := make([]string, 0, len(params)+1)
	for _, p := range params {
		names = append(names, p.name)
	}
	names = append(names, "caller")
	return &function{name, func(r *run, a args) any {
		if len(a.placed) > len(params) {
			r.fail("%s takes %d arguments, not %d", name, len(params), len(a.placed))
		}
		inner := s.child()
		bound := r.bind(name, a, names...)
		inner.vars["caller"] = or(bound[len(params)], undefined{name: "caller"})
		for i, p := range params {
			v := bound[i]
			if _, none := v.(absent); none {
				v = undefined{name: p.name}
				if p.def != nil {
					v = r.eval(p.def, inner)
				}
			}
			inner.vars[p.name] = v
		}
		line := r.line
		out := r.capture(func() { r.body(body, inner) })
		r.line = line
		return out
	}}
}

func (c *callStmt) exec(r *run, s *scope) control {
	r.line = c.line
	f := r.eval(c.call.of, s)
	a := c.call.args.eval(r, s)
	a.names = append(a.names, "caller")
	a.named = append(a.named, r.closure("caller", c.params, c.body, s))
	r.write(r.str(r.call(f, a)))
	return goesOn
}

func (f *filterStmt) exec(r *run, s *scope) control {
	r.line = f.line
	inner := s.child()
	inner.vars[capturedName] = r.capture(func() { r.body(f.body, s.child()) })
	r.write(r.str(r.eval(f.chain, inner)))
	return goesOn
}
