package metric

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexis is what comments and strings look like in a language.
type lexis struct {
	line      string   // begins a comment up to the end of the line
	block     bool     // /* … */
	nested    bool     // with comments inside
	quotes    string   // strings with escapes that end with the line at the latest
	triple    []string // strings with escapes that may go over lines
	raw       byte     // a quote without escapes
	template  bool     // `…${…}…`
	rawC      bool     // R"x(…)x"
	rawRust   bool     // r#"…"#; and a quote may begin a lifetime
	regex     bool     // /…/
	directive bool     // a line that begins with # is for the preprocessor
}

var (
	pythonLexis     = lexis{line: "#", quotes: `"'`, triple: []string{`"""`, `'''`}}
	javaLexis       = lexis{line: "//", block: true, quotes: `"'`, triple: []string{`"""`}}
	typescriptLexis = lexis{line: "//", block: true, quotes: `"'`, template: true, regex: true}
	rustLexis       = lexis{line: "//", block: true, nested: true, triple: []string{`"`}, rawRust: true}
	cppLexis        = lexis{line: "//", block: true, quotes: `"'`, rawC: true, directive: true}
	goLexis         = lexis{line: "//", block: true, quotes: `"'`, raw: '`'}
)

// scanner cuts a text into tokens.
type scanner struct {
	*lexis
	code
	at        int
	templates []int // for each template that is open, the braces open in its ${…}
}

// scan cuts a text into tokens, in time linear in its length: each byte is looked at a bounded number of times.
func scan(text string, l *lexis) *code {
	s := scanner{lexis: l, code: code{text: text}}
	for s.at < len(text) {
		s.step()
	}
	s.pair()
	return &s.code
}

// step takes one token, comment or blank.
func (s *scanner) step() {
	rest := s.text[s.at:]
	switch c := rest[0]; {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
		s.at++
	case s.directive && c == '#' && s.startsLine(), strings.HasPrefix(rest, s.line):
		s.at += lineEnd(rest, s.directive && c == '#')
	case s.block && strings.HasPrefix(rest, "/*"):
		s.at += s.comment(rest)
	case s.string(rest):
	case isLetter(rest):
		s.token('w', wordEnd(rest))
	default:
		s.punctuation(c)
	}
}

func (s *scanner) token(kind byte, n int) {
	s.tokens = append(s.tokens, token{s.at, s.at + n, kind})
	s.at += n
}

// punctuation takes one character; a brace may end the ${…} of a template, which then goes on.
func (s *scanner) punctuation(c byte) {
	if n := len(s.templates); n > 0 {
		switch {
		case c == '{':
			s.templates[n-1]++
		case c == '}' && s.templates[n-1] > 0:
			s.templates[n-1]--
		case c == '}':
			s.templates = s.templates[:n-1]
			s.templateText(1)
			return
		}
	}
	s.token('p', 1)
}

// string takes a string or character that begins here, if one does.
func (s *scanner) string(rest string) bool {
	c := rest[0]
	for _, q := range s.triple {
		if strings.HasPrefix(rest, q) {
			s.token('s', quoted(rest, q, false))
			return true
		}
	}
	n := 0
	switch {
	case strings.IndexByte(s.quotes, c) >= 0:
		n = quoted(rest, rest[:1], true)
	case s.raw != 0 && c == s.raw:
		n = closed(rest, 1, rest[:1])
	case s.template && c == '`':
		s.templateText(1)
		return true
	case s.rawC && strings.HasPrefix(rest, `R"`):
		n = rawC(rest)
	case s.rawRust && c == '\'':
		n = quoteRust(rest)
	case s.rawRust && (c == 'r' || c == 'b' || c == 'c'):
		n = rawRust(rest)
	case s.regex && c == '/' && s.regexMayFollow():
		n = regexEnd(rest)
	}
	if n == 0 {
		return false
	}
	s.token('s', n)
	return true
}

// templateText takes the text of a template from skip bytes behind here, up to its end or to the next ${.
func (s *scanner) templateText(skip int) {
	for i := s.at + skip; i < len(s.text); i++ {
		switch {
		case s.text[i] == '\\':
			i++
		case s.text[i] == '`':
			s.token('s', i+1-s.at)
			return
		case s.text[i] == '$' && i+1 < len(s.text) && s.text[i+1] == '{':
			s.token('s', i+2-s.at)
			s.templates = append(s.templates, 0)
			return
		}
	}
	s.token('s', len(s.text)-s.at)
}

