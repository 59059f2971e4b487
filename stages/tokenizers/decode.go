package tokenizers

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// decoder says how a token's text becomes bytes; the first token of a text may become others.
type decoder func(token string, first bool) []byte

func decoderKinds() []kind[decoder] {
	return []kind[decoder]{
		{"ByteLevel", func(json.RawMessage, string) (decoder, error) {
			return func(token string, _ bool) []byte { b, _ := byteLevelBytes(token); return b }, nil
		}},
		{"Metaspace", parseMetaspaceDecoder},
		{"WordPiece", parseWordPieceDecoder},
	}
}

// parseDecoder decodes every token once.
func (t *tokenizer) parseDecoder(raw json.RawMessage) (err error) {
	if t.decode, err = choose(decoderKinds(), raw, "decoder"); err != nil {
		return err
	}
	if t.decode == nil {
		return errors.New("decoder: is missing; supported: ByteLevel, Metaspace, WordPiece")
	}
	t.pieces, t.firsts = make([][]byte, t.added.size), make([][]byte, t.added.size)
	set := func(id int, text string) {
		t.pieces[id], t.firsts[id] = t.decode(text, false), t.decode(text, true)
		if bytes.Equal(t.pieces[id], t.firsts[id]) {
			t.firsts[id] = t.pieces[id] // one copy
		}
	}
	for id, text := range t.model.tokens() {
		if text != "" {
			set(id, text)
		}
	}
	for id, added := range t.added.byID {
		set(int(id), added.Content)
	}
	return nil
}

// piece is what an id adds to the decoded bytes, as the first one or a later one; false: nothing, as if it were not there.
func (t *tokenizer) piece(id int32, skipSpecial, first bool) ([]byte, bool) {
	if id < 0 || int(id) >= len(t.pieces) || t.pieces[id] == nil || skipSpecial && t.added.byID[id].Special {
		return nil, false
	}
	if first {
		return t.firsts[id], true
	}
	return t.pieces[id], true
}

func (t *tokenizer) Decode(ids []int32, skipSpecial bool) string {
	var bytes []byte
	first := true
	for _, id := range ids {
		if b, ok := t.piece(id, skipSpecial, first); ok {
			bytes, first = append(bytes, b...), false
		}
	}
	return string(appendValid(make([]byte, 0, len(bytes)), bytes))
}

func (t *tokenizer) Stream(skipSpecial bool) *Stream {
	return &Stream{piece: func(id int32, first bool) ([]byte, bool) { return t.piece(id, skipSpecial, first) }}
}

// Stream decodes one id at a time. What its calls return, put together, is what Decode returns for all the ids. It
// belongs to one goroutine.
type Stream struct {
	piece func(id int32, first bool) ([]byte, bool)
	begun bool
	held  []byte // the beginning of a character
}

// Push takes one id and returns the text that is certain now: it holds back the bytes of a character of which more may
// come.
func (s *Stream) Push(id int32) string {
	b, ok := s.piece(id, !s.begun)
	s.begun = s.begun || ok
	s.held = append(s.held, b...)
	n := len(s.held) - incomplete(s.held)
	out := string(appendValid(nil, s.held[:n]))
	s.held = append(s.held[:0], s.held[n:]...)
	return out
}

// Flush returns the text held back, which now is known to be incomplete. The stream may be used again, for another text.
func (s *Stream) Flush() string {
	out := string(appendValid(nil, s.held))
	s.held, s.begun = s.held[:0], false
	return out
}

// incomplete returns the number of bytes at the end of b that are the beginning of a character.
func incomplete(b []byte) int {
	for n := 1; n <= min(3, len(b)); n++ {
		tail := b[len(b)-n:]
		if utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return n
			}
			return 0
		}
	}
	return 0
}

// appendValid appends b to dst with U+FFFD for each maximal part that is not UTF-8, as Rust and the Unicode standard
// (section 3.9) have it; Go would write one for each byte.
func appendValid(dst, b []byte) []byte {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r != utf8.RuneError || n > 1 {
			dst = append(dst, b[:n]...)
			b = b[n:]
			continue
		}
		dst = append(dst, "\uFFFD"...)
		n = 1
		for n < len(b) && n < 4 && !utf8.FullRune(b[:n]) && beginsCharacter(b[:n+1]) {
			n++
		}
		b = b[n:]
	}
	return dst
}

// beginsCharacter says whether some character begins with these bytes.
func beginsCharacter(b []byte) bool {
	if !utf8.FullRune(b) {
		return true
	}
	r, n := utf8.DecodeRune(b)
	return r != utf8.RuneError || n > 1
}
