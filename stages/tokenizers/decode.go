package tokenizers

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// layPieces decodes every token once.
func (t *tokenizer) layPieces() {
	t.pieces, t.firsts = make([][]byte, t.added.size), map[int32][]byte{}
	set := func(id int, text string) {
		t.pieces[id] = t.decode.bytes(text, false)
		if first := t.decode.bytes(text, true); !bytes.Equal(first, t.pieces[id]) {
			t.firsts[int32(id)] = first
		}
		if t.decode.isByte(text) {
			t.byteIDs[int32(id)] = true
		}
	}
	t.byteIDs = map[int32]bool{}
	for id, text := range t.model.tokens() {
		if text != "" {
			set(id, text)
		}
	}
	for id, added := range t.added.byID {
		set(int(id), added.text)
	}
}

// piece is what an id adds to the decoded bytes, as the first one or a later one; false: nothing, as if it were not there.
func (t *tokenizer) piece(id int32, skipSpecial, first bool) ([]byte, bool) {
	if id < 0 || int(id) >= len(t.pieces) || t.pieces[id] == nil || skipSpecial && t.added.byID[id].Special {
		return nil, false
	}
	if other, ok := t.firsts[id]; ok && first {
		return other, true
	}
	return t.pieces[id], true
}

func (t *tokenizer) Decode(ids []int32, skipSpecial bool) string {
	s := t.Stream(skipSpecial)
	out := make([]byte, 0, 4*len(ids))
	for _, id := range ids {
		out = s.push(out, id)
	}
	return string(s.flush(out))
}

func (t *tokenizer) Stream(skipSpecial bool) *Stream {
	return &Stream{t: t, skip: skipSpecial, strip: t.decode.strip}
}

// Stream decodes one id at a time. What its calls return, put together, is what Decode returns for all the ids. It
// belongs to one goroutine.
type Stream struct {
	t     *tokenizer
	skip  bool   // special tokens
	begun bool   // some token was there
	strip int    // characters that may yet be taken from the beginning of the text
	held  []byte // the beginning of a character, or a run of byte tokens
	run   bool   // the latter
}

// Push takes one id and returns the text that is certain now: it holds back the bytes of a character of which more may
// come, and, for models with byte_fallback, a whole run of byte tokens, since all of it is replaced if any of it is not UTF-8.
func (s *Stream) Push(id int32) string { return string(s.push(nil, id)) }

// Flush returns the text held back, which now is known to be incomplete. The stream may be used again, for another text.
func (s *Stream) Flush() string { return string(s.flush(nil)) }

func (s *Stream) push(dst []byte, id int32) []byte {
	b, ok := s.t.piece(id, s.skip, !s.begun)
	if !ok {
		return dst
	}
	s.begun = true
	isByte := s.t.byteIDs[id]
	if s.run && !isByte {
		dst = s.settle(dst, len(s.held))
	}
	s.run = isByte
	s.held = append(s.held, b...)
	if isByte {
		return dst
	}
	return s.settle(dst, len(s.held)-incomplete(s.held))
}

func (s *Stream) flush(dst []byte) []byte {
	dst = s.settle(dst, len(s.held))
	s.begun, s.run, s.strip = false, false, s.t.decode.strip
	return dst
}

// settle appends the text of the first n bytes that are held.
func (s *Stream) settle(dst []byte, n int) []byte {
	from := len(dst)
	if s.run && !utf8.Valid(s.held[:n]) {
		for range n {
			dst = append(dst, "\uFFFD"...)
		}
	} else {
		dst = appendValid(dst, s.held[:n])
	}
	s.held = append(s.held[:0], s.held[n:]...)
	if s.strip == 0 || len(dst) == from {
		return dst
	}
	text, left := trimLead(string(dst[from:]), s.t.decode.stripped, s.strip)
	if s.strip = left; text != "" {
		s.strip = 0
	}
	return append(dst[:from], text...)
}

// trimLead takes at most n times char from the beginning of s, and returns how many more there could have been.
func trimLead(s, char string, n int) (string, int) {
	for n > 0 && strings.HasPrefix(s, char) {
		s, n = s[len(char):], n-1
	}
	return s, n
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
	if utf8.Valid(b) {
		return append(dst, b...)
	}
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
