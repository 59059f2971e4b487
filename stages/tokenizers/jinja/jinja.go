// Package jinja runs the part of the Jinja language that chat templates use, as Hugging Face sets it up (trim_blocks,
// lstrip_blocks, loop controls, generation blocks), on templates nobody has to trust.
//
// A template sees its variables and nothing else: there is no way to reach files, other templates, the clock or Go
// values. Rendering is bounded by [Limits]: every node evaluated and every character looked at is a step, every byte of
// every value made counts, recursion has a depth, and there is a last bound on time. What the package does not know is
// an error, never something printed instead.
//
// It is written here because the Go libraries cannot be bounded from outside: one expression such as {{ 'a' * 99999999999 }}
// ends the process of github.com/nikolalohinski/gonja/v2 with an out-of-memory error that recover does not catch.
//
// Differs from the reference (Jinja2 3.1 in Python): integers have 64 bits and overflow is an error; include, import,
// extends, block and recursive loops are refused; generators and views cannot be printed; upper and
// lower case map one character to one.
package jinja

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Template is a parsed template. It may be rendered by many goroutines at once.
type Template struct {
	name string
	body []stmt
}

// Var is a variable of a template. Its value is nil, bool, int64, float64, string, *List, *Dict or Missing.
type Var struct {
	Name  string
	Value any
}

// Limits bound one rendering. Exceeding one is an error.
type Limits struct {
	Steps int64         // nodes evaluated, and characters and items looked at
	Bytes int64         // of all strings and lists made, the output included
	Depth int           // of nested expressions, statements and calls
	Time  time.Duration // on the wall clock; the other limits come first on any machine
}

// maxSource is the longest template, in bytes; the longest published one has about 30 KB.
const maxSource = 256 << 10

// ErrLimit is wrapped by errors that say that a limit was exceeded.
var ErrLimit = errors.New("template exceeds a limit")

// Missing is the value of a variable that ought to be there: as undefined as one that is not, but that printing it is an error.
type Missing struct{}

// ErrMissing is wrapped by the error of a template that prints a variable that is Missing.
var ErrMissing = errors.New("is missing, and would be printed")

// Raised is the error of a template that called raise_exception.
type Raised struct{ Message string }

// Error is what the template said.
func (e *Raised) Error() string { return e.Message }

// Parse reads a template; name is what errors call it.
func Parse(name, source string) (t *Template, err error) {
	if len(source) > maxSource {
		return nil, fmt.Errorf("%s: %d bytes: %w of %d bytes of source", name, len(source), ErrLimit, maxSource)
	}
	p := &parser{}
	defer func() {
		if r := recover(); r != nil {
			t, err = nil, failed(name, p.line(), r)
		}
	}()
	p.items = lex(source)
	body := p.statements()
	if p.peek().kind != itemEOF {
		p.fail("unexpected %s", p.peek())
	}
	return &Template{name: name, body: body}, nil
}

// Render runs the template. now is what strftime_now prints.
func (t *Template) Render(vars []Var, now time.Time, limits Limits) (out string, err error) {
	r := &run{limits: limits, deadline: time.Now().Add(limits.Time), out: new(strings.Builder)}
	defer func() {
		if p := recover(); p != nil {
			out, err = "", failed(t.name, r.line, p)
		}
	}()
	root := &scope{vars: globals(now)}
	for _, v := range vars {
		root.vars[v.Name] = v.Value
		if v.Value == (Missing{}) {
			root.vars[v.Name] = undefined{name: v.Name, missing: true}
		}
	}
	r.body(t.body, root)
	return r.out.String(), nil
}

// failure is what the package panics with, to be turned into an error at its border.
type failure struct{ err error }

func failed(name string, line int, recovered any) error {
	f, ok := recovered.(failure)
	if !ok {
		f.err = fmt.Errorf("internal error: %v", recovered)
	}
	if line == 0 { // the error says where
		return fmt.Errorf("%s: %w", name, f.err)
	}
	return fmt.Errorf("%s: line %d: %w", name, line, f.err)
}
