package tokenizers

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// translated is a pattern in the part of regular expression syntax that RE2 and regexp2 read alike.
type translated struct {
	text       string
	lookaround bool // RE2 does not have it
}

// maxPattern bounds the length of a pattern; published ones have less than 1000 bytes.
const maxPattern = 4096

// translate rewrites an Oniguruma pattern, making its Unicode classes explicit. It refuses what the engines read
// differently (\w, \b, ^, $, possessive quantifiers, nested classes, …).
func translate(pattern string) (translated, error) {
	if !utf8.ValidString(pattern) {
		return translated{}, errors.New("not UTF-8")
	}
	if len(pattern) > maxPattern {
		return translated{}, fmt.Errorf("has %d bytes, more than %d", len(pattern), maxPattern)
	}
	t := translator{in: pattern}
	for t.pos < len(t.in) {
		if err := t.next(); err != nil {
			return translated{}, err
		}
	}
	return translated{t.out.String(), t.lookaround}, nil
}

type translator struct {
	in         string
	pos        int
	out        strings.Builder
	class      bool // inside [ ]
	start      bool // at the first item of a class
	fold       int  // nesting of groups inside (?i:, counted from it; 0: none
	last       byte // the ASCII letter just written in a folding group, or 0
	quantified bool
	lookaround bool
}

var (
	groupOpen  = regexp.MustCompile(`^\((\?:|\?i:|\?=|\?!|\?<=|\?<!|\?>|)`)
	repeat     = regexp.MustCompile(`^\{(\d{1,2}|100)(,(\d{1,2}|100)?)?\}`) // more would take memory out of proportion to the pattern
	property   = regexp.MustCompile(`^\\p\{([A-Za-z]+)\}`)
	notHere    = "is not supported in split patterns"
	spaceRange = `\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}`
	// What regexp2 calls \x{9} is written with the characters themselves.
	spaces    = literalRanges(spaceRange)
	notSpaces = literalRanges(`\x{0}-\x{8}\x{E}-\x{1F}\x{21}-\x{84}\x{86}-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}` +
		`\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{10FFFF}`)
)

// next translates one item of the pattern.
func (t *translator) next() error {
	rest := t.in[t.pos:]
	if rest[0] == '\\' {
		return t.escape(rest)
	}
	if t.class {
		return t.inClass(rest)
	}
	letterBefore := t.last
	t.last = 0
	switch c := rest[0]; c {
	case '[':
		t.class, t.start = true, true
		t.copy(1)
		if strings.HasPrefix(rest, "[^") {
			t.copy(1)
		}
	case '(':
		return t.open(rest)
	case ')':
		if t.fold > 0 {
			t.fold--
		}
		t.copy(1)
		t.quantified = false
		return nil
	case '|':
		t.copy(1)
	case '*', '+', '?', '{':
		return t.quantifier(rest)
	case '^', '$':
		return fmt.Errorf("%c %s", c, notHere)
	case '.':
		t.copy(1)
	default:
		r, n := utf8.DecodeRuneInString(rest)
		if t.fold > 0 {
			if r >= utf8.RuneSelf {
				return fmt.Errorf("%q in any case %s", r, notHere)
			}
			t.last = lower(c)
			switch string([]byte{letterBefore, t.last}) {
			case "ss", "st", "ff", "fi", "fl": // Oniguruma also finds ß, ﬆ, ﬀ, ﬁ and ﬂ
				return fmt.Errorf("%q in any case %s", []byte{letterBefore, t.last}, notHere)
			}
		}
		t.literal(r)
		t.pos += n
	}
	t.quantified = false
	return nil
}

func (t *translator) copy(n int) {
	t.out.WriteString(t.in[t.pos : t.pos+n])
	t.pos += n
}

// literal writes a character so that both engines take it as itself, in a class or not.
func (t *translator) literal(r rune) {
	if r < utf8.RuneSelf && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
		t.out.WriteByte('\\')
	}
	t.out.WriteRune(r)
}

func (t *translator) open(rest string) error {
	m := groupOpen.FindString(rest)
	if m == "(" && strings.HasPrefix(rest, "(?") {
		return fmt.Errorf("group %.4q %s", rest, notHere)
	}
	if t.fold > 0 || m == "(?i:" {
		t.fold++
	}
	t.lookaround = t.lookaround || strings.ContainsAny(m, "=!>")
	t.copy(len(m))
	t.quantified = false
	return nil
}

