package engine

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Stage is the part of the cache's life that a method works on.
type Stage string

// The four stages, in the paper's order, and the baseline.
const (
	Baseline    Stage = "none"
	Generation  Stage = "generation"
	Compression Stage = "compression"
	Retrieval   Stage = "retrieval"
	Loading     Stage = "loading"
)

// Method is a long-context method: a value, in a file of its own, that makes policies.
type Method struct {
	Name  string
	Paper string // where it was published
	Doc   string // one sentence
	Stage Stage
	// Differs says what it does otherwise than the reference code, beginning with "Same as the reference" or "Differs from the reference".
	Differs string
	Cost    CostClass
	Params  []Param
	New     func(s Shape, a Args) (Policy, error)
}

// CostClass is what a method costs with a context of n tokens, per layer and head, and when it decides: words for a table.
type CostClass struct {
	Prefill string // query-key products of the first prompt
	Decode  string // tokens' keys and values that a decoded token reads
	Memory  string // tokens' keys and values that are stored
	Decided string // when it decides
	Aware   string // of which queries its decision knows
}

// Param is one setting of a method, with the value that the benchmark's paper uses.
type Param struct{ Name, Default, Doc string }

// Args are the values of a method's parameters. The first bad value is kept and reported by Err.
type Args struct {
	method string
	shape  Shape
	value  map[string]string
	err    *error
}

// Int reads a whole number that is at least least.
func (a Args) Int(name string, least int) int {
	v, err := strconv.Atoi(a.value[name])
	if err != nil || v < least || v > math.MaxInt32 {
		a.fail(name, fmt.Sprintf("a whole number from %d to %d", least, math.MaxInt32))
		return least
	}
	a.value[name] = strconv.Itoa(v) // one spelling, so that equal settings have equal names
	return v
}

// Choice reads one of the given words.
func (a Args) Choice(name string, words ...string) string {
	for _, w := range words {
		if a.value[name] == w {
			return w
		}
	}
	a.fail(name, "one of "+strings.Join(words, ", "))
	return words[0]
}

// Amount reads a number of tokens, a share of the context ("1/8", "12.5%"), or the bytes of a session's whole cache ("64MiB"), which are
// as many tokens as fit them in every layer and head.
func (a Args) Amount(name string) Amount {
	v, err := ParseAmount(a.value[name])
	if err != nil {
		a.fail(name, fmt.Sprintf("tokens from 1 to %d, a share of the context above 0 and at most 1 such as 1/8 or 12.5%%, or bytes such as 64MiB", math.MaxInt32))
	}
	if v.Bytes > 0 {
		if a.shape.TokenBytes <= 0 || v.Bytes < a.shape.TokenBytes {
			a.fail(name, fmt.Sprintf("at least the bytes of one token, %d", a.shape.TokenBytes))
			return v
		}
		return Amount{Tokens: int(min(v.Bytes/a.shape.TokenBytes, math.MaxInt32))}
	}
	if v.Tokens > 0 {
		a.value[name] = strconv.Itoa(v.Tokens)
	}
	return v
}

// Fail reports a value that is wrong for a reason of the method's own.
func (a Args) Fail(name, want string) { a.fail(name, want) }

// Err is the first bad value met, or nil.
func (a Args) Err() error { return *a.err }

func (a Args) fail(name, want string) {
	if *a.err == nil {
		*a.err = fmt.Errorf("method %s: %s=%s: want %s", a.method, name, a.value[name], want)
	}
}

// Parse makes the policy of a specification: methods joined by "+", each with settings after a colon,
// "ashape:init=16,local=240+snapkv:budget=1/8". Settings not named have their defaults. The policy's Name is the
// specification with every setting written out.
func Parse(spec string, all []*Method, s Shape) (Policy, error) {
	var parts []Policy
	for _, one := range strings.Split(spec, "+") {
		p, err := parseOne(one, all, s)
		if err != nil {
			return Policy{}, err
		}
		if err := p.suits(s); err != nil {
			return Policy{}, err
		}
		if strings.Contains(spec, "+") && p.Full() {
			return Policy{}, fmt.Errorf("method %s decides nothing, so there is nothing to join with +", p.Name)
		}
		parts = append(parts, p)
	}
	return Compose(parts...)
}

func parseOne(spec string, all []*Method, s Shape) (Policy, error) {
	name, settings, _ := strings.Cut(strings.TrimSpace(spec), ":")
	if name == "" {
		return Policy{}, fmt.Errorf("the name of a method is missing in %q", spec)
	}
	m, err := find(name, all)
	if err != nil {
		return Policy{}, err
	}
	given := map[string]bool{}
	a := Args{method: m.Name, shape: s, value: map[string]string{}, err: new(error)}
	for _, p := range m.Params {
		a.value[p.Name] = p.Default
	}
	for _, kv := range strings.FieldsFunc(settings, func(r rune) bool { return r == ',' }) {
		k, v, ok := strings.Cut(kv, "=")
		_, known := a.value[k]
		if known && !ok {
			return Policy{}, fmt.Errorf("method %s: setting %s has no value; write %s=%s or another", m.Name, k, k, a.value[k])
		}
		if !known {
			return Policy{}, fmt.Errorf("method %s has no setting %q; it has %s", m.Name, kv, m.settings())
		}
		if given[k] {
			return Policy{}, fmt.Errorf("method %s: setting %s is given twice; alternatives are written %s=%s|%s", m.Name, k, k, a.value[k], v)
		}
		given[k] = true
		a.value[k] = v
	}
	p, err := m.New(s, a)
	if err == nil {
		err = a.Err()
	}
	if err != nil {
		return Policy{}, err
	}
	p.Name = m.Name
	for i, q := range m.Params {
		p.Name += string(":,"[min(i, 1)]) + q.Name + "=" + a.value[q.Name]
	}
	return p, nil
}

func find(name string, all []*Method) (*Method, error) {
	var names []string
	for _, m := range all {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return nil, fmt.Errorf("there is no method %q; there are %s", name, strings.Join(names, ", "))
}

// settings lists the method's parameters with their defaults.
func (m *Method) settings() string {
	if len(m.Params) == 0 {
		return "none"
	}
	var s []string
	for _, p := range m.Params {
		s = append(s, p.Name+"="+p.Default)
	}
	return strings.Join(s, ", ")
}
