package tokenizers

import (
	"encoding/json"
	"errors"
	"fmt"
)

// postProcessor says which special tokens stand around one text and around two.
type postProcessor struct {
	single, pair template
}

// template is a row of special tokens and texts.
type template []templateItem

type templateItem struct {
	text int     // 0: the first text, 1: the second, -1: the special tokens ids
	ids  []int32 // of the special tokens
	kind int32   // the type (segment) id of what stands here
}

// assemble returns the ids of a template filled with one or two texts, and their type ids.
func (t template) assemble(texts ...[]int32) (ids, types []int32) {
	for _, item := range t {
		part := item.ids
		if item.text >= 0 {
			part = texts[item.text]
		}
		ids = append(ids, part...)
		for range part {
			types = append(types, item.kind)
		}
	}
	return ids, types
}

// around is assemble for one text with spans; special tokens stand at 0 before the text and at its end after it.
func (t template) around(text []int32, at []Span, size int) (ids []int32, spans []Span) {
	place := 0
	for _, item := range t {
		if item.text >= 0 {
			ids, spans, place = append(ids, text...), append(spans, at...), size
			continue
		}
		ids = append(ids, item.ids...)
		for range item.ids {
			spans = append(spans, Span{place, place})
		}
	}
	return ids, spans
}

func plainPost() postProcessor {
	a, b := templateItem{text: 0}, templateItem{text: 1, kind: 1}
	return postProcessor{single: template{a}, pair: template{a, b}}
}

// A post-processor parses to nil if it adds no tokens: ByteLevel only trims the reference's offsets.
func postProcessorKinds() []kind[*postProcessor] {
	return []kind[*postProcessor]{
		{"ByteLevel", func(json.RawMessage, string) (*postProcessor, error) { return nil, nil }},
		{"TemplateProcessing", parseTemplateProcessing},
		{"RobertaProcessing", parseRoberta},
		{"BertProcessing", parseBertProcessing},
		{"Sequence", func(raw json.RawMessage, field string) (*postProcessor, error) {
			list, err := chooseAll(postProcessorKinds(), raw, field, "processors")
			if err != nil {
				return nil, err
			}
			var one *postProcessor
			for i, p := range list {
				if p != nil && one != nil {
					return nil, fmt.Errorf("%s.processors[%d]: a second processor that adds tokens is not supported", field, i)
				}
				if p != nil {
					one = p
				}
			}
			return one, nil
		}},
	}
}

func parsePostProcessor(raw json.RawMessage, vocabSize int) (postProcessor, error) {
	p, err := choose(postProcessorKinds(), raw, "post_processor")
	if err != nil {
		return postProcessor{}, err
	}
	if p == nil {
		return plainPost(), nil
	}
	return *p, p.check(vocabSize)
}

// check refuses ids that are none.
func (p *postProcessor) check(vocabSize int) error {
	for _, t := range []template{p.single, p.pair} {
		for _, item := range t {
			for _, id := range item.ids {
				if id < 0 || int(id) >= vocabSize {
					return fmt.Errorf("post_processor: adds token %d, but ids end at %d", id, vocabSize-1)
				}
			}
		}
	}
	return nil
}

func parseTemplateProcessing(raw json.RawMessage, field string) (*postProcessor, error) {
	var c struct {
		Single, Pair  []json.RawMessage
		SpecialTokens map[string]struct{ IDs []int32 } `json:"special_tokens"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	fill := func(items []json.RawMessage, name string, texts int) (template, error) {
		var t template
		seen := [2]int{}
		for i, item := range items {
			one, id, err := parseTemplateItem(item)
			special, known := c.SpecialTokens[id]
			switch {
			case err != nil:
				return nil, fmt.Errorf("%s.%s[%d]: %w", field, name, i, err)
			case one.text >= texts:
				return nil, fmt.Errorf("%s.%s[%d]: there is no second text here", field, name, i)
			case one.text >= 0:
				seen[one.text]++
			case !known:
				return nil, fmt.Errorf("%s.%s[%d]: token %q is not in special_tokens", field, name, i, id)
			default:
				one.ids = special.IDs
			}
			t = append(t, one)
		}
		for i := range texts {
			if seen[i] != 1 {
				return nil, fmt.Errorf("%s.%s: text %c occurs %d times; it must occur once", field, name, 'A'+i, seen[i])
			}
		}
		return t, nil
	}
	single, err := fill(c.Single, "single", 1)
	if err != nil {
		return nil, err
	}
	if c.Pair == nil {
		return &postProcessor{single, plainPost().pair}, nil
	}
	pair, err := fill(c.Pair, "pair", 2)
	return &postProcessor{single, pair}, err
}

func parseTemplateItem(raw json.RawMessage) (item templateItem, token string, err error) {
	type piece struct {
		ID   string `json:"id"`
		Kind int32  `json:"type_id"`
	}
	var c struct{ SpecialToken, Sequence *piece }
	if err := json.Unmarshal(raw, &c); err != nil {
		return item, "", err
	}
	switch {
	case (c.SpecialToken == nil) == (c.Sequence == nil):
		return item, "", errors.New("must be one of SpecialToken and Sequence")
	case c.SpecialToken != nil:
		return templateItem{text: -1, kind: c.SpecialToken.Kind}, c.SpecialToken.ID, nil
	case c.Sequence.ID == "A":
		return templateItem{text: 0, kind: c.Sequence.Kind}, "", nil
	case c.Sequence.ID == "B":
		return templateItem{text: 1, kind: c.Sequence.Kind}, "", nil
	}
	return item, "", fmt.Errorf("sequence %q is neither A nor B", c.Sequence.ID)
}

// parseRoberta reads <s> A </s> and <s> A </s></s> B </s>.
func parseRoberta(raw json.RawMessage, field string) (*postProcessor, error) {
	cls, sep, err := parseEnds(raw, field)
	a, b := templateItem{text: 0}, templateItem{text: 1}
	return &postProcessor{single: template{cls, a, sep}, pair: template{cls, a, sep, sep, b, sep}}, err
}

// parseBertProcessing reads [CLS] A [SEP] and [CLS] A [SEP] B [SEP], the second part of which is of type 1.
func parseBertProcessing(raw json.RawMessage, field string) (*postProcessor, error) {
	cls, sep, err := parseEnds(raw, field)
	a, b, end := templateItem{text: 0}, templateItem{text: 1, kind: 1}, templateItem{text: -1, ids: sep.ids, kind: 1}
	return &postProcessor{single: template{cls, a, sep}, pair: template{cls, a, sep, b, end}}, err
}

// parseEnds reads the tokens that begin and end a text.
func parseEnds(raw json.RawMessage, field string) (cls, sep templateItem, err error) {
	var c struct{ Sep, Cls []json.RawMessage }
	if err := json.Unmarshal(raw, &c); err != nil {
		return cls, sep, fmt.Errorf("%s: %w", field, err)
	}
	var ids [2]int32
	for i, token := range [][]json.RawMessage{c.Cls, c.Sep} {
		if len(token) != 2 || json.Unmarshal(token[1], &ids[i]) != nil {
			return cls, sep, fmt.Errorf("%s: cls and sep must each be [token, id]", field)
		}
	}
	return templateItem{text: -1, ids: ids[:1]}, templateItem{text: -1, ids: ids[1:]}, nil
}
