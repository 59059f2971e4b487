package tokenizers

import (
	"encoding/json"
	"fmt"
	"sort"
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
	return out.text.String(), out.lo, out.hi
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

// isOther is the general category C without Cn: control, format, private use.
func isOther(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co) && !inRanges(r, newOther)
}

// spaceChinese puts spaces around ideographs.
func spaceChinese(r rune) (string, bool) {
	if r >= 0x3400 && unicode.Is(ideographs, r) {
		return " " + string(r) + " ", true
	}
	return "", false
}

// ideographs are those of the reference, which leaves a gap at U+2B820.
var ideographs = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x3400, Hi: 0x4DBF, Stride: 1}, {Lo: 0x4E00, Hi: 0x9FFF, Stride: 1}, {Lo: 0xF900, Hi: 0xFAFF, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x20000, Hi: 0x2A6DF, Stride: 1}, {Lo: 0x2A700, Hi: 0x2B81F, Stride: 1}, {Lo: 0x2B920, Hi: 0x2CEAF, Stride: 1}, {Lo: 0x2F800, Hi: 0x2FA1F, Stride: 1}},
}

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

// isBertPunctuation is all of ASCII that is neither letter nor digit nor space, and the general category P.
func isBertPunctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return r > ' ' && r < 0x7F && !('0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z')
	}
	if r >= 0x3400 && r < 0xA000 { // ideographs
		return false
	}
	return unicode.Is(unicode.P, r) && !inRanges(r, newPunctuation) || inRanges(r, oldPunctuation)
}

// The reference knows the general categories of Unicode 8: these are what Go's later tables have more, and, of what is something else
// by now, less.
var (
	newPunctuation = [][2]rune{
		{0x61D, 0x61D}, {0x9FD, 0x9FD}, {0xA76, 0xA76}, {0xC77, 0xC77}, {0xC84, 0xC84}, {0x1B7D, 0x1B7E}, {0x2E43, 0x2E4F}, {0x2E52, 0x2E5D},
		{0x10EAD, 0x10EAD}, {0x10F55, 0x10F59}, {0x10F86, 0x10F89}, {0x1144B, 0x1144F}, {0x1145A, 0x1145B}, {0x1145D, 0x1145D},
		{0x11660, 0x1166C}, {0x116B9, 0x116B9}, {0x1183B, 0x1183B}, {0x11944, 0x11946}, {0x119E2, 0x119E2}, {0x11A3F, 0x11A46},
		{0x11A9A, 0x11A9C}, {0x11A9E, 0x11AA2}, {0x11B00, 0x11B09}, {0x11C41, 0x11C45}, {0x11C70, 0x11C71}, {0x11EF7, 0x11EF8},
		{0x11F43, 0x11F4F}, {0x11FFF, 0x11FFF}, {0x12FF1, 0x12FF2}, {0x16E97, 0x16E9A}, {0x16FE2, 0x16FE2}, {0x1E95E, 0x1E95F},
	}
	oldPunctuation = [][2]rune{{0x166D, 0x166D}, {0x111C9, 0x111C9}}
	newOther       = [][2]rune{{0x890, 0x891}, {0x8E2, 0x8E2}, {0x110CD, 0x110CD}, {0x13430, 0x1343F}}
)

// inRanges reports whether r lies in one of the ranges, which ascend and include their ends.
func inRanges(r rune, list [][2]rune) bool {
	i := sort.Search(len(list), func(i int) bool { return list[i][1] >= r })
	return i < len(list) && list[i][0] <= r
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
		end := i + segment(s[i:])
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
	return out.text.String(), out.lo, out.hi
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

func isMark(r rune) bool {
	return r >= 0x300 && !(r >= 0x3400 && r < 0xA000) && unicode.Is(unicode.Mn, r)
}
