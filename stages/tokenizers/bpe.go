package tokenizers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

func modelKinds() []kind[model] {
	return []kind[model]{
		{"BPE", parseBPE},
		{"Unigram", parseUnigram},
		{"WordPiece", parseWordPiece},
	}
}

// bpe is byte-level byte pair encoding: a word starts as its bytes, and the pair of neighbours that was merged first in
// training is merged until none is left.
//
// Same as the reference (Hugging Face tokenizers, models/bpe), for vocabularies that have all 256 bytes.
type bpe struct {
	vocab        map[string]int32 // by the token's text in the file
	text         []string         // by id
	whole        map[string]int32 // by bytes, only if ignore_merges is set: words that are tokens are not merged
	bytes        [256]int32       // the token of each byte
	width        []int32          // by id, in bytes
	pairs        pairTable
	cache        *wordCache
	ignoreMerges bool
}

func (m *bpe) byteLevel() bool                 { return true }
func (m *bpe) size() int                       { return len(m.vocab) }
func (m *bpe) tokens() []string                { return m.text }
func (m *bpe) unknown() int32                  { return -1 }
func (m *bpe) piece(id int32, _ string) string { return m.text[id] }
func (m *bpe) widths(dst []int32, _ string, ids []int32) []int32 {
	for _, id := range ids {
		dst = append(dst, m.width[id])
	}
	return dst
}

func (m *bpe) id(token string) (int32, bool) {
	id, ok := m.vocab[token]
	return id, ok
}

