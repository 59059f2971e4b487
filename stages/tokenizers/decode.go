package tokenizers

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// A decoder parses to how a token's text becomes bytes.
func decoderKinds() []kind[func(token string) []byte] {
	return []kind[func(string) []byte]{
		{"ByteLevel", func(json.RawMessage, string) (func(string) []byte, error) {
			return func(token string) []byte { b, _ := byteLevelBytes(token); return b }, nil
		}},
	}
}

// parseDecoder decodes every token once.
func (t *tokenizer) parseDecoder(raw json.RawMessage) error {
	decode, err := choose(decoderKinds(), raw, "decoder")
	if err != nil {
		return err
	}
	if decode == nil {
		return errors.New("decoder: is missing; supported: ByteLevel")
	}
	t.pieces = make([][]byte, t.added.size)
	for id, text := range t.model.tokens() {
		if text != "" {
			t.pieces[id] = decode(text)
		}
	}
	for id, added := range t.added.byID {
		t.pieces[id] = decode(added.Content)
	}
	return nil
}

// piece is what an id adds to the decoded bytes.
func (t *tokenizer) piece(id int32, skipSpecial bool) []byte {
	if id < 0 || int(id) >= len(t.pieces) || skipSpecial && t.added.byID[id].Special {
		return nil
	}
	return t.pieces[id]
}

func (t *tokenizer) Decode(ids []int32, skipSpecial bool) string {
	var bytes []byte
	for _, id := range ids {
		bytes = append(bytes, t.piece(id, skipSpecial)...)
	}
	return string(appendValid(make([]byte, 0, len(bytes)), bytes))
}

func (t *tokenizer) Stream(skipSpecial bool) *Stream {
	return &Stream{piece: func(id int32) []byte { return t.piece(id, skipSpecial) }}
}

// Stream decodes one id at a time. What its calls return, put together, is what Decode returns for all the ids. It
// belongs to one goroutine.
type Stream struct {
	piece func(id int32) []byte
	held  []byte // the beginning of a character
}

// Push takes one id and returns the text that is certain now: it holds back the bytes of a character of which more may
// come.
func (s *Stream) Push(id int32) string {
	s.held = append(s.held, s.piece(id)...)
	n := len(s.held) - incomplete(s.held)
	out := string(appendValid(nil, s.held[:n]))
	s.held = append(s.held[:0], s.held[n:]...)
	return out
}

// Flush returns the text held back, which now is known to be incomplete. The stream may be used again.
func (s *Stream) Flush() string {
	out := string(appendValid(nil, s.held))
	s.held = s.held[:0]
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
