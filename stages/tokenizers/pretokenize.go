package tokenizers

import (
	"encoding/json"
	"fmt"
	"strings"
)

// splitter cuts a word into words; empty ones do not count.
type splitter interface {
	split(w word, emit func(word) error) error
}

func splitterKinds() []kind[[]splitter] {
	return []kind[[]splitter]{
		{"ByteLevel", parseByteLevel},
		{"Split", parseSplit},
		{"Digits", parseDigits},
		{"BertPreTokenizer", func(json.RawMessage, string) ([]splitter, error) { return []splitter{bertSplit{}}, nil }},
		{"Punctuation", parsePunctuation},
		{"Whitespace", func(json.RawMessage, string) ([]splitter, error) {
			return []splitter{patternSplit{wordsAndSigns{}, true, removed}}, nil
		}},
		{"CharDelimiterSplit", parseDelimiter},
		{"Metaspace", parseMetaspace},
		{"WhitespaceSplit", func(json.RawMessage, string) ([]splitter, error) {
			return []splitter{whitespaceSplit{}}, nil
		}},
		{"Sequence", func(raw json.RawMessage, field string) ([]splitter, error) {
			lists, err := chooseAll(splitterKinds(), raw, field, "pretokenizers")
			var all []splitter
			for _, list := range lists {
				all = append(all, list...)
			}
			return all, err
		}},
	}
}

func isByteLevel(s splitter) bool { _, ok := s.(byteLevel); return ok }

// setSplit takes the pre-tokenizers, checking that they leave to the model what the model takes.
func (t *tokenizer) setSplit(list []splitter) error {
	if len(list) > 0 {
		if m, ok := list[0].(unsplitMetaspace); ok {
			t.mark, list = &m, list[1:]
		}
	}
	for i, s := range list {
		if _, ok := s.(unsplitMetaspace); ok {
			return fmt.Errorf("pre_tokenizer: Metaspace with split false is not supported behind another pre-tokenizer; supported: first or alone")
		}
		if isByteLevel(s) && !t.model.byteLevel() {
			return fmt.Errorf("pre_tokenizer: ByteLevel is not supported before a model of characters; supported before those: BertPreTokenizer, Whitespace, WhitespaceSplit, Punctuation, Digits, Split, Metaspace")
		}
		if t.model.byteLevel() && isByteLevel(s) != (i == len(list)-1) {
			return fmt.Errorf("pre_tokenizer: ByteLevel must be there once and come last, so that what precedes it sees characters and the model bytes")
		}
	}
	if t.model.byteLevel() {
		// Here words stay bytes of the text, so that a ByteLevel that neither splits nor adds a space does nothing.
		if last := list[len(list)-1].(byteLevel); !last.prefix && last.regex == nil {
			list = list[:len(list)-1]
		}
	}
	t.split = list
	return nil
}

// byteLevel is GPT-2's pre-tokenizer. What makes its name, writing bytes as printable characters, is done once, when the
// vocabulary is read.
type byteLevel struct {
	prefix bool     // put a space before a word that has none
	regex  splitter // nil: do not split
}

func parseByteLevel(raw json.RawMessage, field string) ([]splitter, error) {
	c := struct {
		AddPrefixSpace bool `json:"add_prefix_space"`
		UseRegex       bool `json:"use_regex"`
	}{true, true}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	b := byteLevel{prefix: c.AddPrefixSpace}
	if c.UseRegex {
		b.regex = scanSplit{classTable(), scanGPT2}
	}
	return []splitter{b}, nil
}

func (b byteLevel) split(w word, emit func(word) error) error {
	if b.prefix && w.text != "" && !strings.HasPrefix(w.text, " ") {
		w = word{" " + w.text, w.pos, 1, w.start}
	}
	if b.regex == nil {
		return emit(w)
	}
	return b.regex.split(w, emit)
}

// scanSplit isolates the matches of a scanner, which leave nothing between them.
type scanSplit struct {
	c    *classes
	scan func(c *classes, s string, i int) int
}

func (p scanSplit) split(w word, emit func(word) error) error {
	for i := 0; i < len(w.text); {
		end := p.scan(p.c, w.text, i)
		if err := emit(w.sub(i, end)); err != nil {
			return err
		}
		i = end
	}
	return nil
}

func parseSplit(raw json.RawMessage, field string) ([]splitter, error) {
	var c struct {
		Pattern  struct{ String, Regex *string }
		Behavior string
		Invert   bool
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	join, err := behavior(c.Behavior, field)
	if err != nil {
		return nil, err
	}
	switch {
	case (c.Pattern.String == nil) == (c.Pattern.Regex == nil):
		return nil, fmt.Errorf("%s.pattern: must have one of String and Regex", field)
	case c.Pattern.String != nil && *c.Pattern.String == "":
		return nil, fmt.Errorf("%s.pattern.String: is empty", field)
	case c.Pattern.String != nil:
		return []splitter{patternSplit{literal(*c.Pattern.String), c.Invert, join}}, nil
	case c.Behavior == "Isolated":
		one, err := isolateRegex(*c.Pattern.Regex, field+".pattern.Regex")
		return []splitter{one}, err
	}
	find, err := findRegex(*c.Pattern.Regex, field+".pattern.Regex")
	return []splitter{patternSplit{find, c.Invert, join}}, err
}

// isolateRegex makes words of the matches of a pattern and of what is between them.
func isolateRegex(pattern, field string) (splitter, error) {
	find, err := findRegex(pattern, field)
	if t, ok := find.(total); ok {
		return t.scanSplit, nil
	}
	return patternSplit{find, false, isolated}, err
}

// findRegex finds the matches of a pattern with its scanner, if it has one.
func findRegex(pattern, field string) (matcher, error) {
	for _, s := range scanners {
		if s.pattern == pattern {
			return total{scanSplit{classTable(), s.scan}}, nil
		}
	}
	return compilePattern(pattern, field)
}

func parseDigits(raw json.RawMessage, field string) ([]splitter, error) {
	var c struct {
		IndividualDigits bool `json:"individual_digits"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	if c.IndividualDigits {
		return []splitter{patternSplit{digits{}, false, isolated}}, nil
	}
	return []splitter{patternSplit{digits{}, false, contiguous}}, nil
}