func parseBPE(raw json.RawMessage, field string) (model, error) {
	var c struct {
		Dropout      *float64          `json:"dropout"`
		Prefix       string            `json:"continuing_subword_prefix"`
		Suffix       string            `json:"end_of_word_suffix"`
		ByteFallback bool              `json:"byte_fallback"`
		IgnoreMerges bool              `json:"ignore_merges"`
		Vocab        vocabulary        `json:"vocab"`
		Merges       []json.RawMessage `json:"merges"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	switch {
	case c.ByteFallback:
		return nil, fmt.Errorf("%s.byte_fallback: true (a BPE model made from SentencePiece, as Llama 2's) is not supported; supported: byte-level BPE, as Llama 3's, Qwen2's, GPT-2's", field)
	case c.Dropout != nil && *c.Dropout != 0:
		return nil, fmt.Errorf("%s.dropout: %g makes encoding random; set it to null", field, *c.Dropout)
	case c.Prefix != "":
		return nil, fmt.Errorf("%s.continuing_subword_prefix: %q is not supported; supported: none", field, c.Prefix)
	case c.Suffix != "":
		return nil, fmt.Errorf("%s.end_of_word_suffix: %q is not supported; supported: none", field, c.Suffix)
	}
	m := &bpe{vocab: c.Vocab.ids, text: c.Vocab.text, ignoreMerges: c.IgnoreMerges, cache: newWordCache()}
	m.width = make([]int32, len(m.text))
	if m.ignoreMerges {
		m.whole = make(map[string]int32, len(m.text))
	}
	for id, text := range m.text {
		b, reachable := byteLevelBytes(text)
		m.width[id] = int32(len(b))
		if m.ignoreMerges && text != "" && reachable {
			m.whole[string(b)] = int32(id)
		}
	}
	for b := range 256 {
		text := string(byteToRune[b])
		id, ok := m.vocab[text]
		if !ok {
			return nil, fmt.Errorf("%s.vocab: has no token for byte 0x%02X (%q); a byte-level vocabulary needs all 256, or text would be lost", field, b, text)
		}
		m.bytes[b] = id
	}
	return m, m.readMerges(c.Merges, field)
}

func (m *bpe) readMerges(merges []json.RawMessage, field string) error {
	m.pairs = newPairTable(len(merges))
	for i, raw := range merges {
		left, right, err := splitMerge(raw)
		if err != nil {
			return fmt.Errorf("%s.merges[%d]: %w", field, i, err)
		}
		if strings.HasPrefix(left, "#version") && i == 0 {
			continue
		}
		var ids [3]int32
		for k, text := range []string{left, right, left + right} {
			id, ok := m.vocab[text]
			if !ok {
				return fmt.Errorf("%s.merges[%d]: merges %q and %q, but %q is not in %s.vocab; vocabulary and merges are not of one model", field, i, left, right, text, field)
			}
			ids[k] = id
		}
		m.pairs.put(ids[0], ids[1], uint32(i), ids[2])
	}
	return nil
}

// splitMerge reads a merge, which is "left right" or ["left", "right"].
func splitMerge(raw json.RawMessage) (left, right string, err error) {
	if len(raw) > 0 && raw[0] == '[' {
		var pair []string
		if err := json.Unmarshal(raw, &pair); err != nil {
			return "", "", err
		}
		if len(pair) != 2 {
			return "", "", fmt.Errorf("%s: a merge has two parts", raw)
		}
		return pair[0], pair[1], nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", "", err
	}
	left, right, ok := strings.Cut(s, " ")
	if !ok || strings.Contains(right, " ") {
		return "", "", fmt.Errorf("%q: a merge has two parts, with one space between", s)
	}
	return left, right, nil
}

// vocabulary is a JSON object from tokens to ids, each of which may occur once.
type vocabulary struct {
	ids  map[string]int32
	text []string // by id
}

// UnmarshalJSON checks what a map would lose: tokens and ids that occur twice, and ids far beyond the number of tokens.
func (v *vocabulary) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return errors.New("vocab: must be an object from tokens to ids")
	}
	v.ids = map[string]int32{}
	largest := int32(-1)
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fmt.Errorf("vocab: %w", err)
		}
		var id int32
		if err := d.Decode(&id); err != nil {
			return fmt.Errorf("vocab[%q]: the id must be an integer below 2^31: %w", key, err)
		}
		text := key.(string)
		if _, twice := v.ids[text]; twice {
			return fmt.Errorf("vocab[%q]: occurs twice", text)
		}
		if id < 0 {
			return fmt.Errorf("vocab[%q]: id %d is negative", text, id)
		}
		v.ids[text] = id
		largest = max(largest, id)
	}
	if limit := 2*len(v.ids) + 1<<16; int(largest) >= limit {
		return fmt.Errorf("vocab: id %d is out of range; %d tokens may have ids below %d", largest, len(v.ids), limit)
	}
	return v.index(largest)
}

func (v *vocabulary) index(largest int32) error {
	v.text = make([]string, largest+1)
	taken := make([]bool, largest+1)
	var twice []int32
	for text, id := range v.ids {
		if taken[id] {
			twice = append(twice, id)
		}
		taken[id] = true
		v.text[id] = text
	}
	if len(twice) == 0 {
		return nil
	}
	id := twice[0]
	for _, other := range twice {
		id = min(id, other)
	}
	return fmt.Errorf("vocab: id %d belongs to more than one token", id)
}

// byteToRune are the printable characters that byte-level files write for bytes, and runeToByte is its inverse.
var byteToRune, runeToByte = byteAlphabet()

func byteAlphabet() (to [256]rune, from map[rune]byte) {
	from = make(map[rune]byte, 256)
	next := rune(256)
	for b := range 256 {
		r := rune(b)
		if b < '!' || b > '~' && b < 0xA1 || b == 0xAD {
			r, next = next, next+1
		}
		to[b], from[r] = r, byte(b)
	}
	return to, from
}

// byteLevelBytes returns the bytes that a token decodes to: those its characters stand for, or its own if one of them
// stands for none; then no text is encoded as this token, unless it is an added one.
func byteLevelBytes(token string) (b []byte, reachable bool) {
	b = make([]byte, 0, utf8.RuneCountInString(token))
	for _, r := range token {
		one, ok := runeToByte[r]
		if !ok {
			return []byte(token), false
		}
		b = append(b, one)
	}
	return b, true
}
