package tokenizers

import (
	"sync"
	"unicode"
)

// Cases of characters; letters without case and marks are both.
const (
	upper = 1 << iota // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
	small             // [\p{Ll}\p{Lm}\p{Lo}\p{M}]
)

// Letters of newLetters that have a case or change others.
var (
	newCapitals = [][2]rune{{0x1C89, 0x1C89}, {0xA7CB, 0xA7CC}, {0xA7DA, 0xA7DA}, {0xA7DC, 0xA7DC}, {0x10D50, 0x10D65}}
	newSmalls   = [][2]rune{{0x1C8A, 0x1C8A}, {0xA7CD, 0xA7CD}, {0xA7DB, 0xA7DB}, {0x10D70, 0x10D85}}
	newModifier = [][2]rune{{0x10D4E, 0x10D4E}, {0x10D6F, 0x10D6F}, {0x16D40, 0x16D42}, {0x16D6B, 0x16D6C}}
	newCaseless = [][2]rune{
		{0x105C0, 0x105F3}, {0x10D4A, 0x10D4D}, {0x10D4F, 0x10D4F}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389}, {0x1138B, 0x1138B},
		{0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7}, {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0},
		{0x13460, 0x143FA}, {0x16100, 0x1611D}, {0x16D43, 0x16D6A}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED}, {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D},
	}
)

// caseTable has the cases of all characters; it is built at first use.
var caseTable = sync.OnceValue(func() *classes {
	c := new(classes)
	for _, t := range []struct {
		class uint8
		table *unicode.RangeTable
		newer [][2]rune
	}{
		{upper, unicode.Lu, newCapitals}, {upper, unicode.Lt, nil}, {small, unicode.Ll, newSmalls},
		{upper | small, unicode.Lm, newModifier}, {upper | small, unicode.Lo, newCaseless}, {upper | small, unicode.M, nil},
	} {
		c.fillTable(t.table, t.newer, t.class)
	}
	return c
})

// casedScanner makes a scanner of one of the patterns.
func casedScanner(digits int, contractions bool) func(c *classes, s string, i int) int {
	return func(c *classes, s string, i int) int {
		cases := caseTable()
		end := casedWord(c, cases, s, i)
		if end < 0 {
			return scanRest(c, s, i, digits, true)
		}
		if contractions && end < len(s) && s[end] == '\'' {
			if n := contraction(s[end+1:], true); n > 0 {
				end += 1 + n
			}
		}
		return end
	}
}

// casedWord is the end of the word at s[i], which may begin with a character that is neither letter, number nor line end: capitals and
// then small letters, or else capitals alone; -1: there is none.
func casedWord(c, cases *classes, s string, i int) int {
	begins, n := [2]int{i}, 1
	if k, w := c.at(s, i); k&(letter|number|newline) == 0 {
		begins, n = [2]int{i + w, i}, 2
	}
	for _, word := range []func(*classes, string, int) int{endingSmall, capitals} {
		for _, begin := range begins[:n] {
			if end := word(cases, s, begin); end >= 0 {
				return end
			}
		}
	}
	return -1
}

// endingSmall matches [upper]*[small]+ at s[i].
func endingSmall(cases *classes, s string, i int) int {
	back := -1 // where the last character ends that is both
	for i < len(s) {
		k, w := cases.at(s, i)
		if k&upper == 0 {
			if k&small != 0 {
				return cases.run(s, i, small)
			}
			break
		}
		i += w
		if k&small != 0 {
			back = i
		}
	}
	return back
}

// capitals matches [upper]+[small]* at s[i].
func capitals(cases *classes, s string, i int) int {
	end := cases.run(s, i, upper)
	if end == i {
		return -1
	}
	return cases.run(s, end, small)
}
