package jinja

import (
	"fmt"
	"strings"
	"time"
)

// run is one rendering. Its methods panic with a failure.
type run struct {
	limits   Limits
	deadline time.Time
	steps    int64
	bytes    int64
	depth    int
	line     int
	out      *strings.Builder
}

func (r *run) fail(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

// step counts n steps, and looks at the clock now and then.
func (r *run) step(n int) {
	before := r.steps
	r.steps += int64(n)
	if r.steps > r.limits.Steps {
		r.fail("%w of %d steps", ErrLimit, r.limits.Steps)
	}
	if before>>12 != r.steps>>12 && time.Now().After(r.deadline) {
		r.fail("%w of %v", ErrLimit, r.limits.Time)
	}
}

// look counts reading n bytes or items.
func (r *run) look(n int) { r.step(1 + n/16) }

// make counts n bytes about to be made.
func (r *run) make(n int) {
	r.step(1 + n/64)
	r.bytes += int64(n)
	if n < 0 || r.bytes > r.limits.Bytes {
		r.fail("%w of %d bytes", ErrLimit, r.limits.Bytes)
	}
}

// items counts n list items about to be made.
func (r *run) items(n int) {
	const itemBytes = 16
	if n > int(r.limits.Bytes/itemBytes) {
		n = int(r.limits.Bytes / itemBytes)
	}
	r.make(n * itemBytes)
	r.step(n)
}

func (r *run) enter() {
	r.step(1)
	if r.depth++; r.depth > r.limits.Depth {
		r.fail("%w of %d nested calls", ErrLimit, r.limits.Depth)
	}
}

func (r *run) leave() { r.depth-- }

func (r *run) write(s string) {
	r.make(len(s))
	r.out.WriteString(s)
}

// capture returns what f writes.
func (r *run) capture(f func()) string {
	outer := r.out
	r.out = new(strings.Builder)
	f()
	s := r.out.String()
	r.out = outer
	return s
}

func (r *run) eval(e expr, s *scope) any {
	r.enter()
	v := e.eval(r, s)
	r.leave()
	return v
}

// scope holds variables; those of the parent are seen through it.
type scope struct {
	vars   map[string]any
	parent *scope
}

func (s *scope) child() *scope { return &scope{vars: map[string]any{}, parent: s} }

func (s *scope) get(name string) (any, bool) {
	for ; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v, true
		}
	}
	return nil, false
}

// control says how a statement ended.
type control int

const (
	goesOn control = iota
	breaks
	continues
)

// body runs statements in order.
func (r *run) body(list []stmt, s *scope) control {
	r.enter()
	defer r.leave()
	for _, one := range list {
		r.step(1)
		if c := one.exec(r, s); c != goesOn {
			return c
		}
	}
	return goesOn
}

// list returns the items that a for loop over v visits.
func (r *run) list(v any) []any {
	switch v := v.(type) {
	case undefined:
		return nil
	case *List:
		r.look(len(v.items))
		items := v.items
		if v.kind == generator {
			v.items = nil
		}
		return items
	case *Dict:
		r.look(len(v.keys))
		return v.keys
	case string:
		r.items(len(v))
		out := make([]any, 0, len(v))
		for i, c := range v {
			n := len(string(c))
			if i+n > len(v) { // a byte that is not UTF-8
				n = len(v) - i
			}
			out = append(out, v[i:i+n])
		}
		return out
	}
	r.fail("a %s cannot be iterated over", typeName(v))
	return nil
}

// args are the values of a call's arguments.
type args struct {
	placed []any
	names  []string
	named  []any
}

// absent stands for an argument that was not given.
type absent struct{}

// bind gives arguments their parameters' places; absent{} stands where none was given.
func (r *run) bind(function string, a args, params ...string) []any {
	if len(a.placed) > len(params) {
		r.fail("%s takes %d arguments, not %d", function, len(params), len(a.placed))
	}
	out := make([]any, len(params))
	for i := range out {
		out[i] = absent{}
		if i < len(a.placed) {
			out[i] = a.placed[i]
		}
	}
	for i, name := range a.names {
		at := -1
		for k, p := range params {
			if p == name {
				at = k
			}
		}
		if at < 0 {
			r.fail("%s has no argument %q", function, name)
		}
		if _, free := out[at].(absent); !free {
			r.fail("%s got argument %q twice", function, name)
		}
		out[at] = a.named[i]
	}
	return out
}

// or is a bound argument or its default.
func or(v, def any) any {
	if _, none := v.(absent); none {
		return def
	}
	return v
}

// integer is a bound argument that must be an integer.
func (r *run) integer(what string, v any) int64 {
	_, i, integer, _ := number(v)
	if !integer {
		r.fail("%s must be an integer, not %s", what, typeName(v))
	}
	return i
}

// text is a bound argument that must be a string.
func (r *run) text(what string, v any) string {
	s, ok := v.(string)
	if !ok {
		r.fail("%s must be a string, not %s", what, typeName(v))
	}
	return s
}
