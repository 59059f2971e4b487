package tokenizers

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// metaspace is SentencePiece's way with spaces: each becomes a visible character, and words begin with it.
type metaspace struct {
	mark    string // for a space
	prepend bool   // before a text that does not begin with a space, too
	once    bool   // but only at the beginning of the whole text, not behind an added token
}

// readMetaspace reads the settings that pre-tokenizer and decoder share, those of older files ("add_prefix_space", "str_rep") included.
func readMetaspace(raw json.RawMessage, field string) (m metaspace, split bool, err error) {
	c := struct {
		Replacement    string
		PrependScheme  string `json:"prepend_scheme"`
		AddPrefixSpace *bool  `json:"add_prefix_space"`
		Split          bool
	}{Split: true}
	if err := json.Unmarshal(raw, &c); err != nil {
		return m, false, fmt.Errorf("%s: %w", field, err)
	}
	if utf8.RuneCountInString(c.Replacement) != 1 {
		return m, false, fmt.Errorf("%s.replacement: %q is not one character", field, c.Replacement)
	}
	switch c.PrependScheme {
	case "always", "":
		m.prepend = c.AddPrefixSpace == nil || *c.AddPrefixSpace
	case "first":
		m.prepend, m.once = true, true
	case "never":
	default:
		return m, false, fmt.Errorf("%s.prepend_scheme: %q is not supported; supported: always, first, never", field, c.PrependScheme)
	}
	m.mark = c.Replacement
	return m, c.Split, nil
}

func parseMetaspace(raw json.RawMessage, field string) ([]splitter, error) {
	m, split, err := readMetaspace(raw, field)
	if !split {
		return []splitter{unsplitMetaspace{m}}, err
	}
	return []splitter{m}, err
}

// unsplitMetaspace does not cut at the marks.
type unsplitMetaspace struct{ metaspace }

func (unsplitMetaspace) split(word, func(word) error) error {
	panic("tokenizers: Metaspace with split false is no splitter; it rewrites texts")
}

// rewrite writes the marks into a text; start says whether it begins the whole text.
func (m unsplitMetaspace) rewrite(src source, start, located bool) source {
	out := rewriter{located: located}
	if src.text != "" && m.markAt(src.text) == 0 && m.prepend && (start || !m.once) {
		out.replace(m.mark, 0, characterWidth(src.text))
	}
	kept := 0
	for {
		i := strings.IndexByte(src.text[kept:], ' ')
		if i < 0 {
			break
		}
		out.keep(src.text, kept, kept+i)
		kept += i + 1
		out.replace(m.mark, kept-1, kept)
	}
	out.keep(src.text, kept, len(src.text))
	return src.became(out.done())
}

// split cuts before every space, and before every character that looks like one.
func (m metaspace) split(w word, emit func(word) error) error {
	for lo := 0; lo < len(w.text); {
		mark := m.markAt(w.text[lo:])
		hi := lo + mark
		for hi < len(w.text) && m.markAt(w.text[hi:]) == 0 {
			hi++
		}
		out := w.sub(lo, hi)
		switch {
		case mark > 0 && w.text[lo] == ' ':
			out.text, out.pad = m.mark+out.text[1:], out.pad+len(m.mark)-1
		case mark == 0 && m.prepend && (w.start || !m.once): // only at the beginning
			out.text, out.pad = m.mark+out.text, out.pad+len(m.mark)
		}
		if err := emit(out); err != nil {
			return err
		}
		lo = hi
	}
	return nil
}

// markAt is the length of the space or mark that s begins with; 0: there is none.
func (m metaspace) markAt(s string) int {
	if s[0] == ' ' {
		return 1
	}
	if strings.HasPrefix(s, m.mark) {
		return len(m.mark)
	}
	return 0
}

// parseMetaspaceDecoder makes marks spaces again, but for those of the first token.
func parseMetaspaceDecoder(raw json.RawMessage, field string) (decodeStep, error) {
	m, _, err := readMetaspace(raw, field)
	if err != nil {
		return nil, err
	}
	return each("Metaspace", func(token string, first bool) string {
		by := " "
		if first && m.prepend {
			by = ""
		}
		return strings.ReplaceAll(token, m.mark, by)
	}), nil
}

// whitespaceSplit cuts at white space, which goes.
type whitespaceSplit struct{}

func (whitespaceSplit) split(w word, emit func(word) error) error {
	lo := 0
	for i, r := range w.text {
		if !unicode.IsSpace(r) {
			continue
		}
		if lo < i {
			if err := emit(w.sub(lo, i)); err != nil {
				return err
			}
		}
		lo = i + utf8.RuneLen(r)
	}
	if lo < len(w.text) {
		return emit(w.sub(lo, len(w.text)))
	}
	return nil
}
