package jinja

import (
	"fmt"
	"slices"
)

// parser makes a tree of items. Its methods panic with a failure.
type parser struct {
	items []item
	pos   int
	depth int
}

// maxParseDepth bounds the nesting of statements and expressions.
const maxParseDepth = 200

func (p *parser) line() int {
	if p.pos < len(p.items) {
		return p.items[p.pos].line
	}
	return 0
}

func (p *parser) fail(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

func (p *parser) deeper() {
	if p.depth++; p.depth > maxParseDepth {
		p.fail("nested too deep: %w of %d", ErrLimit, maxParseDepth)
	}
}

func (p *parser) peek() item { return p.items[p.pos] }

func (p *parser) next() item {
	i := p.items[p.pos]
	if i.kind != itemEOF {
		p.pos++
	}
	return i
}

// is says whether the next item is this name or operator; accept also takes it, and expect fails if it is not there.
func (p *parser) is(kind itemKind, text string) bool {
	return p.peek().kind == kind && p.peek().text == text
}

func (p *parser) accept(kind itemKind, text string) bool {
	if p.is(kind, text) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expect(kind itemKind, text string) {
	if !p.accept(kind, text) {
		p.fail("expected %q, not %s", text, p.peek())
	}
}

func (p *parser) name() string {
	if p.peek().kind != itemName {
		p.fail("expected a name, not %s", p.peek())
	}
	return p.next().text
}

// statements reads up to a block tag that begins with one of the words, or the end; the tag's "{%" is taken, the word is
// not.
func (p *parser) statements(until ...string) []stmt {
	p.deeper()
	defer func() { p.depth-- }()
	var body []stmt
	for {
		i := p.peek()
		switch i.kind {
		case itemEOF:
			if len(until) > 0 {
				p.fail("expected {%% %s %%}, not the end of the template", until[len(until)-1])
			}
			return body
		case itemData:
			p.next()
			body = append(body, data(i.text))
		case itemOpen:
			p.next()
			e := p.tuple(true)
			p.expect(itemClose, "}}")
			body = append(body, &output{e, i.line})
		case itemBlock:
			p.next()
			if p.peek().kind == itemName && slices.Contains(until, p.peek().text) {
				return body
			}
			body = append(body, p.statement())
		default:
			p.fail("unexpected %s", i)
		}
	}
}

func (p *parser) endTag(name string) {
	p.expect(itemName, name)
	p.end()
}

func (p *parser) end() { p.expect(itemEnd, "%}") }

func (p *parser) statement() stmt {
	line := p.line()
	switch name := p.name(); name {
	case "if":
		return p.ifStatement(line)
	case "for":
		return p.forStatement(line)
	case "set":
		return p.setStatement(line)
	case "macro":
		m := &macroStmt{name: p.name(), line: line}
		m.params = p.params()
		p.end()
		m.body = p.statements("endmacro")
		p.next()
		if p.peek().kind == itemName {
			p.next()
		}
		p.end()
		return m
	case "call":
		c := &callStmt{line: line}
		if p.is(itemOp, "(") {
			c.params = p.params()
		}
		call, ok := p.expression().(*call)
		if !ok {
			p.fail("call needs a call")
		}
		c.call = call
		p.end()
		c.body = p.statements("endcall")
		p.endTag("endcall")
		return c
	case "filter":
		f := &filterStmt{line: line}
		f.chain = p.filters(&captured{}, p.filterCall(&captured{}))
		p.end()
		f.body = p.statements("endfilter")
		p.endTag("endfilter")
		return f
	case "generation":
		p.end()
		body := p.statements("endgeneration")
		p.endTag("endgeneration")
		return &group{body}
	case "break", "continue":
		p.end()
		return jump{map[string]control{"break": breaks, "continue": continues}[name]}
	default:
		p.fail("{%% %s %%} is not supported in chat templates; supported: if, for, set, macro, call, filter, generation, break, continue, raw", name)
		return nil
	}
}

func (p *parser) ifStatement(line int) stmt {
	s := &ifStmt{line: line}
	for {
		test := p.tuple(true)
		p.end()
		s.branches = append(s.branches, branch{test, p.statements("elif", "else", "endif")})
		switch p.next().text {
		case "elif":
			continue
		case "else":
			p.end()
			s.otherwise = p.statements("endif")
			p.next()
		}
		p.end()
		return s
	}
}

func (p *parser) forStatement(line int) stmt {
	s := &forStmt{line: line, targets: p.targets()}
	p.expect(itemName, "in")
	s.over = p.tuple(false)
	if p.accept(itemName, "if") {
		s.only = p.expression()
	}
	if p.is(itemName, "recursive") {
		p.fail("recursive loops are not supported")
	}
	p.end()
	s.body = p.statements("else", "endfor")
	if p.next().text == "else" {
		p.end()
		s.otherwise = p.statements("endfor")
		p.next()
	}
	p.end()
	return s
}

// targets reads a, b or (a, b).
func (p *parser) targets() []string {
	paren := p.accept(itemOp, "(")
	names := []string{p.name()}
	for p.accept(itemOp, ",") && p.peek().kind == itemName {
		names = append(names, p.name())
	}
	if paren {
		p.expect(itemOp, ")")
	}
	return names
}

func (p *parser) setStatement(line int) stmt {
	s := &setStmt{line: line, targets: p.targets()}
	if p.accept(itemOp, ".") {
		s.attr = p.name()
	}
	if p.accept(itemOp, "=") {
		s.value = p.tuple(true)
		p.end()
		return s
	}
	if len(s.targets) > 1 || s.attr != "" {
		p.fail("a set block has one target")
	}
	s.value = p.filters(&captured{}, &captured{})
	p.end()
	s.block = p.statements("endset")
	s.isBlock = true
	p.endTag("endset")
	return s
}

// params reads (a, b=1).
func (p *parser) params() []param {
	p.expect(itemOp, "(")
	var list []param
	for !p.accept(itemOp, ")") {
		if len(list) > 0 {
			p.expect(itemOp, ",")
		}
		one := param{name: p.name()}
		if p.accept(itemOp, "=") {
			one.def = p.expression()
		}
		list = append(list, one)
	}
	return list
}
