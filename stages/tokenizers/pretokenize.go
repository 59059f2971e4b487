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

// parsePreTokenizer reads the pre-tokenizer and checks that it leaves to the model what the model takes.
func parsePreTokenizer(raw json.RawMessage, m model) ([]splitter, error) {
	list, err := choose(splitterKinds(), raw, "pre_tokenizer")
	if err != nil {
		return nil, err
	}
	if !m.byteLevel() {
		for _, s := range list {
			if _, ok := s.(byteLevel); ok {
				return nil, fmt.Errorf("pre_tokenizer: ByteLevel is not supported before a model of characters; supported before those: BertPreTokenizer, WhitespaceSplit, Metaspace")
			}
		}
		return list, nil
	}
	for i, s := range list {
		if _, ok := s.(byteLevel); ok != (i == len(list)-1) {
			return nil, fmt.Errorf("pre_tokenizer: ByteLevel must be there once and come last, so that what precedes it sees characters and the model bytes")
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("pre_tokenizer: a BPE model is supported only behind ByteLevel")
	}
	// Here words stay bytes of the text, so that a ByteLevel that neither splits nor adds a space does nothing.
	if last := list[len(list)-1].(byteLevel); !last.prefix && last.regex == nil {
		list = list[:len(list)-1]
	}
	return list, nil
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
		w = word{" " + w.text, w.pos, 1}
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
	join, ok := behaviors[c.Behavior]
	if !ok {
		return nil, fmt.Errorf("%s.behavior: %q is not supported; supported: Isolated, Removed, Contiguous, MergedWithPrevious, MergedWithNext", field, c.Behavior)
	}
	var find matcher
	switch {
	case (c.Pattern.String == nil) == (c.Pattern.Regex == nil):
		return nil, fmt.Errorf("%s.pattern: must have one of String and Regex", field)
	case c.Pattern.String != nil && *c.Pattern.String == "":
		return nil, fmt.Errorf("%s.pattern.String: is empty", field)
	case c.Pattern.String != nil:
		find = literal(*c.Pattern.String)
	default:
		for _, s := range scanners {
			if s.pattern == *c.Pattern.Regex {
				if c.Behavior == "Isolated" {
					return []splitter{scanSplit{classTable(), s.scan}}, nil
				}
				find = total{scanSplit{classTable(), s.scan}}
			}
		}
		if find == nil {
			var err error
			if find, err = compilePattern(*c.Pattern.Regex, field+".pattern.Regex"); err != nil {
				return nil, err
			}
		}
	}
	return []splitter{patternSplit{find, c.Invert, join}}, nil
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
