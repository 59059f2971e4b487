package metric

import (
	"slices"
	"strings"
)

// Function is where a function stands in a source text: its name, and the bytes [Lo, Hi) from the first of its modifiers to the end of its
// body. Decorators, attributes of Rust and the template<…> of C++ stand before it.
type Function struct {
	Name   string
	Lo, Hi int
}

// Languages are those that Functions reads.
var Languages = []string{"python", "java", "typescript", "rust", "cpp", "go"}

// Functions finds the functions of a text in one of Languages, in the order of their beginnings, so that an outer one stands before those
// in it: Python's def, Java's methods, TypeScript's function declarations, Rust's fn, C++'s functions outside classes whose name has no
// scope and is not preceded by * or &, and Go's functions without receiver; all with a body. It finds what it can in a text with mistakes, never panics,
// and takes time linear in the text's length. For another language it finds nothing.
//
// Source: the queries for tree-sitter of RepoQA.
// Differs from the reference: a scanner of tokens and brackets, not a parser. Java's and Go's declarations without a body are left out.
func Functions(text, lang string) []Function {
	var found []Function
	switch lang {
	case "python":
		found = pythonFunctions(scan(text, &pythonLexis))
	case "java":
		found = javaFunctions(scan(text, &javaLexis))
	case "typescript":
		found = typescriptFunctions(scan(text, &typescriptLexis))
	case "rust":
		found = rustFunctions(scan(text, &rustLexis))
	case "cpp":
		found = cppFunctions(scan(text, &cppLexis))
	case "go":
		found = goFunctions(scan(text, &goLexis))
	}
	slices.SortStableFunc(found, func(a, b Function) int { return a.Lo - b.Lo })
	return found
}

// code is a scanned text: its tokens without comments, and for each bracket its partner.
type code struct {
	text   string
	tokens []token
	match  []int // for a bracket the index of its partner, for the others -1
}

// token is a word, a number, a string or a single character of punctuation.
type token struct {
	lo, hi int
	kind   byte // 'w' word, 's' string or character, 'p' punctuation
}

// at is the text of token i, "" outside. A string is given as its quote alone, so that it is never taken for a keyword.
func (c *code) at(i int) string {
	if i < 0 || i >= len(c.tokens) {
		return ""
	}
	t := c.tokens[i]
	if t.kind == 's' {
		return `"`
	}
	return c.text[t.lo:t.hi]
}

func (c *code) isWord(i int) bool { return i >= 0 && i < len(c.tokens) && c.tokens[i].kind == 'w' }

// group is the index behind the bracket group that opens at i; -1 if none does or it does not close.
func (c *code) group(i int, open string) int {
	if c.at(i) != open || c.match[i] <= i {
		return -1
	}
	return c.match[i] + 1
}

// newline reports whether token i stands on a later line than the one before it.
func (c *code) newline(i int) bool {
	if i <= 0 || i >= len(c.tokens) {
		return true
	}
	return strings.Contains(c.text[c.tokens[i-1].hi:c.tokens[i].lo], "\n")
}

// reach is how far the end of type parameters, or of a regular expression, is looked for where nothing else bounds the search.
const reach = 1000

// angles is the index behind the <…> that opens at i, or -1. It gives up at what cannot stand in type parameters.
func (c *code) angles(i int) int {
	depth := 0
	for end := min(i+reach, len(c.tokens)); i < end; i++ {
		switch c.at(i) {
		case "<":
			depth++
		case ">":
			if c.at(i-1) == "-" || c.at(i-1) == "=" { // an arrow
				continue
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case "(", "[", "{":
			if c.match[i] < i {
				return -1
			}
			i = c.match[i]
		case ";", "}", ")", "]":
			return -1
		}
	}
	return -1
}

// function is the one called by token name, from token lo to the end of the body that opens at token body.
func (c *code) function(name, lo, body int) Function {
	return Function{c.at(name), c.tokens[lo].lo, c.tokens[c.match[body]].hi}
}

// pair fills in match. A closing bracket that does not fit the last open one closes the nearest that fits, if one is open; those between stay
// without a partner.
func (c *code) pair() {
	c.match = make([]int, len(c.tokens))
	var open []int
	var count [3]int // open brackets of each kind
	for i, t := range c.tokens {
		c.match[i] = -1
		if t.kind != 'p' {
			continue
		}
		if k := strings.IndexByte("([{", c.text[t.lo]); k >= 0 {
			open = append(open, i)
			count[k]++
			continue
		}
		k := strings.IndexByte(")]}", c.text[t.lo])
		for k >= 0 && count[k] > 0 {
			last := open[len(open)-1]
			open = open[:len(open)-1]
			kind := strings.IndexByte("([{", c.text[c.tokens[last].lo])
			count[kind]--
			if kind == k {
				c.match[i], c.match[last] = last, i
				break
			}
		}
	}
}
