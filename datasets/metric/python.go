package metric

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// What the published scorers do to strings is what Python does to them; these are its rules.

// lower is str.lower, special cases of Unicode included.
func lower(s string) string { return cases.Lower(language.Und, cases.HandleFinalSigma(true)).String(s) }

// upper is str.upper, special cases of Unicode included.
func upper(s string) string { return cases.Upper(language.Und).String(s) }

// isSpace is str.isspace for one character.
func isSpace(r rune) bool { return unicode.IsSpace(r) || '\x1c' <= r && r <= '\x1f' }

// strip is str.strip.
func strip(s string) string { return strings.TrimFunc(s, isSpace) }

// fields is str.split.
func fields(s string) []string { return strings.FieldsFunc(s, isSpace) }

// isWord tells whether a regular expression's \w matches.
func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || r == '_' }

// round2 is round(x, 2): the nearest two decimals to the exact binary value, ties to even.
func round2(x float64) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 2, 64), 64) // what FormatFloat wrote is a number
	return y
}