// startsLine reports whether only blanks stand before here in the line.
func (s *scanner) startsLine() bool {
	i := s.at
	for i > 0 && (s.text[i-1] == ' ' || s.text[i-1] == '\t') {
		i--
	}
	return i == 0 || s.text[i-1] == '\n'
}

// regexMayFollow reports whether a slash here begins a regular expression and does not divide.
func (s *scanner) regexMayFollow() bool {
	last := len(s.tokens) - 1
	if last < 0 {
		return true
	}
	switch t := s.tokens[last]; t.kind {
	case 'w':
		switch s.text[t.lo:t.hi] {
		case "return", "typeof", "case", "in", "of", "void", "delete", "throw", "await", "yield", "else", "do":
			return true
		}
		return false
	case 's':
		return s.text[t.hi-1] == '{' && len(s.templates) > 0
	default:
		return !strings.Contains(")]}", s.text[t.lo:t.hi])
	}
}

// comment is the length of the block comment that rest begins with.
func (s *scanner) comment(rest string) int {
	if !s.nested {
		return closed(rest, 2, "*/")
	}
	depth := 0
	for i := 0; i+1 < len(rest); i++ {
		switch rest[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			i++
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(rest)
}

// lineEnd is the length of the line; with joined, of the lines that backslashes at their ends join.
func lineEnd(rest string, joined bool) int {
	for at := 0; ; {
		i := strings.IndexByte(rest[at:], '\n')
		if i < 0 {
			return len(rest)
		}
		at += i + 1
		if !joined || !strings.HasSuffix(strings.TrimSuffix(rest[at-i-1:at-1], "\r"), `\`) {
			return at - 1
		}
	}
}

// closed is the length of what rest begins with up to the end mark, looked for behind skip bytes; all of rest without one.
func closed(rest string, skip int, end string) int {
	if i := strings.Index(rest[skip:], end); i >= 0 {
		return skip + i + len(end)
	}
	return len(rest)
}

// quoted is the length of a string with escapes that begins with the quote q. With oneLine it ends before the end of the line at the latest.
func quoted(rest, q string, oneLine bool) int {
	for i := len(q); i < len(rest); i++ {
		switch {
		case rest[i] == '\\':
			i++
		case strings.HasPrefix(rest[i:], q):
			return i + len(q)
		case oneLine && rest[i] == '\n':
			return i
		}
	}
	return len(rest)
}

// rawC is the length of R"x(…)x"; 0 if rest does not begin with one. x has at most 16 bytes.
func rawC(rest string) int {
	open := strings.IndexByte(rest[:min(len(rest), 19)], '(')
	if open < 2 || strings.ContainsAny(rest[2:open], " )\\\n\t\"") {
		return 0
	}
	return closed(rest, open+1, ")"+rest[2:open]+`"`)
}

// rawRust is the length of r"…", r#"…"#, br##"…"## and the like; 0 if rest does not begin with one.
func rawRust(rest string) int {
	i := 0
	if rest[0] != 'r' {
		i++
	}
	if i >= len(rest) || rest[i] != 'r' {
		return 0
	}
	i++
	hashes := 0
	for i+hashes < len(rest) && rest[i+hashes] == '#' && hashes < 256 {
		hashes++
	}
	if i+hashes >= len(rest) || rest[i+hashes] != '"' {
		return 0
	}
	return closed(rest, i+hashes+1, `"`+rest[i:i+hashes])
}

// quoteRust is the length of a character such as 'x' or '\u{41}', or of the quote of a lifetime.
func quoteRust(rest string) int {
	if strings.HasPrefix(rest, `'\`) {
		return quoted(rest, "'", true)
	}
	_, n := utf8.DecodeRuneInString(rest[1:])
	if len(rest) > 1+n && rest[1+n] == '\'' {
		return n + 2
	}
	return 1
}

// regexEnd is the length of a regular expression on one line; 0 if it does not end there.
func regexEnd(rest string) int {
	class := false
	for i := 1; i < min(reach, len(rest)) && rest[i] != '\n'; i++ {
		switch {
		case rest[i] == '\\':
			i++
		case rest[i] == '[':
			class = true
		case rest[i] == ']':
			class = false
		case rest[i] == '/' && !class:
			return i + 1
		}
	}
	return 0
}

func isLetter(s string) bool {
	c := s[0]
	if c < utf8.RuneSelf {
		return c == '_' || c == '$' || 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
	}
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r)
}

func wordEnd(s string) int {
	i := 0
	for i < len(s) && isLetter(s[i:]) {
		_, n := utf8.DecodeRuneInString(s[i:])
		i += n
	}
	return i
}
