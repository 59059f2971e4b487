package jinja

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
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

// isSpace is white space as Python's str.isspace has it.
func isSpace(r rune) bool {
	return unicode.Is(unicode.White_Space, r) || 0x1C <= r && r <= 0x1F
}
