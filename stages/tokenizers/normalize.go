package tokenizers

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalizer changes text before it is split.
type normalizer interface {
	// normalize returns the new text and, if located, for each of its bytes the range of s it was made from; lo and hi are
	// nil if the text is s itself.
	normalize(s string, located bool) (out string, lo, hi []int32)
}

func normalizerKinds() []kind[normalizer] {
	return append(unicodeForms(), []kind[normalizer]{
		{"BertNormalizer", parseBertNormalizer},
		{"Precompiled", parsePrecompiled},
		{"Prepend", parsePrepend},
		{"Replace", parseReplace},
		{"Strip", parseStrip},
		{"Lowercase", mapsRunes(lowerRune)},
		{"StripAccents", mapsRunes(dropMark)},
		{"Nmt", mapsRunes(nmtRune)},
		{"Sequence", func(raw json.RawMessage, field string) (normalizer, error) {
			list, err := chooseAll(normalizerKinds(), raw, field, "normalizers")
			return normalizers(list), err
		}},
	}...)
}

// mapsRunes are kinds that replace characters one by one.
func mapsRunes(of func(r rune) (string, bool)) func(json.RawMessage, string) (normalizer, error) {
	return func(json.RawMessage, string) (normalizer, error) { return newRuneMap(of), nil }
}

// normalized is a part of the text after normalization.
func (t *tokenizer) normalized(part source, located bool) source {
	out, lo, hi := t.normal.normalize(part.text, located)
	return source{text: out, base: part.base, lo: lo, hi: hi}
}

type normalizers []normalizer

func (list normalizers) normalize(s string, located bool) (string, []int32, []int32) {
	src := source{text: s}
	for _, n := range list {
		src = src.became(n.normalize(src.text, located))
	}
	return src.text, src.lo, src.hi
}

// rewriter builds a normalized text, and remembers, if it is to be located, what it was made from.
type rewriter struct {
	located bool
	text    strings.Builder
	lo, hi  []int32
}

// keep takes s[lo:hi] as it is.
func (w *rewriter) keep(s string, lo, hi int) {
	w.text.WriteString(s[lo:hi])
	for i := lo; w.located && i < hi; i++ {
		w.lo, w.hi = append(w.lo, int32(i)), append(w.hi, int32(i+1))
	}
}

// replace writes text in the place of [lo, hi) of the original.
func (w *rewriter) replace(text string, lo, hi int) {
	w.text.WriteString(text)
	for i := 0; w.located && i < len(text); i++ {
		w.lo, w.hi = append(w.lo, int32(lo)), append(w.hi, int32(hi))
	}
}

// done is the text and what it was made from.
func (w *rewriter) done() (string, []int32, []int32) { return w.text.String(), w.lo, w.hi }

// unicodeForm is one of Unicode's normalization forms.
// Differs from the reference: characters that came into being after Unicode 15.0 are neither composed nor decomposed.
type unicodeForm struct{ form, decompose norm.Form }

// unicodeForms are the forms by name.
func unicodeForms() []kind[normalizer] {
	var list []kind[normalizer]
	for _, f := range []struct {
		name string
		unicodeForm
	}{
		{"NFC", unicodeForm{norm.NFC, norm.NFD}}, {"NFD", unicodeForm{norm.NFD, norm.NFD}},
		{"NFKC", unicodeForm{norm.NFKC, norm.NFKD}}, {"NFKD", unicodeForm{norm.NFKD, norm.NFKD}},
	} {
		list = append(list, kind[normalizer]{f.name, func(json.RawMessage, string) (normalizer, error) { return f.unicodeForm, nil }})
	}
	return list
}

func (f unicodeForm) normalize(s string, located bool) (string, []int32, []int32) {
	if f.form.IsNormalString(s) {
		return s, nil, nil
	}
	out := rewriter{located: located}
	for i := 0; i < len(s); {
		end := i + f.segment(s[i:])
		if part := f.of(s[i:end]); part == s[i:end] {
			out.keep(s, i, end)
		} else {
			out.replace(part, i, end)
		}
		i = end
	}
	return out.done()
}

// segment is the length of the first piece of s that is normalized by itself.
func (f unicodeForm) segment(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 {
		return 1
	}
	for n < len(s) && !f.form.PropertiesString(s[n:]).BoundaryBefore() {
		_, w := utf8.DecodeRuneInString(s[n:])
		n += w
	}
	return n
}

// of is the form of a segment. The library would put U+034F into runs of more than 30 marks (the stream-safe format, which the
// reference does not use), so long segments are taken apart and composed here.
func (f unicodeForm) of(s string) string {
	if utf8.RuneCountInString(s) <= 8 { // a character decomposes into at most three marks
		return f.form.String(s)
	}
	var runes []rune
	for _, r := range s {
		runes = append(runes, []rune(f.decompose.String(string(r)))...)
	}
	orderMarks(runes)
	if f.form == f.decompose {
		return string(runes)
	}
	return string(composeRunes(runes))
}

func class(r rune) uint8 { return norm.NFC.PropertiesString(string(r)).CCC() }

// orderMarks sorts each run of marks by combining class, stably.
func orderMarks(runes []rune) {
	for i := 0; i < len(runes); {
		j := i
		for j < len(runes) && class(runes[j]) != 0 {
			j++
		}
		slices.SortStableFunc(runes[i:j], func(a, b rune) int { return int(class(a)) - int(class(b)) })
		i = j + 1
	}
}

// composeRunes is the canonical composition algorithm (Unicode standard, D117).
func composeRunes(runes []rune) []rune {
	out := runes[:0:0]
	starter, last := -1, uint8(0) // index of the last starter in out; class of the mark before, if not composed
	for _, r := range runes {
		c := class(r)
		adjacent := starter == len(out)-1
		if starter >= 0 && (adjacent || last < c && last != 0) {
			if pair := []rune(norm.NFC.String(string([]rune{out[starter], r}))); len(pair) == 1 {
				out[starter] = pair[0]
				continue
			}
		}
		out = append(out, r)
		if last = c; c == 0 {
			starter = len(out) - 1
		}
	}
	return out
}
