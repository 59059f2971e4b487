package tokenizers

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// modelKinds are the kinds of models; byteLevel says whether they stand behind a ByteLevel pre-tokenizer.
func modelKinds(byteLevel bool) []kind[model] {
	return []kind[model]{
		{"BPE", func(raw json.RawMessage, field string) (model, error) { return parseBPE(raw, field, byteLevel) }},
		{"Unigram", parseUnigram},
		{"WordPiece", parseWordPiece},
	}
}

// bpe is byte-level byte pair encoding: a word starts as its bytes, and the pair of neighbours that was merged first in
// training is merged until none is left.
//
// Same as the reference (Hugging Face tokenizers, models/bpe), for vocabularies that have all 256 bytes.
type bpe struct {
	vocabulary
	whole map[string]int32 // by bytes, only if ignore_merges is set: words that are tokens are not merged
	bytes [256]int32       // the token of each byte
	width []int32          // by id, in bytes
	pairs pairTable
	cache *wordCache
}

func (m *bpe) byteLevel() bool                 { return true }
func (m *bpe) unknown() int32                  { return -1 }
func (m *bpe) piece(id int32, _ string) string { return m.text[id] }
func (m *bpe) widths(dst []int32, _ string, ids []int32) []int32 {
	for _, id := range ids {
		dst = append(dst, m.width[id])
	}
	return dst
}

// bpeFile is a model of type BPE.
type bpeFile struct {
	Dropout      *float64   `json:"dropout"`
	Prefix       string     `json:"continuing_subword_prefix"`
	Suffix       string     `json:"end_of_word_suffix"`
	Unk          *string    `json:"unk_token"`
	FuseUnk      bool       `json:"fuse_unk"`
	ByteFallback bool       `json:"byte_fallback"`
	IgnoreMerges bool       `json:"ignore_merges"`
	Vocab        vocabulary `json:"vocab"`
	Merges       mergeList  `json:"merges"`
}

func parseBPE(raw json.RawMessage, field string, byteLevel bool) (model, error) {
	var c bpeFile
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	switch {
	case c.Dropout != nil && *c.Dropout != 0:
		return nil, fmt.Errorf("%s.dropout: %g makes encoding random; set it to null", field, *c.Dropout)
	case c.Prefix != "":
		return nil, fmt.Errorf("%s.continuing_subword_prefix: %q is not supported; supported: none", field, c.Prefix)
	case c.Suffix != "":
		return nil, fmt.Errorf("%s.end_of_word_suffix: %q is not supported; supported: none", field, c.Suffix)
	}
	pairs, err := c.Vocab.pairs(c.Merges, field)
	if err != nil {
		return nil, err
	}
	if byteLevel {
		return newBPE(c.Vocab, pairs, c.IgnoreMerges, field)
	}
	return newCharBPE(c, pairs, field)
}

// newBPE makes a byte-level model.
func newBPE(v vocabulary, pairs pairTable, ignoreMerges bool, field string) (*bpe, error) {
	m := &bpe{vocabulary: v, pairs: pairs, cache: newWordCache(), width: make([]int32, len(v.text))}
	if ignoreMerges {
		m.whole = make(map[string]int32, len(m.text))
	}
	for id, text := range m.text {
		b, reachable := byteLevelBytes(text)
		m.width[id] = int32(len(b))
		if ignoreMerges && text != "" && reachable {
			m.whole[string(b)] = int32(id)
		}
	}
	for b := range 256 {
		text := string(byteToRune[b])
		id, ok := m.ids[text]
		if !ok {
			return nil, fmt.Errorf("%s.vocab: has no token for byte 0x%02X (%q); a byte-level vocabulary needs all 256, or text would be lost", field, b, text)
		}
		m.bytes[b] = id
	}
	return m, nil
}

func (m *bpe) encode(dst []int32, word string) []int32 {
	if len(word) == 1 {
		return append(dst, m.bytes[word[0]])
	}
	slot := m.cache.slot(word)
	if ids, ok := slot.get(word); ok {
		return append(dst, ids...)
	}
	from := len(dst)
	if id, ok := m.whole[word]; ok {
		dst = append(dst, id)
	} else {
		dst = m.appendBytes(dst, word)
		dst = dst[:from+len(m.pairs.merge(dst[from:]))]
	}
	slot.put(word, dst[from:])
	return dst
}

// appendBytes appends the tokens of the word's bytes.
func (m *bpe) appendBytes(dst []int32, word string) []int32 {
	for i := range len(word) {
		dst = append(dst, m.bytes[word[i]])
	}
	return dst
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
