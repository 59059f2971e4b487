package jinja

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// item is a token of a template.
type item struct {
	kind itemKind
	text string // the data, the name, the operator, or the value of a string
	line int
}

type itemKind int

const (
	itemEOF itemKind = iota
	itemData
	itemOpen  // {{
	itemClose // }}
	itemBlock // {%
	itemEnd   // %}
	itemName
	itemString
	itemInt
	itemFloat
	itemOp
)

func (i item) String() string {
	if i.kind == itemEOF {
		return "end of template"
	}
	return strconv.Quote(i.text)
}

// lexer cuts a template into items, with Jinja's rules on white space around tags.
type lexer struct {
	in      string
	pos     int
	line    int
	fresh   bool // the position is at the start of a line
	brought []item
}

func lex(source string) []item {
	source = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(source)
	l := &lexer{in: strings.TrimSuffix(source, "\n"), line: 1, fresh: true}
	for l.pos < len(l.in) {
		l.data()
	}
	l.emit(itemEOF, "")
	return l.brought
}

func (l *lexer) fail(format string, args ...any) {
	panic(failure{fmt.Errorf("line %d: "+format, append([]any{l.line}, args...)...)})
}

func (l *lexer) emit(kind itemKind, text string) {
	l.brought = append(l.brought, item{kind, text, l.line})
}

// advance moves over n bytes.
func (l *lexer) advance(n int) {
	l.line += strings.Count(l.in[l.pos:l.pos+n], "\n")
	l.pos += n
	l.fresh = n > 0 && l.in[l.pos-1] == '\n'
}

// data reads text up to the next tag, and the tag.
func (l *lexer) data() {
	rest := l.in[l.pos:]
	end := len(rest)
	for i := 0; i+1 < len(rest); i++ {
		if rest[i] == '{' && (rest[i+1] == '{' || rest[i+1] == '%' || rest[i+1] == '#') {
			end = i
			break
		}
	}
	text := rest[:end]
	if end == len(rest) {
		l.emit(itemData, text)
		l.advance(end)
		return
	}
	open := rest[end : end+2]
	sign := ""
	if end+2 < len(rest) && (rest[end+2] == '-' || rest[end+2] == '+') {
		sign = rest[end+2 : end+3]
	}
	if text = l.trimBefore(text, open, sign); text != "" {
		l.emit(itemData, text)
	}
	l.advance(end + 2 + len(sign))
	switch open {
	case "{#":
		l.comment()
	case "{{":
		l.emit(itemOpen, open)
		l.expression("}}", itemClose)
	default:
		if !l.raw() {
			l.emit(itemBlock, open)
			l.expression("%}", itemEnd)
		}
	}
}

// trimBefore applies "-" and lstrip_blocks to the text before a tag.
func (l *lexer) trimBefore(text, open, sign string) string {
	if sign == "-" {
		return strings.TrimRightFunc(text, isSpace)
	}
	if sign == "+" || open == "{{" {
		return text
	}
	start := strings.LastIndexByte(text, '\n') + 1
	if (start > 0 || l.fresh) && strings.TrimFunc(text[start:], isSpace) == "" {
		return text[:start]
	}
	return text
}

// trimAfter moves past a tag's end of the given sign, applying "-" and trim_blocks.
func (l *lexer) trimAfter(sign string, block bool) {
	rest := l.in[l.pos:]
	switch {
	case sign == "-":
		l.advance(len(rest) - len(strings.TrimLeftFunc(rest, isSpace)))
	case block && sign == "" && strings.HasPrefix(rest, "\n"):
		l.advance(1)
	}
}

func (l *lexer) comment() {
	end := strings.Index(l.in[l.pos:], "#}")
	if end < 0 {
		l.fail("comment without end")
	}
	sign := ""
	if end > 0 && (l.in[l.pos+end-1] == '-' || l.in[l.pos+end-1] == '+') {
		sign = l.in[l.pos+end-1 : l.pos+end]
	}
	l.advance(end + 2)
	l.trimAfter(sign, true)
}

// raw reads {% raw %}…{% endraw %} if it begins here, after its "{%".
func (l *lexer) raw() bool {
	sign, n := l.word(l.in[l.pos:], "raw")
	if n == 0 {
		return false
	}
	l.advance(n)
	l.trimAfter(sign, false)
	for i := l.pos; ; i++ {
		k := strings.Index(l.in[i:], "{%")
		if k < 0 {
			l.fail("raw block without endraw")
		}
		i += k
		opening := ""
		if i+2 < len(l.in) && (l.in[i+2] == '-' || l.in[i+2] == '+') {
			opening = l.in[i+2 : i+3]
		}
		sign, n := l.word(l.in[i+2+len(opening):], "endraw")
		if n == 0 {
			continue
		}
		if text := l.trimBefore(l.in[l.pos:i], "{%", opening); text != "" {
			l.emit(itemData, text)
		}
		l.advance(i + 2 + len(opening) + n - l.pos)
		l.trimAfter(sign, true)
		return true
	}
}

// word matches the word, then a tag's end, and returns the end's sign and the length of it all.
func (l *lexer) word(s, word string) (sign string, n int) {
	t := strings.TrimLeftFunc(s, isSpace)
	if !strings.HasPrefix(t, word) {
		return "", 0
	}
	t = strings.TrimLeftFunc(t[len(word):], isSpace)
	if t != "" && (t[0] == '-' || t[0] == '+') {
		sign, t = t[:1], t[1:]
	}
	if !strings.HasPrefix(t, "%}") {
		return "", 0
	}
	return sign, len(s) - len(t) + 2
}

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

// isSpace is white space as Python's str.isspace has it.
func isSpace(r rune) bool {
	return unicode.Is(unicode.White_Space, r) || 0x1C <= r && r <= 0x1F
}
