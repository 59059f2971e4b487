package tokenizers

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// prepend puts a text before every text that is not empty.
type prepend string

func parsePrepend(raw json.RawMessage, field string) (normalizer, error) {
	var c struct{ Prepend string }
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return prepend(c.Prepend), nil
}

func (p prepend) normalize(s string, located bool) (string, []int32, []int32) {
	if s == "" || p == "" {
		return s, nil, nil
	}
	out := rewriter{located: located}
	out.replace(string(p), 0, characterWidth(s))
	out.keep(s, 0, len(s))
	return out.done()
}

// replaceAll writes one text for every match of a pattern.
type replaceAll struct {
	find matcher
	by   string
}

func parseReplace(raw json.RawMessage, field string) (normalizer, error) {
	var c struct {
		Pattern struct{ String, Regex *string }
		Content string
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	switch {
	case (c.Pattern.String == nil) == (c.Pattern.Regex == nil):
		return nil, fmt.Errorf("%s.pattern: must have one of String and Regex", field)
	case c.Pattern.String != nil && *c.Pattern.String == "":
		return nil, fmt.Errorf("%s.pattern.String: is empty", field)
	case c.Pattern.String != nil:
		return replaceAll{literal(*c.Pattern.String), c.Content}, nil
	}
	find, err := compileRE2(*c.Pattern.Regex)
	if err != nil {
		return nil, fmt.Errorf("%s.pattern.Regex: %q: %w", field, *c.Pattern.Regex, err)
	}
	return replaceAll{find, c.Content}, nil
}

// compileRE2 makes a matcher of a pattern that needs no backtracking and always matches something.
func compileRE2(pattern string) (matcher, error) {
	p, err := translate(pattern)
	if err != nil {
		return nil, err
	}
	if p.lookaround {
		return nil, errors.New("looking around is not supported here")
	}
	re, err := regexp.Compile(p.text)
	if err != nil {
		return nil, err
	}
	if re.MatchString("") {
		return nil, errors.New("matches nothing at all, which is not supported here")
	}
	return re2{re}, nil
}

func (r replaceAll) normalize(s string, located bool) (string, []int32, []int32) {
	out := rewriter{located: located}
	kept := 0 // where what stays began
	// Neither matcher fails: a literal and an RE2 need no more time or stack than there is.
	_ = r.find.matches(s, func(lo, hi int) {
		out.keep(s, kept, lo)
		out.replace(r.by, lo, hi)
		kept = hi
	})
	if kept == 0 {
		return s, nil, nil
	}
	out.keep(s, kept, len(s))
	return out.done()
}

// strip takes white space from the ends of a text.
type strip struct{ left, right bool }

func parseStrip(raw json.RawMessage, field string) (normalizer, error) {
	c := struct {
		Left  bool `json:"strip_left"`
		Right bool `json:"strip_right"`
	}{true, true}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return strip{c.Left, c.Right}, nil
}

func (p strip) normalize(s string, located bool) (string, []int32, []int32) {
	lo, hi := 0, len(s)
	if p.left {
		lo = hi - len(strings.TrimLeftFunc(s, unicode.IsSpace))
	}
	if p.right {
		hi = lo + len(strings.TrimRightFunc(s[lo:], unicode.IsSpace))
	}
	if hi-lo == len(s) {
		return s, nil, nil
	}
	out := rewriter{located: located}
	out.keep(s, lo, hi)
	return out.done()
}

// dropMark drops marks of all kinds, where BertNormalizer drops those that take no space.
func dropMark(r rune) (string, bool) { return "", r >= 0x300 && unicode.Is(unicode.M, r) }

// nmtRune drops control characters and makes spaces of line ends and of characters that cannot be seen, as SentencePiece's nmt rules do.
func nmtRune(r rune) (string, bool) {
	switch {
	case r >= 1 && r <= 8, r == 0x0B, r >= 0x0E && r <= 0x1F, r == 0x7F, r == 0x8F, r == 0x9F:
		return "", true
	case r == 9, r == 0x0A, r == 0x0C, r == 0x0D, r == 0x1680, r >= 0x200B && r <= 0x200F, r == 0x2028, r == 0x2029, r == 0x2581, r == 0xFEFF, r == 0xFFFD:
		return " ", true
	}
	return "", false
}
