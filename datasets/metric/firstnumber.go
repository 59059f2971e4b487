package metric

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FirstNumber judges whether the first number in the answer is gold, itself a number.
//
// Strict takes the first run of digits, with a fraction if one follows, and never a sign or separator: "-5" is 5 and "1,234" is 1. An integer
// gold wants the number without its fraction to be equal, any other gold the nearest double.
//
// Both read the decimal digits of any script. Fixed reads signs ("-5", "−5"; not the hyphen of "A-5" or "3-5") and groups of three digits ("1,234", also with no-break spaces), and
// wants exactly the same number: "5.7" is not 5, "5.0" is. Three-digit numbers listed without a blank, "997,996", read as one number.
// A gold that is no number scores 0.
//
// Source: InfiniteBench's math_find, the scorer of Math.Find.
// Same as the reference in Strict, save that a number too large for a double scores 0 where the reference stops with an error.
func FirstNumber(answer, gold string) Scores {
	a, okA := readNumber(answer)
	g, okG := readNumber(gold)
	return Scores{oneIf(strictNumber(answer, gold)), oneIf(okA && okG && a == g)}
}

var pythonNumber = regexp.MustCompile(`\p{Nd}+\.\p{Nd}+|\p{Nd}+`) // Python's \d is any decimal digit of Unicode

func strictNumber(answer, gold string) bool {
	found := pythonNumber.FindString(answer)
	if found == "" {
		return false
	}
	x, err := strconv.ParseFloat(strings.Map(asciiDigit, found), 64)
	if err != nil {
		return false
	}
	if n, err := strconv.ParseInt(gold, 10, 64); err == nil {
		return x < math.MaxInt64 && int64(x) == n
	}
	y, err := strconv.ParseFloat(gold, 64)
	return err == nil && x == y
}

// asciiDigit maps any decimal digit of Unicode to its ASCII twin. Digits stand in the table in whole tens, from zero up.
func asciiDigit(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return r
}

// number is a decimal number in one form only, so that equal numbers are equal values: no zeros before whole or after frac, no minus zero.
type number struct {
	minus       bool
	whole, frac string
}

// readNumber reads the first number in s.
func readNumber(s string) (number, bool) {
	s = strings.Map(asciiDigit, s)
	at := strings.IndexAny(s, "0123456789")
	if at < 0 {
		return number{}, false
	}
	digits, rest := groupedDigits(s[at:])
	n := number{minus: signed(s[:at]), whole: strings.TrimLeft(digits, "0")}
	if strings.HasPrefix(rest, ".") {
		frac, _ := leadingDigits(rest[1:])
		n.frac = strings.TrimRight(frac, "0")
	}
	if n.whole == "" && n.frac == "" {
		n.minus = false
	}
	return n, true
}

// signed tells whether the text before a number ends in a minus that is no hyphen between two words or numbers.
func signed(before string) bool {
	sign, size := utf8.DecodeLastRuneInString(before)
	if sign != '-' && sign != '−' {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(before[:len(before)-size])
	return !unicode.IsLetter(last) && !unicode.IsDigit(last) && last != ')'
}

// leadingDigits splits s after its leading ASCII digits.
func leadingDigits(s string) (digits, rest string) {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return s[:n], s[n:]
}

// groupedDigits splits s after its leading number, whose groups of three digits may have separators between them, and removes those.
func groupedDigits(s string) (digits, rest string) {
	digits, rest = leadingDigits(s)
	if len(digits) > 3 {
		return digits, rest
	}
	for {
		group, after := groupOfThree(rest)
		if group == "" {
			return digits, rest
		}
		digits, rest = digits+group, after
	}
}

// groupOfThree is the three digits of s behind a separator, if no fourth follows; else "".
func groupOfThree(s string) (digits, rest string) {
	sep, size := utf8.DecodeRuneInString(s)
	if sep != ',' && sep != '\u00a0' && sep != '\u202f' {
		return "", s
	}
	digits, rest = leadingDigits(s[size:])
	if len(digits) != 3 {
		return "", s
	}
	return digits, rest
}
