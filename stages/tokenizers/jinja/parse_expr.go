package jinja

import (
	"slices"
	"strconv"
)

// tuple reads expressions separated by commas: one is itself, several are a tuple.
func (p *parser) tuple(conditional bool) expr {
	one := p.expression
	if !conditional {
		one = p.or
	}
	first := one()
	if !p.is(itemOp, ",") {
		return first
	}
	items := []expr{first}
	for p.accept(itemOp, ",") {
		if k := p.peek().kind; k == itemClose || k == itemEnd || p.is(itemOp, ")") {
			break
		}
		items = append(items, one())
	}
	return &listExpr{items, tuple}
}

func (p *parser) expression() expr {
	p.deeper()
	defer func() { p.depth-- }()
	e := p.or()
	for p.accept(itemName, "if") {
		c := &conditional{then: e, test: p.or()}
		if p.accept(itemName, "else") {
			c.otherwise = p.expression()
		}
		e = c
	}
	return e
}

func (p *parser) or() expr {
	e := p.and()
	for p.accept(itemName, "or") {
		e = &logical{e, p.and(), true}
	}
	return e
}

func (p *parser) and() expr {
	e := p.not()
	for p.accept(itemName, "and") {
		e = &logical{e, p.not(), false}
	}
	return e
}

func (p *parser) not() expr {
	p.deeper()
	defer func() { p.depth-- }()
	if p.accept(itemName, "not") {
		return &negated{p.not()}
	}
	return p.comparison()
}

var comparisons = []string{"==", "!=", "<", "<=", ">", ">="}

func (p *parser) comparison() expr {
	first := p.sum()
	var c *comparison
	for {
		op := ""
		switch i := p.peek(); {
		case i.kind == itemOp && slices.Contains(comparisons, i.text), i.kind == itemName && i.text == "in":
			op = p.next().text
		case i.kind == itemName && i.text == "not" && p.items[p.pos+1].kind == itemName && p.items[p.pos+1].text == "in":
			p.pos += 2
			op = "not in"
		}
		if op == "" {
			break
		}
		if c == nil {
			c = &comparison{first: first}
		}
		c.ops, c.rest = append(c.ops, op), append(c.rest, p.sum())
	}
	if c == nil {
		return first
	}
	return c
}

// binary reads operands of the next level joined by the operators, from left to right.
func (p *parser) binary(next func() expr, ops ...string) expr {
	e := next()
	for p.peek().kind == itemOp && slices.Contains(ops, p.peek().text) {
		e = &binary{p.next().text, e, next()}
	}
	return e
}

func (p *parser) sum() expr     { return p.binary(p.concat, "+", "-") }
func (p *parser) concat() expr  { return p.binary(p.product, "~") }
func (p *parser) product() expr { return p.binary(p.power, "*", "/", "//", "%") }
func (p *parser) power() expr   { return p.binary(func() expr { return p.unary(true) }, "**") }

func (p *parser) unary(filters bool) expr {
	p.deeper()
	defer func() { p.depth-- }()
	var e expr
	switch {
	case p.accept(itemOp, "-"):
		e = &sign{p.unary(false), true}
	case p.accept(itemOp, "+"):
		e = &sign{p.unary(false), false}
	default:
		e = p.postfix(p.primary())
	}
	if filters {
		e = p.filters(nil, e)
	}
	return e
}

func (p *parser) primary() expr {
	i := p.next()
	switch i.kind {
	case itemName:
		switch i.text {
		case "true", "True":
			return literal{true}
		case "false", "False":
			return literal{false}
		case "none", "None":
			return literal{nil}
		}
		return &name{i.text}
	case itemString:
		s := i.text
		for p.peek().kind == itemString {
			s += p.next().text
		}
		return literal{s}
	case itemInt:
		n, err := strconv.ParseInt(i.text, 10, 64)
		if err != nil {
			p.fail("%s: integers have 64 bits", i)
		}
		return literal{n}
	case itemFloat:
		f, err := strconv.ParseFloat(i.text, 64)
		if err != nil {
			p.fail("%s: not a number: %w", i, err)
		}
		return literal{f}
	case itemOp:
		switch i.text {
		case "(":
			if p.accept(itemOp, ")") {
				return &listExpr{nil, tuple}
			}
			e := p.tuple(true)
			p.expect(itemOp, ")")
			return e
		case "[":
			return &listExpr{p.exprs("]"), list}
		case "{":
			return p.dict()
		}
	}
	p.fail("unexpected %s", i)
	return nil
}

func (p *parser) exprs(end string) []expr {
	var items []expr
	for !p.accept(itemOp, end) {
		if len(items) > 0 {
			p.expect(itemOp, ",")
			if p.accept(itemOp, end) {
				break
			}
		}
		items = append(items, p.expression())
	}
	return items
}

func (p *parser) dict() expr {
	d := &dictExpr{}
	for !p.accept(itemOp, "}") {
		if len(d.keys) > 0 {
			p.expect(itemOp, ",")
			if p.accept(itemOp, "}") {
				break
			}
		}
		d.keys = append(d.keys, p.expression())
		p.expect(itemOp, ":")
		d.values = append(d.values, p.expression())
	}
	return d
}

// postfix reads attributes, subscripts and calls.
func (p *parser) postfix(e expr) expr {
	for {
		switch {
		case p.accept(itemOp, "."):
			if p.peek().kind == itemInt {
				n, err := strconv.ParseInt(p.next().text, 10, 64)
				if err != nil {
					p.fail("%w", err)
				}
				e = &subscript{e, literal{n}}
			} else {
				e = &attribute{e, p.name()}
			}
		case p.accept(itemOp, "["):
			e = p.index(e)
		case p.is(itemOp, "("):
			e = &call{e, p.arguments()}
		default:
			return e
		}
	}
}
