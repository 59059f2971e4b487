package jinja

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var operators = []string{"**", "//", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ","}

var closing = map[string]string{")": "(", "]": "[", "}": "{"}

// expression reads the inside of a tag up to its end, which counts only outside of brackets.
func (l *lexer) expression(end string, kind itemKind) {
	var open []string
	for {
		rest := l.in[l.pos:]
		l.advance(len(rest) - len(strings.TrimLeftFunc(rest, isSpace)))
		rest = l.in[l.pos:]
		if rest == "" {
			l.fail("tag without end")
		}
		if len(open) == 0 {
			sign := ""
			if rest[0] == '-' || rest[0] == '+' && kind == itemEnd {
				sign = rest[:1]
			}
			if strings.HasPrefix(rest[len(sign):], end) {
				l.emit(kind, end)
				l.advance(len(sign) + 2)
				l.trimAfter(sign, kind == itemEnd)
				return
			}
		}
		open = l.token(rest, open)
	}
}

// token reads one token and keeps track of open brackets.
func (l *lexer) token(rest string, open []string) []string {
	r, _ := utf8.DecodeRuneInString(rest)
	switch {
	case r == '_' || unicode.IsLetter(r):
		n := len(rest) - len(strings.TrimLeftFunc(rest, func(r rune) bool {
			return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r)
		}))
		l.emit(itemName, rest[:n])
		l.advance(n)
		return open
	case '0' <= r && r <= '9':
		l.number(rest)
		return open
	case r == '"' || r == '\'':
		l.str(rest)
		return open
	}
	for _, op := range operators {
		if !strings.HasPrefix(rest, op) {
			continue
		}
		switch op {
		case "(", "[", "{":
			open = append(open, op)
		case ")", "]", "}":
			if len(open) == 0 || open[len(open)-1] != closing[op] {
				l.fail("unexpected %q", op)
			}
			open = open[:len(open)-1]
		}
		l.emit(itemOp, op)
		l.advance(len(op))
		return open
	}
	l.fail("unexpected character %q", r)
	return nil
}

func (l *lexer) number(rest string) {
	digits := func(i int) int {
		for i < len(rest) && ('0' <= rest[i] && rest[i] <= '9' || rest[i] == '_') {
			i++
		}
		return i
	}
	n, kind := digits(0), itemInt
	if n+1 < len(rest) && rest[n] == '.' && '0' <= rest[n+1] && rest[n+1] <= '9' {
		n, kind = digits(n+1), itemFloat
	}
	if n < len(rest) && (rest[n] == 'e' || rest[n] == 'E') {
		m := n + 1
		if m < len(rest) && (rest[m] == '+' || rest[m] == '-') {
			m++
		}
		if end := digits(m); end > m {
			n, kind = end, itemFloat
		}
	}
	l.emit(kind, strings.ReplaceAll(rest[:n], "_", ""))
	l.advance(n)
}

// str reads a quoted string with Python's escapes.
func (l *lexer) str(rest string) {
	var b strings.Builder
	i := 1
	for ; i < len(rest) && rest[i] != rest[0]; i++ {
		if rest[i] != '\\' {
			b.WriteByte(rest[i])
			continue
		}
		i++
		if i == len(rest) {
			break
		}
		if k := strings.IndexByte(`\'"abfnrtv`, rest[i]); k >= 0 {
			b.WriteByte("\\'\"\a\b\f\n\r\t\v"[k])
			continue
		}
		size := map[byte]int{'x': 2, 'u': 4, 'U': 8}[rest[i]]
		switch {
		case rest[i] == '\n':
		case size > 0:
			n, err := strconv.ParseUint(rest[min(i+1, len(rest)):min(i+1+size, len(rest))], 16, 32)
			if err != nil || i+size >= len(rest) || !utf8.ValidRune(rune(n)) {
				l.fail("bad escape in a string")
			}
			b.WriteRune(rune(n))
			i += size
		case '0' <= rest[i] && rest[i] <= '7', rest[i] == 'N':
			l.fail("escape \\%c is not supported", rest[i])
		default:
			b.WriteByte('\\')
			b.WriteByte(rest[i])
		}
	}
	if i >= len(rest) {
		l.fail("string without end")
	}
	l.emit(itemString, b.String())
	l.advance(i + 1)
}
