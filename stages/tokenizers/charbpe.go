package tokenizers

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// charBPE is byte pair encoding as SentencePiece makes it: a word starts as its characters, each that is no token as the tokens of its
// bytes (byte_fallback) or as the unknown token, and neighbours are merged as in byte-level encoding.
//
// A word may be a whole text, since these models have no pre-tokenizer. So it is cut wherever no merge can join what is on both sides:
// what is between two cuts is encoded by itself, and remembered.
//
// Same as the reference (Hugging Face tokenizers, models/bpe), for vocabularies that have an unknown token or the tokens of all bytes.
type charBPE struct {
	vocabulary
	ignoreMerges bool
	unk          int32 // -1: none is needed
	fuse         bool  // neighbouring unknown characters are one token
	bytes        []int32
	fallback     map[int32]bool // the tokens in bytes
	chars        charTable
	pairs        pairTable
	joins        pairTable // pairs of tokens of one character, between which some merge joins
	uncut        bool      // some merge joins tokens that are no characters: words are encoded whole
	cache        *wordCache
}

func newCharBPE(c bpeFile, pairs pairTable, field string) (*charBPE, error) {
	m := &charBPE{vocabulary: c.Vocab, ignoreMerges: c.IgnoreMerges, unk: -1, fuse: c.FuseUnk, pairs: pairs, cache: newWordCache()}
	if c.ByteFallback {
		m.bytes, m.fallback = byteTokens(m.ids)
	}
	if m.bytes == nil {
		if c.Unk == nil {
			return nil, fmt.Errorf("%s: a BPE model needs a ByteLevel pre_tokenizer, byte_fallback with a token for each of 256 bytes, or an unk_token, or text would be lost", field)
		}
		var ok bool
		if m.unk, ok = m.id(*c.Unk); !ok {
			return nil, fmt.Errorf("%s.unk_token: %q is not in %s.vocab", field, *c.Unk, field)
		}
	}
	for id, text := range m.text {
		if len(text) > maxTokenBytes {
			return nil, fmt.Errorf("%s.vocab: token %d has %d bytes, more than %d", field, id, len(text), maxTokenBytes)
		}
		if r, n := utf8.DecodeRuneInString(text); n > 0 && n == len(text) {
			m.chars.set(r, int32(id))
		}
	}
	m.joins = newPairTable(len(c.Merges))
	for _, merge := range c.Merges {
		left, right := m.ids[merge.left], m.ids[merge.right]
		m.uncut = m.uncut || left == m.unk || right == m.unk || m.fallback[left] || m.fallback[right]
		r, _ := utf8.DecodeLastRuneInString(merge.left)
		first, _ := utf8.DecodeRuneInString(merge.right)
		if left, right = m.chars.get(r), m.chars.get(first); left >= 0 && right >= 0 {
			m.joins.put(left, right, 0, 0)
		}
	}
	if m.unk >= 0 && m.fuse {
		m.joins.put(m.unk, m.unk, 0, 0)
	}
	return m, nil
}

// byteTokens finds the tokens of bytes, "<0x00>" to "<0xFF>"; without all of them there is no falling back, and both are nil.
func byteTokens(ids map[string]int32) (of []int32, is map[int32]bool) {
	of, is = make([]int32, 256), map[int32]bool{}
	for b := range of {
		id, ok := ids[fmt.Sprintf("<0x%02X>", b)]
		if !ok {
			return nil, nil
		}
		of[b], is[id] = id, true
	}
	return of, is
}

func (m *charBPE) byteLevel() bool                 { return false }
func (m *charBPE) unknown() int32                  { return -1 }
func (m *charBPE) piece(id int32, _ string) string { return m.text[id] }

func (m *charBPE) encode(dst []int32, word string) []int32 {
	if m.ignoreMerges {
		if id, ok := m.ids[word]; ok {
			return append(dst, id)
		}
	}
	from, begin := len(dst), 0 // of the stretch
	for at := 0; at < len(word); {
		id, width := m.char(word[at:])
		first := id
		if id < 0 {
			first = m.bytes[word[at]]
		}
		if len(dst) > from && !m.uncut && m.joins.slot(dst[len(dst)-1], first).rank == noMerge {
			dst = m.finish(dst, from, word[begin:at])
			from, begin = len(dst), at
		}
		switch {
		case id >= 0 && id == m.unk && m.fuse && len(dst) > from && dst[len(dst)-1] == m.unk: // one token for both
		case id >= 0:
			dst = append(dst, id)
		default:
			for i := range width {
				dst = append(dst, m.bytes[word[at+i]])
			}
		}
		at += width
	}
	return m.finish(dst, from, word[begin:])
}

// char returns the token of the character that s begins with: the unknown one's for one that has none, or -1 for the tokens of its bytes.
func (m *charBPE) char(s string) (id int32, width int) {
	r, width := rune(s[0]), 1
	if r >= utf8.RuneSelf {
		if r, width = utf8.DecodeRuneInString(s); r == utf8.RuneError && width == 1 {
			return m.unk, 1 // not UTF-8
		}
	}
	if id = m.chars.get(r); id < 0 {
		id = m.unk
	}
	return id, width
}

// finish merges the tokens dst[from:] of a stretch.
func (m *charBPE) finish(dst []int32, from int, stretch string) []int32 {
	if len(dst)-from < 2 {
		return dst
	}
	slot := m.cache.slot(stretch)
	if ids, ok := slot.get(stretch); ok {
		return append(dst[:from], ids...)
	}
	dst = dst[:from+len(m.pairs.merge(dst[from:]))]
	slot.put(stretch, dst[from:])
	return dst
}

func (m *charBPE) widths(dst []int32, word string, ids []int32) []int32 {
	at := 0
	for _, id := range ids {
		n := len(m.text[id])
		if !strings.HasPrefix(word[at:], m.text[id]) || id == m.unk || m.fallback[id] {
			n = m.outside(word[at:], id, n)
		}
		dst = append(dst, int32(n))
		at += n
	}
	return dst
}

// outside is the number of bytes at the beginning of s that a token stands for which may be an unknown or a byte one.
func (m *charBPE) outside(s string, id int32, own int) int {
	known, width := m.char(s)
	switch {
	case known >= 0 && known != m.unk:
		return own // it is spelled in the text
	case known < 0:
		return 1
	}
	for m.fuse && width < len(s) {
		next, n := m.char(s[width:])
		if next != m.unk {
			break
		}
		width += n
	}
	return width
}

// charTable maps characters to tokens, in pages of 256.
type charTable struct {
	pages [(utf8.MaxRune + 1) >> 8]*[256]int32 // id+1; 0: none
}

func (t *charTable) set(r rune, id int32) {
	page := t.pages[r>>8]
	if page == nil {
		page = new([256]int32)
		t.pages[r>>8] = page
	}
	page[r&0xFF] = id + 1
}

// get returns the token of a character; -1: it has none.
func (t *charTable) get(r rune) int32 {
	if page := t.pages[r>>8]; page != nil {
		return page[r&0xFF] - 1
	}
	return -1
}
