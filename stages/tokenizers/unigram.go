package tokenizers

import (
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"unicode/utf8"
)

// unigram is SentencePiece's unigram language model: a word becomes the sequence of tokens whose log probabilities have the largest
// sum. A character that is no token is unknown, at a price; neighbouring unknown ones become one token, or, with byte_fallback, the
// tokens of their bytes.
//
// Same as the reference (Hugging Face tokenizers, models/unigram), for files that name an unknown token.
type unigram struct {
	ids      map[string]int32
	text     []string  // by id
	scores   []float64 // by id: log probabilities
	unk      int32
	unkScore float64
	bytes    []int32 // with byte_fallback: the token of each byte, else nil
	byToken  map[int32]bool
	trie     trie
	cache    *wordCache
	paths    sync.Pool // of *[]reached
}

// unkPenalty is how much less likely than the least likely token an unknown character is.
const unkPenalty = 10

// maxTokenBytes bounds a token's text, and with it the time to look at one place of a word.
const maxTokenBytes = 1024

func (m *unigram) byteLevel() bool  { return false }
func (m *unigram) size() int        { return len(m.text) }
func (m *unigram) tokens() []string { return m.text }
func (m *unigram) unknown() int32   { return m.unk }

func (m *unigram) id(token string) (int32, bool) {
	id, ok := m.ids[token]
	return id, ok
}

// scored is an entry of the vocabulary, [token, log probability].
type scored struct {
	text  string
	score float64
}

// UnmarshalJSON reads the two parts.
func (s *scored) UnmarshalJSON(data []byte) error {
	var score *float64
	pair := []any{&s.text, &score}
	if err := json.Unmarshal(data, &pair); err != nil || len(pair) != 2 || score == nil {
		return fmt.Errorf("%.60s: must be [token, log probability]", data)
	}
	s.score = *score
	return nil
}

func parseUnigram(raw json.RawMessage, field string) (model, error) {
	var c struct {
		UnkID        *int32   `json:"unk_id"`
		ByteFallback bool     `json:"byte_fallback"`
		Vocab        []scored `json:"vocab"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	if c.UnkID == nil || *c.UnkID < 0 || int(*c.UnkID) >= len(c.Vocab) {
		return nil, fmt.Errorf("%s.unk_id: must be the id of a token of vocab: text with unknown characters could not be encoded", field)
	}
	m := &unigram{
		ids: make(map[string]int32, len(c.Vocab)), text: make([]string, len(c.Vocab)), scores: make([]float64, len(c.Vocab)),
		unk: *c.UnkID, unkScore: math.Inf(1), trie: newTrie(), cache: newWordCache(), paths: sync.Pool{New: func() any { return new([]reached) }},
	}
	for id, t := range c.Vocab {
		if t.text == "" || len(t.text) > maxTokenBytes {
			return nil, fmt.Errorf("%s.vocab[%d]: a token has 1 to %d bytes, not %d", field, id, maxTokenBytes, len(t.text))
		}
		m.text[id], m.scores[id] = t.text, t.score
		m.ids[t.text] = int32(id) // of several with one text the last counts, as in the reference
		m.trie.add(t.text, int32(id))
		m.unkScore = min(m.unkScore, t.score)
	}
	m.unkScore -= unkPenalty
	if c.ByteFallback {
		m.bytes, m.byToken = byteTokens(m.ids)
	}
	return m, nil
}

func (m *unigram) encode(dst []int32, word string) []int32 {
	slot := m.cache.slot(word)
	if ids, ok := slot.get(word); ok {
		return append(dst, ids...)
	}
	from := len(dst)
	m.segment(word, func(_, _ int, id int32) { dst = append(dst, id) })
	slot.put(word, dst[from:])
	return dst
}

func (m *unigram) widths(dst []int32, word string, ids []int32) []int32 {
	from := len(dst)
	for _, id := range ids {
		if id == m.unk || m.byToken[id] { // what it stands for is not its own text
			dst = dst[:from]
			m.segment(word, func(lo, hi int, _ int32) { dst = append(dst, int32(hi-lo)) })
			return dst
		}
		dst = append(dst, int32(len(m.text[id])))
	}
	return dst
}

func (m *unigram) piece(id int32, text string) string {
	if id == m.unk {
		return text
	}
	return m.text[id]
}

// reached is the best way to a place in a word.
type reached struct {
	score float64
	id    int32
	width int32 // of the last token; 0: nothing leads here
}

// segment calls visit for the tokens of the likeliest segmentation, in order. Wherever all ways meet, what lies before is decided
// and forgotten, so that memory does not grow with the word.
func (m *unigram) segment(word string, visit func(lo, hi int, id int32)) {
	pooled := m.paths.Get().(*[]reached)
	defer m.paths.Put(pooled)
	ways := append((*pooled)[:0], reached{}) // from base on
	base, furthest := 0, 0
	run := unknownRun{m: m, word: word, lo: -1, visit: visit}
	for at := 0; at < len(word); {
		if at == furthest && at > base {
			run.take(base, ways[:at-base+1])
			ways = append(ways[:0], reached{score: ways[at-base].score})
			base = at
		}
		here := ways[at-base].score
		width := characterWidth(word[at:])
		reach := func(length int, id int32, score float64) {
			for len(ways) <= at-base+length {
				ways = append(ways, reached{})
			}
			furthest = max(furthest, at+length)
			if to := &ways[at-base+length]; to.width == 0 || score > to.score {
				*to = reached{score, id, int32(length)}
			}
		}
		single := false
		for node, i := int32(0), at; i < len(word); i++ {
			if node = m.trie.step(node, word[i]); node == 0 {
				break
			}
			if id := m.trie.ends[node]; id >= 0 {
				reach(i+1-at, id, m.scores[id]+here)
				single = single || i+1-at == width
			}
		}
		if !single {
			reach(width, m.unk, m.unkScore+here)
		}
		at += width
	}
	run.take(base, ways)
	run.end(len(word))
	*pooled = ways
}

// unknownRun visits tokens, neighbouring unknown ones as one.
type unknownRun struct {
	m     *unigram
	word  string
	lo    int // where unknown characters began; -1: there are none
	visit func(lo, hi int, id int32)
}

// take visits the best way from base to the last place of ways.
func (r *unknownRun) take(base int, ways []reached) {
	var ends []int
	for at := len(ways) - 1; at > 0; at -= int(ways[at].width) {
		ends = append(ends, at)
	}
	for i := len(ends) - 1; i >= 0; i-- {
		w, hi := ways[ends[i]], base+ends[i]
		lo := hi - int(w.width)
		if w.id != r.m.unk {
			r.end(lo)
			r.visit(lo, hi, w.id)
		} else if r.lo < 0 {
			r.lo = lo
		}
	}
}

// end visits the unknown characters before hi.
func (r *unknownRun) end(hi int) {
	if r.lo < 0 {
		return
	}
	text := r.word[r.lo:hi]
	id, known := r.m.ids[text]
	switch {
	case known:
		r.visit(r.lo, hi, id)
	case r.m.bytes != nil:
		for i := range len(text) {
			r.visit(r.lo+i, r.lo+i+1, r.m.bytes[text[i]])
		}
	default:
		r.visit(r.lo, hi, r.m.unk)
	}
	r.lo = -1
}

// characterWidth is the number of bytes of the first character of s, which is not empty.
func characterWidth(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}
