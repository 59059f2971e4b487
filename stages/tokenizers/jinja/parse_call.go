package jinja

import (
	"slices"
)

func (p *parser) index(e expr) expr {
	var parts [3]expr
	n := 0
	for !p.is(itemOp, "]") {
		if p.accept(itemOp, ":") {
			if n++; n > 2 {
				p.fail("a slice has at most three parts")
			}
			continue
		}
		if parts[n] != nil {
			p.fail("unexpected %s", p.peek())
		}
		parts[n] = p.expression()
	}
	p.next()
	if n > 0 {
		return &sliceExpr{e, parts}
	}
	if parts[0] == nil {
		p.fail("empty subscript")
	}
	return &subscript{e, parts[0]}
}

// arguments reads (a, b, *c, k=d).
func (p *parser) arguments() arguments {
	p.expect(itemOp, "(")
	var a arguments
	for first := true; !p.accept(itemOp, ")"); first = false {
		if !first {
			p.expect(itemOp, ",")
			if p.accept(itemOp, ")") {
				break
			}
		}
		if p.peek().kind == itemName && p.items[p.pos+1].kind == itemOp && p.items[p.pos+1].text == "=" {
			key := p.next().text
			p.next()
			a.names, a.named = append(a.names, key), append(a.named, p.expression())
			continue
		}
		if len(a.named) > 0 || a.spread != nil {
			p.fail("a positional argument after a named or spread one")
		}
		if p.accept(itemOp, "*") {
			a.spread = p.expression()
			continue
		}
		a.placed = append(a.placed, p.expression())
	}
	return a
}

// filters reads |filter, is test and calls of what they give. If at is given the expression is what a block captured and
// has no tests.
func (p *parser) filters(at *captured, e expr) expr {
	for {
		switch {
		case p.accept(itemOp, "|"):
			e = p.filterCall(e)
		case at == nil && p.accept(itemName, "is"):
			e = p.test(e)
		case at == nil && p.is(itemOp, "("):
			e = &call{e, p.arguments()}
		default:
			return e
		}
	}
}

func (p *parser) filterCall(e expr) expr {
	f := &filter{of: e, name: p.name()}
	if p.is(itemOp, "(") {
		f.args = p.arguments()
	}
	return f
}

func (p *parser) test(e expr) expr {
	t := &test{of: e, not: p.accept(itemName, "not")}
	t.name = p.name()
	switch i := p.peek(); {
	case p.is(itemOp, "("):
		t.args = p.arguments()
	case i.kind == itemName && !slices.Contains([]string{"else", "or", "and", "is", "in", "not", "if"}, i.text),
		i.kind == itemString, i.kind == itemInt, i.kind == itemFloat, p.is(itemOp, "["), p.is(itemOp, "{"):
		t.args.placed = []expr{p.postfix(p.primary())}
	}
	return t
}