func (t *translator) quantifier(rest string) error {
	n := 1
	if rest[0] == '{' {
		if n = len(repeat.FindString(rest)); n == 0 {
			return fmt.Errorf("unescaped {, or a number of times above 100, %s", notHere)
		}
		if strings.HasSuffix(t.in[:t.pos], ")") {
			return fmt.Errorf("a group a number of times (%.9q) %s", rest, notHere) // groups in groups would multiply
		}
	}
	if t.quantified && rest[0] != '?' {
		return fmt.Errorf("a quantifier on a quantifier (%.2q) %s", rest, notHere)
	}
	lazy := t.quantified
	t.copy(n)
	t.quantified = !lazy
	return nil
}

func (t *translator) inClass(rest string) error {
	first := t.start
	t.start = false
	switch {
	case rest[0] == ']' && !first:
		t.class = false
		t.copy(1)
		t.quantified = false
	case rest[0] == ']', rest[0] == '[', strings.HasPrefix(rest, "&&"):
		return fmt.Errorf("%.2q within a class %s", rest, notHere)
	case rest[0] == '-':
		t.copy(1)
	default:
		r, n := utf8.DecodeRuneInString(rest)
		if t.fold > 0 && r >= utf8.RuneSelf {
			return fmt.Errorf("%q in any case %s", r, notHere)
		}
		t.literal(r)
		t.pos += n
	}
	return nil
}

// escape translates what begins with a backslash.
func (t *translator) escape(rest string) error {
	t.start, t.last, t.quantified = false, 0, false
	if len(rest) < 2 {
		return errors.New("ends with a backslash")
	}
	if m := property.FindStringSubmatch(rest); m != nil {
		return t.property(m[1], len(m[0]))
	}
	r, n := utf8.DecodeRuneInString(rest[1:])
	set := ""
	switch r {
	case 's':
		set = spaces
	case 'S':
		set = notSpaces
	case 'd':
		set = `\p{Nd}`
	case 'n', 'r', 't', 'f', 'v':
		t.copy(2)
		return nil
	case 'u', 'x':
		return t.code(rest)
	default:
		if r >= utf8.RuneSelf || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return fmt.Errorf("\\%c %s", r, notHere)
		}
		t.literal(r)
		t.pos += 1 + n
		return nil
	}
	t.set(set)
	t.pos += 2
	return nil
}

func (t *translator) set(items string) {
	if t.class {
		t.out.WriteString(items)
	} else {
		t.out.WriteString("[" + items + "]")
	}
}

var codePoint = regexp.MustCompile(`^\\(?:u([0-9A-Fa-f]{4})|x([0-7][0-9A-Fa-f])|x\{([0-9A-Fa-f]{1,6})\})`)

func (t *translator) code(rest string) error {
	m := codePoint.FindStringSubmatch(rest)
	if m == nil {
		return fmt.Errorf("%.4q %s", rest, notHere)
	}
	n, err := strconv.ParseUint(m[1]+m[2]+m[3], 16, 32)
	if err != nil || !utf8.ValidRune(rune(n)) {
		return fmt.Errorf("%q is not a character", m[0])
	}
	t.literal(rune(n))
	t.pos += len(m[0])
	return nil
}

// property translates \p{name}. The general category and script tables are Go's, with what letters and numbers got since.
func (t *translator) property(name string, n int) error {
	if unicode.Categories[name] == nil && unicode.Scripts[name] == nil {
		return fmt.Errorf("\\p{%s} %s", name, notHere)
	}
	items := `\p{` + name + `}`
	newer := map[string][][2]rune{"L": newLetters, "N": newNumbers, "Lu": newCapitals, "Ll": newSmalls, "Lm": newModifier, "Lo": newCaseless}[name]
	for _, r := range newer {
		items += string(r[0]) + "-" + string(r[1])
	}
	t.set(items)
	t.pos += n
	return nil
}

// literalRanges writes the characters of a class themselves in place of their \x{} escapes.
func literalRanges(class string) string {
	return regexp.MustCompile(`\\x\{([0-9A-F]+)\}`).ReplaceAllStringFunc(class, func(m string) string {
		n, err := strconv.ParseInt(m[3:len(m)-1], 16, 32)
		if err != nil {
			panic(err)
		}
		if n < utf8.RuneSelf && n >= 0x21 {
			return `\` + string(rune(n))
		}
		return string(rune(n))
	})
}
