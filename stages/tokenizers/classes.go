package tokenizers

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// Classes of characters as split patterns see them; zero is everything else.
const (
	letter  = 1 << iota // \p{L}
	number              // \p{N}
	space               // \s without the line ends below
	newline             // \r and \n, which are \s too
	blank   = space | newline
)

// classes holds the class of every code point.
type classes [unicode.MaxRune + 1]uint8

// Characters that came into being after Unicode 15.0, which Go's tables describe; the reference library knows them.
var (
	newLetters = [][2]rune{
		{0x1C89, 0x1C8A}, {0xA7CB, 0xA7CD}, {0xA7DA, 0xA7DC}, {0x105C0, 0x105F3}, {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85},
		{0x10EC2, 0x10EC4}, {0x11380, 0x11389}, {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
		{0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0}, {0x13460, 0x143FA}, {0x16100, 0x1611D}, {0x16D40, 0x16D6C},
		{0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED}, {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D},
	}
	newNumbers = [][2]rune{
		{0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9}, {0x16130, 0x16139}, {0x16D70, 0x16D79},
		{0x1CCF0, 0x1CCF9}, {0x1E5F1, 0x1E5FA},
	}
)

// classTable is built at first use; it has 1.1 MB.
var classTable = sync.OnceValue(func() *classes {
	c := new(classes)
	for _, t := range []struct {
		class uint8
		table *unicode.RangeTable
		newer [][2]rune
	}{{letter, unicode.L, newLetters}, {number, unicode.N, newNumbers}, {space, unicode.White_Space, nil}} {
		c.fillTable(t.table, t.newer, t.class)
	}
	c['\r'], c['\n'] = newline, newline
	return c
})

// fillTable gives the characters of a table, and newer ones, a class.
func (c *classes) fillTable(table *unicode.RangeTable, newer [][2]rune, class uint8) {
	for _, r := range table.R16 {
		c.fill(rune(r.Lo), rune(r.Hi), rune(r.Stride), class)
	}
	for _, r := range table.R32 {
		c.fill(rune(r.Lo), rune(r.Hi), rune(r.Stride), class)
	}
	for _, r := range newer {
		c.fill(r[0], r[1], 1, class)
	}
}

func (c *classes) fill(lo, hi, stride rune, class uint8) {
	for r := lo; r <= hi; r += stride {
		c[r] = class
	}
}

// at returns the class and the width of the character at s[i]. A byte that is not UTF-8 is a character of class zero.
func (c *classes) at(s string, i int) (class uint8, width int) {
	if b := s[i]; b < utf8.RuneSelf {
		return c[b], 1
	}
	r, w := utf8.DecodeRuneInString(s[i:])
	return c[r], w
}

// run returns the end of the longest run of characters from s[i] on whose class is in the set.
func (c *classes) run(s string, i int, set uint8) int {
	for i < len(s) {
		k, w := c.at(s, i)
		if k&set == 0 {
			break
		}
		i += w
	}
	return i
}

// runOther is run for class zero.
func (c *classes) runOther(s string, i int) int {
	for i < len(s) {
		k, w := c.at(s, i)
		if k != 0 {
			break
		}
		i += w
	}
	return i
}

// isWordRune is \w of the regular expressions in the reference library's added tokens: alphabetic, mark, decimal
// number, connector punctuation or join control.
func isWordRune(r rune) bool {
	return r == '_' || classTable()[r] == letter || unicode.In(r, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control)
}
