package tokenizers

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// wordPiece is BERT's model: the longest token that a word begins with, then the longest that continues it, and so on. A word that
// cannot be written so, or that is too long, is one unknown token.
//
// Same as the reference (Hugging Face tokenizers, models/wordpiece).
type wordPiece struct {
	vocabulary
	unk         int32
	prefix      string // of the tokens that continue a word
	most        int    // characters of a word
	first, rest trie
}

func (m *wordPiece) byteLevel() bool                 { return false }
func (m *wordPiece) unknown() int32                  { return m.unk }
func (m *wordPiece) piece(id int32, _ string) string { return m.text[id] }

func parseWordPiece(raw json.RawMessage, field string) (model, error) {
	var c struct {
		Unk    string     `json:"unk_token"`
		Prefix *string    `json:"continuing_subword_prefix"`
		Most   int        `json:"max_input_chars_per_word"`
		Vocab  vocabulary `json:"vocab"`
	}
	c.Unk, c.Most = "[UNK]", 100
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	m := &wordPiece{vocabulary: c.Vocab, prefix: "##", most: c.Most, first: newTrie(), rest: newTrie()}
	if c.Prefix != nil {
		m.prefix = *c.Prefix
	}
	var ok bool
	if m.unk, ok = m.id(c.Unk); !ok {
		return nil, fmt.Errorf("%s.unk_token: %q is not in %s.vocab", field, c.Unk, field)
	}
	for id, text := range m.text {
		if len(text) > maxTokenBytes {
			return nil, fmt.Errorf("%s.vocab: token %d has %d bytes, more than %d", field, id, len(text), maxTokenBytes)
		}
		if text == "" {
			continue
		}
		m.first.add(text, int32(id))
		if rest, ok := strings.CutPrefix(text, m.prefix); ok && rest != "" {
			m.rest.add(rest, int32(id))
		}
	}
	return m, nil
}

func (m *wordPiece) encode(dst []int32, word string) []int32 {
	if len(word) > m.most && utf8.RuneCountInString(word) > m.most {
		return append(dst, m.unk)
	}
	from, t := len(dst), &m.first
	for at := 0; at < len(word); t = &m.rest {
		id, n := t.longest(word[at:])
		if id < 0 {
			return append(dst[:from], m.unk)
		}
		dst = append(dst, id)
		at += n
	}
	return dst
}

func (m *wordPiece) widths(dst []int32, word string, ids []int32) []int32 {
	if len(ids) == 1 {
		return append(dst, int32(len(word)))
	}
	for i, id := range ids {
		n := len(m.text[id])
		if i > 0 {
			n -= len(m.prefix)
		}
		dst = append(dst, int32(n))
	}
	return dst
}

// parseWordPieceDecoder puts a space before all tokens but the first and those that continue a word, and with cleanup takes the
// spaces before punctuation and English contractions out again, within one token at a time.
func parseWordPieceDecoder(raw json.RawMessage, field string) (decodeStep, error) {
	c := struct {
		Prefix  string
		Cleanup bool
	}{"##", true}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	cleanups := []string{" .", ".", " ?", "?", " !", "!", " ,", ",", " ' ", "'", " n't", "n't", " 'm", "'m", " do not", " don't", " 's", "'s", " 've", "'ve", " 're", "'re"}
	return each("WordPiece", func(token string, first bool) string {
		if rest, ok := strings.CutPrefix(token, c.Prefix); ok && !first {
			token = rest
		} else if !first {
			token = " " + token
		}
		for i := 0; c.Cleanup && i < len(cleanups); i += 2 {
			token = strings.ReplaceAll(token, cleanups[i], cleanups[i+1])
		}
		return token
	}), nil
}
