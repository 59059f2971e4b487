package tokenizers

import (
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

// addedToken is an entry of added_tokens: a text that is one token wherever it stands.
type addedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // only between characters that are not word characters
	LStrip     bool   `json:"lstrip"`      // takes white space on its left
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"` // looked for after normalization
	Special    bool   `json:"special"`

	text string // what is looked for and what it decodes to: the content, normalized if it is to be found in normalized text
}

// maxAddedBytes bounds the content of an added token, and with it the time to look for it at one place.
const maxAddedBytes = 1024

// addedTokens are the added tokens with the ids they really have.
type addedTokens struct {
	ids             map[string]int32
	byID            map[int32]addedToken
	raw, normalized finder
	size            int // one more than the largest id of any token
}

// newAddedTokens gives added tokens their ids as the reference library does: that of the model's vocabulary if the token
// is there, or else the next free one. An id in the file that disagrees is overruled, with a warning.
func newAddedTokens(list []addedToken, m model, n normalizer) (addedTokens, error) {
	a := addedTokens{ids: map[string]int32{}, byID: map[int32]addedToken{}, size: len(m.tokens())}
	declared := map[int32]string{}
	next := int32(m.size())
	var ordered []addedToken // special tokens first: they win where two match the same text
	for i, t := range list {
		field := fmt.Sprintf("added_tokens[%d]", i)
		switch other, twice := declared[t.ID]; {
		case t.ID < 0:
			return a, fmt.Errorf("%s.id: %d is negative", field, t.ID)
		case len(t.Content) > maxAddedBytes:
			return a, fmt.Errorf("%s.content: has %d bytes, more than %d", field, len(t.Content), maxAddedBytes)
		case twice && other != t.Content:
			return a, fmt.Errorf("%s.id: %d belongs to both %q and %q; give one of them another id", field, t.ID, other, t.Content)
		}
		declared[t.ID] = t.Content
		if _, known := a.ids[t.Content]; known || t.Content == "" {
			continue
		}
		id, ok := m.id(t.Content)
		if !ok {
			id, next = next, next+1
		}
		if id != t.ID {
			slog.Warn("tokenizer.json: id of an added token disagrees with the vocabulary; it is renumbered, as Hugging Face does",
				"field", field+".id", "content", t.Content, "file", t.ID, "used", id)
		}
		t.ID, t.text = id, t.Content
		if t.Normalized && n != nil {
			t.text, _, _ = n.normalize(t.Content, false)
		}
		a.ids[t.Content], a.byID[id] = id, t
		a.size = max(a.size, int(id)+1)
		ordered = append(ordered, t)
	}
	for _, special := range []bool{true, false} {
		for _, t := range ordered {
			switch {
			case t.Special != special:
			case t.Normalized:
				a.normalized.add(t, t.text)
			default:
				a.raw.add(t, t.text)
			}
		}
	}
	return a, nil
}

// beyond returns special tokens whose ids follow all that there are.
func beyond(list []addedToken, m model, special []string) (more []addedToken) {
	next := int32(len(m.tokens()))
	for _, t := range list {
		next = max(next, t.ID+1)
	}
	for i, content := range special {
		more = append(more, addedToken{ID: next + int32(i), Content: content, Special: true})
	}
	return more
}

// finder finds added tokens in text, leftmost first and of those the longest.
type finder struct {
	tokens []addedToken
	starts [256]bool
	edges  map[edge]int32 // a trie; node 0 is its root
	ends   []int32        // by node: which token ends there; -1: none
}

type edge struct {
	node int32
	by   byte
}

func (f *finder) add(t addedToken, text string) {
	if text == "" {
		return
	}
	if f.edges == nil {
		f.edges, f.ends = map[edge]int32{}, []int32{-1}
	}
	f.starts[text[0]] = true
	node := int32(0)
	for i := range len(text) {
		child, ok := f.edges[edge{node, text[i]}]
		if !ok {
			child = int32(len(f.ends))
			f.edges[edge{node, text[i]}] = child
			f.ends = append(f.ends, -1)
		}
		node = child
	}
	if f.ends[node] < 0 {
		f.ends[node] = int32(len(f.tokens))
		f.tokens = append(f.tokens, t)
	}
}

// match returns the longest token that begins at s[i], and its end; token -1: none.
func (f *finder) match(s string, i int) (token int32, end int) {
	token = -1
	for node, j := int32(0), i; j < len(s); j++ {
		child, ok := f.edges[edge{node, s[j]}]
		if !ok {
			break
		}
		if node = child; f.ends[node] >= 0 {
			token, end = f.ends[node], j+1
		}
	}
	return token, end
}

// cut calls visit for the added tokens of s (with their id) and the texts between them (with id -1), in order.
func (f *finder) cut(s string, visit func(lo, hi int, id int32) error) error {
	done := 0
	for i := 0; i < len(s) && len(f.tokens) > 0; {
		if !f.starts[s[i]] {
			i++
			continue
		}
		k, end := f.match(s, i)
		if k < 0 {
			i++
			continue
		}
		t, lo, hi := f.tokens[k], i, end
		i = end
		if t.SingleWord && !standsAlone(s, lo, hi) {
			continue
		}
		if t.LStrip {
			lo = max(len(strings.TrimRightFunc(s[:lo], unicode.IsSpace)), done)
		}
		if t.RStrip {
			hi = len(s) - len(strings.TrimLeftFunc(s[hi:], unicode.IsSpace))
		}
		if done < lo {
			if err := visit(done, lo, -1); err != nil {
				return err
			}
		}
		if err := visit(lo, hi, t.ID); err != nil {
			return err
		}
		done = hi
	}
	if done < len(s) {
		return visit(done, len(s), -1)
	}
	return nil
}

func standsAlone(s string, lo, hi int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:lo])
	after, _ := utf8.DecodeRuneInString(s[hi:])
	return (lo == 0 || !isWordRune(before)) && (hi == len(s) || !isWordRune(after))
}
