package tokenizers

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// bertSplit drops white space and isolates punctuation.
type bertSplit struct{}

func (bertSplit) split(w word, emit func(word) error) error {
	lo := 0
	flush := func(hi int) error {
		if lo == hi {
			return nil
		}
		return emit(w.sub(lo, hi))
	}
	for i, r := range w.text {
		space := unicode.IsSpace(r)
		if !space && !isBertPunctuation(r) {
			continue
		}
		if err := flush(i); err != nil {
			return err
		}
		if lo = i; !space {
			if err := flush(i + utf8.RuneLen(r)); err != nil {
				return err
			}
		}
		lo += utf8.RuneLen(r)
	}
	return flush(len(w.text))
}

func parseBertNormalizer(raw json.RawMessage, field string) (normalizer, error) {
	c := struct {
		CleanText    bool  `json:"clean_text"`
		ChineseChars bool  `json:"handle_chinese_chars"`
		StripAccents *bool `json:"strip_accents"`
		Lowercase    bool  `json:"lowercase"`
	}{true, true, nil, true}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	strip := c.Lowercase
	if c.StripAccents != nil {
		strip = *c.StripAccents
	}
	var list normalizers
	if c.CleanText {
		list = append(list, newRuneMap(cleanRune))
	}
	if c.ChineseChars {
		list = append(list, newRuneMap(spaceChinese))
	}
	if strip {
		list = append(list, stripAccents{})
	}
	if c.Lowercase {
		list = append(list, newRuneMap(lowerRune))
	}
	return list, nil
}

// runeMap replaces characters one by one. Bytes that are not UTF-8 are U+FFFD.
type runeMap struct {
	of    func(r rune) (text string, replace bool)
	ascii [utf8.RuneSelf]bool // is replaced
}

func newRuneMap(of func(r rune) (text string, replace bool)) *runeMap {
	m := &runeMap{of: of}
	for b := range m.ascii {
		_, m.ascii[b] = of(rune(b))
	}
	return m
}

func (m *runeMap) normalize(s string, located bool) (string, []int32, []int32) {
	out := rewriter{located: located}
	kept := 0 // where what stays began
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf && !m.ascii[s[i]] {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if text, replace := m.of(r); replace {
			out.keep(s, kept, i)
			out.replace(text, i, i+n)
			kept = i + n
		}
		i += n
	}
	if kept == 0 {
		return s, nil, nil
	}
	out.keep(s, kept, len(s))
	return out.done()
}

// cleanRune drops control characters and makes white space spaces.
func cleanRune(r rune) (string, bool) {
	switch {
	case r >= ' ' && r < 0x7F:
		return "", false
	case r == '\t' || r == '\n' || r == '\r':
		return " ", true
	case r > 0x3000 && r < 0xD800: // scripts alone
		return "", false
	case r == utf8.RuneError || isOther(r):
		return "", true
	case unicode.IsSpace(r):
		return " ", true
	}
	return "", false
}

// spaceChinese puts spaces around ideographs.
func spaceChinese(r rune) (string, bool) {
	if r >= 0x3400 && unicode.Is(ideographs, r) {
		return " " + string(r) + " ", true
	}
	return "", false
}

// lowerRune makes a character lower case.
// Differs from the reference: capitals that came into being after Unicode 15.0 stay.
func lowerRune(r rune) (string, bool) {
	if r < utf8.RuneSelf && (r < 'A' || r > 'Z') {
		return "", false
	}
	if r == 'İ' { // the one character whose lower case is two
		return "i\u0307", true
	}
	lower := unicode.ToLower(r)
	return string(lower), lower != r
}

// stripAccents decomposes characters (form D) and drops the marks.
type stripAccents struct{}

func (stripAccents) normalize(s string, located bool) (string, []int32, []int32) {
	out := rewriter{located: located}
	kept := 0 // where what stays began
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf && (i+1 == len(s) || s[i+1] < utf8.RuneSelf) {
			i++
			continue
		}
		end := i + unicodeForm{form: norm.NFC}.segment(s[i:])
		if bare := withoutMarks(s[i:end]); bare != s[i:end] {
			out.keep(s, kept, i)
			out.replace(bare, i, end)
			kept = end
		}
		i = end
	}
	if kept == 0 {
		return s, nil, nil
	}
	out.keep(s, kept, len(s))
	return out.done()
}

// withoutMarks is the form D of s without its nonspacing marks.
func withoutMarks(s string) string {
	if !norm.NFD.IsNormalString(s) {
		s = norm.NFD.String(s)
	}
	if strings.IndexFunc(s, isMark) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isMark(r) {
			return -1
		}
		return r
	}, s)
}
