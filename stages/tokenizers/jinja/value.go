package jinja

import (
	"math"
	"slices"
	"strings"
)

// List is a sequence of values.
type List struct {
	items []any
	kind  listKind
}

type listKind int

const (
	list listKind = iota
	tuple
	ranged    // range()
	view      // keys(), values(), items() of a dict
	generator // can be gone through once, is always true and has no length
)

// NewList returns a list of values, each of a kind that Var names.
func NewList(items ...any) *List { return &List{items: items} }

// Dict is a dictionary that keeps the order in which keys were added.
type Dict struct {
	keys   []any
	values []any
	at     map[any]int
}

// NewDict returns an empty dictionary.
func NewDict() *Dict { return &Dict{at: map[any]int{}} }

// Set adds or replaces the value of a string key, and returns the dictionary.
func (d *Dict) Set(key string, value any) *Dict {
	d.set(key, value)
	return d
}

func (d *Dict) set(key, value any) {
	if i, ok := d.at[hashed(key)]; ok {
		d.values[i] = value
		return
	}
	d.at[hashed(key)] = len(d.keys)
	d.keys, d.values = append(d.keys, key), append(d.values, value)
}

func (d *Dict) get(key any) (any, bool) {
	switch key.(type) {
	case string, int64, float64, bool, nil:
		if i, ok := d.at[hashed(key)]; ok {
			return d.values[i], true
		}
	}
	return nil, false
}

// hashed makes keys that Python holds equal equal.
func hashed(key any) any {
	switch k := key.(type) {
	case bool:
		if k {
			return int64(1)
		}
		return int64(0)
	case float64:
		if k == math.Trunc(k) && math.Abs(k) < 1<<53 {
			return int64(k)
		}
	}
	return key
}

// undefined is the value of what is not there.
type undefined struct {
	name    string
	missing bool // printing it is an error
}

// function is a callable value.
type function struct {
	name string
	call func(r *run, a args) any
}

// namespace is what namespace() makes: variables that a loop can set.
type namespace struct{ vars *Dict }

func truth(v any) bool {
	switch v := v.(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case *List:
		return v.kind == generator || len(v.items) > 0
	case *Dict:
		return len(v.keys) > 0
	}
	return true
}

// number returns a number as a float, and whether it is an integer.
func number(v any) (f float64, i int64, integer, ok bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, 1, true, true
		}
		return 0, 0, true, true
	case int64:
		return float64(v), v, true, true
	case float64:
		return v, 0, false, true
	}
	return 0, 0, false, false
}

func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case undefined:
		return "undefined"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case *List:
		return [...]string{"list", "tuple", "range", "view", "generator"}[v.kind]
	case *Dict:
		return "dict"
	case *namespace:
		return "namespace"
	case *loop:
		return "loop"
	}
	return "function"
}

// equal is Python's ==.
func (r *run) equal(a, b any) bool {
	r.enter()
	defer r.leave()
	if fa, ia, inta, ok := number(a); ok {
		fb, ib, intb, ok := number(b)
		if ok && inta && intb {
			return ia == ib
		}
		return ok && fa == fb
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case undefined:
		_, ok := b.(undefined)
		return ok
	case string:
		b, ok := b.(string)
		r.look(min(len(a), len(b)))
		return ok && a == b
	case *List:
		b, ok := b.(*List)
		return ok && a.kind == b.kind && slices.EqualFunc(a.items, b.items, r.equal)
	case *Dict:
		b, ok := b.(*Dict)
		if !ok || len(a.keys) != len(b.keys) {
			return false
		}
		for i, k := range a.keys {
			v, ok := b.get(k)
			if !ok || !r.equal(a.values[i], v) {
				return false
			}
		}
		return true
	}
	return a == b
}

// compare orders numbers, strings and lists of them.
func (r *run) compare(a, b any) int {
	r.enter()
	defer r.leave()
	fa, ia, inta, oka := number(a)
	fb, ib, intb, okb := number(b)
	switch {
	case oka && okb && inta && intb:
		return cmp(ia, ib)
	case oka && okb:
		return cmp(fa, fb)
	}
	if sa, ok := a.(string); ok {
		if sb, ok := b.(string); ok {
			r.look(min(len(sa), len(sb)))
			return strings.Compare(sa, sb)
		}
	}
	if la, ok := a.(*List); ok {
		if lb, ok := b.(*List); ok && la.kind == lb.kind {
			return slices.CompareFunc(la.items, lb.items, r.compare)
		}
	}
	r.fail("cannot compare %s with %s", typeName(a), typeName(b))
	return 0
}

func cmp[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
