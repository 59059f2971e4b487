package tokenizers

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/zeebo/blake3"
	"golang.org/x/text/unicode/norm"
)

// Parts is a tokenizer taken apart, as GGUF metadata, SentencePiece's tokenizer.model and tiktoken's files have it. [Parts.Build] puts
// it together as Hugging Face's converters do.
type Parts struct {
	Kind   PartsKind
	Tokens []string    // by id; "" where there is none
	Types  []TokenType // by id; nil: all are Normal
	Scores []float64   // by id, of SentencePiece: the token with the highest score is made first
	Merges []string    // of ByteBPE, "left right", the first first; nil: of two tokens the one with the lower id is made first

	Split        string // of ByteBPE: the split pattern, in the syntax of tokenizer.json
	NFC          bool   // of ByteBPE: texts are put into form C first
	IgnoreMerges bool   // of ByteBPE: a word that is a token is that token, whatever the merges say
	SpacePrefix  bool   // of SentencePiece: a space is put before every text, also before one behind an added token
	SpaceOnce    bool   // with SpacePrefix: only before what begins the whole text, and if there is none

	Before, After []int32 // ids that stand around every text, such as those of "<s>" and "</s>"
	TakesSpace    []int32 `json:",omitempty"` // ascending: ids of tokens that take the white space behind them in a text
}

// PartsKind is a kind of model that can be put together.
type PartsKind int

const (
	ByteBPE       PartsKind = iota // tokens are spelled with a printable character for each byte, as GPT-2's are: "Ġthe"
	SentencePiece                  // byte pair encoding of characters: tokens have ▁ for a space, and "<0x0A>" is a byte
)

// TokenType is what a token is for, numbered as in SentencePiece's files and in GGUF.
type TokenType int32

const (
	Normal      TokenType = 1 // made by merges
	Unknown     TokenType = 2 // stands for characters that are no token; found in text too
	Control     TokenType = 3 // special, such as "<s>"; found in text too
	UserDefined TokenType = 4 // found in text before it is split
	Unused      TokenType = 5 // has an id only
	Byte        TokenType = 6 // "<0x0A>"
)

// SetPre sets Split, NFC and IgnoreMerges for a name that GGUF files give under tokenizer.ggml.pre. A name that is not known is an error:
// a wrong pattern would split text wrongly, and nobody would see it.
func (p *Parts) SetPre(name string) error {
	switch name {
	case "gpt-2", "phi-2", "roberta-bpe":
		p.Split = gpt2Pattern
	case "llama-bpe", "llama3", "llama-v3":
		p.Split, p.IgnoreMerges = llama3Pattern, true
	case "chatglm-bpe", "glm4", "dbrx", "smaug-bpe":
		p.Split = llama3Pattern
	case "qwen2":
		p.Split, p.NFC = qwen2Pattern, true
	case "deepseek-r1-qwen":
		p.Split = qwen2Pattern
	case "tekken":
		p.Split, p.IgnoreMerges = tekkenPattern, true
	case "gpt-4o":
		p.Split = gpt4oPattern
	default:
		return fmt.Errorf("tokenizer.ggml.pre: %q is not supported; supported: gpt-2, phi-2, roberta-bpe, llama-bpe, llama3, llama-v3, chatglm-bpe, glm4, dbrx, smaug-bpe, qwen2, deepseek-r1-qwen, tekken, gpt-4o", name)
	}
	return nil
}

// beginsWithBOS reports whether texts begin with the begin-of-text token where a GGUF file of that pre-tokenizer does not say it, as
// llama.cpp has it.
func beginsWithBOS(pre string) bool {
	switch pre {
	case "llama-bpe", "llama3", "llama-v3", "tekken":
		return true
	}
	return false
}

// Build puts the tokenizer together; name is what errors call it. Its Hash is that of the parts.
func (p Parts) Build(name string) (Tokenizer, error) {
	t, err := p.build()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// build is Build with more added tokens, whose flags count if they are among the parts' too.
func (p Parts) build(extra ...addedToken) (*tokenizer, error) {
	vocab, err := p.vocabulary()
	if err == nil {
		err = vocab.extend(extra)
	}
	if err != nil {
		return nil, err
	}
	t := &tokenizer{hash: p.hash(extra)}
	if p.Kind == SentencePiece {
		err = t.sentencePiece(p, vocab)
	} else {
		err = t.byteBPE(p, vocab)
	}
	if err != nil {
		return nil, err
	}
	added := extra
	for id, typ := range p.Types {
		if typ == Unknown || typ == Control || typ == UserDefined {
			_, takes := slices.BinarySearch(p.TakesSpace, int32(id))
			added = append(added, addedToken{ID: int32(id), Content: p.Tokens[id], Special: typ != UserDefined, RStrip: takes})
		}
	}
	if err := t.addTokens(added); err != nil {
		return nil, err
	}
	t.post = p.around()
	return t, t.post.check(t.VocabSize())
}

// vocabulary checks the lists against each other.
func (p Parts) vocabulary() (vocabulary, error) {
	v := vocabulary{ids: make(map[string]int32, len(p.Tokens)), text: p.Tokens}
	for _, list := range []struct {
		name      string
		n         int
		mayBeNone bool
	}{{"types", len(p.Types), true}, {"scores", len(p.Scores), p.Kind == ByteBPE}} {
		if list.n != len(p.Tokens) && (list.n > 0 || !list.mayBeNone) {
			return v, fmt.Errorf("%d %s for %d tokens; there must be one for each", list.n, list.name, len(p.Tokens))
		}
	}
	for id, text := range p.Tokens {
		if !utf8.ValidString(text) {
			return v, fmt.Errorf("token %d: %q is not UTF-8", id, text)
		}
		if other, twice := v.ids[text]; twice {
			return v, fmt.Errorf("tokens %d and %d are both %q; a text must belong to one id", other, id, text)
		}
		if text != "" {
			v.ids[text] = int32(id)
		}
	}
	for id, s := range p.Scores {
		if math.IsNaN(s) {
			return v, fmt.Errorf("token %d: its score is not a number", id)
		}
	}
	return v, nil
}

// extend gives added tokens the ids that they declare.
func (v *vocabulary) extend(added []addedToken) error {
	v.text = slices.Clone(v.text)
	for _, a := range added {
		if a.Content == "" {
			continue // as everywhere
		}
		if a.ID < 0 || int(a.ID) > 2*len(v.text)+1<<16 {
			return fmt.Errorf("added token %q: id %d is out of range; there are %d tokens", a.Content, a.ID, len(v.text))
		}
		if n := int(a.ID) + 1 - len(v.text); n > 0 {
			v.text = append(v.text, make([]string, n)...)
		}
		if other := v.text[a.ID]; other != "" && other != a.Content {
			return fmt.Errorf("added token %q: id %d belongs to %q", a.Content, a.ID, other)
		}
		if id, ok := v.ids[a.Content]; ok && id != a.ID {
			return fmt.Errorf("added token %q: has the ids %d and %d", a.Content, id, a.ID)
		}
		v.text[a.ID], v.ids[a.Content] = a.Content, a.ID
	}
	return nil
}

// hash is the hash of all parts.
func (p Parts) hash(extra []addedToken) string {
	h := blake3.New()
	fmt.Fprintf(h, "%+v %+v", p, extra)
	return hex.EncodeToString(h.Sum(nil))
}

// byteBPE sets what depends on the kind.
func (t *tokenizer) byteBPE(p Parts, v vocabulary) error {
	if p.Split == "" {
		return fmt.Errorf("there is no split pattern for a byte-level vocabulary")
	}
	split, err := isolateRegex(p.Split, "split pattern")
	if err != nil {
		return err
	}
	var pairs pairTable
	if p.Merges == nil {
		pairs = p.pairsByID(v)
	} else {
		merges := make([]merge, len(p.Merges))
		for i, m := range p.Merges {
			if merges[i], err = splitMerge(m); err != nil {
				return fmt.Errorf("merges[%d]: %w", i, err)
			}
		}
		if pairs, err = v.pairs(merges, "parts"); err != nil {
			return err
		}
	}
	if t.model, err = newBPE(v, pairs, p.IgnoreMerges, "parts"); err != nil {
		return err
	}
	t.split = []splitter{split}
	if p.NFC {
		t.normal = unicodeForm{norm.NFC, norm.NFD}
	}
	return t.decode.set(`{"type":"ByteLevel"}`)
}

// pairsByID is the table of all pairs of ordinary tokens whose text together is one; their rank is its id, so that of pairs that
// make the same token the leftmost is joined, as tiktoken does.
func (p Parts) pairsByID(v vocabulary) pairTable {
	var list []scoredMerge
	for id, text := range p.Tokens {
		if p.Types == nil || p.Types[id] == Normal {
			list = v.splits(list, int32(id), text, 0)
		}
	}
	pairs := newPairTable(len(list))
	for _, m := range list {
		pairs.put(m.left, m.right, uint32(m.id), m.id)
	}
	return pairs
}

// sentencePiece sets what depends on the kind, as in Hugging Face's converter of Llama's tokenizer.model.
func (t *tokenizer) sentencePiece(p Parts, v vocabulary) error {
	c := bpeFile{ByteFallback: true, FuseUnk: true, Vocab: v}
	if i := slices.Index(p.Types, Unknown); i >= 0 {
		c.Unk = &p.Tokens[i]
	}
	list := p.mergesByScore(v)
	pairs := newPairTable(len(list))
	for rank, m := range list {
		pairs.put(m.left, m.right, uint32(rank), m.id)
		c.Merges = append(c.Merges, merge{p.Tokens[m.left], p.Tokens[m.right]})
	}
	var err error
	if t.model, err = newCharBPE(c, pairs, "parts"); err != nil {
		return err
	}
	marks := replaceAll{literal(" "), "▁"}
	t.normal = marks
	strip := ""
	if p.SpacePrefix {
		t.normal, strip = normalizers{prepend("▁"), marks}, `,{"type":"Strip","content":" ","start":1,"stop":0}`
	}
	if p.SpacePrefix && p.SpaceOnce {
		t.normal, t.mark = nil, &unsplitMetaspace{metaspace{mark: "▁", prepend: true, once: true}}
	}
	return t.decode.set(`{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"}` + strip + `]}`)
}

// scoredMerge makes a token of two.
type scoredMerge struct {
	left, right, id int32
	before, behind  int // characters of the left part and of the right one
	score           float64
}

// splits appends all ways to make a token of two others.
func (v *vocabulary) splits(list []scoredMerge, id int32, text string, score float64) []scoredMerge {
	if len(text) > maxTokenBytes { // newCharBPE refuses it, and a byte-level one is made of shorter ones
		return list
	}
	n := 0
	for i := range text {
		if i > 0 {
			left, ok := v.ids[text[:i]]
			right, also := v.ids[text[i:]]
			if ok && also {
				list = append(list, scoredMerge{left, right, id, n, utf8.RuneCountInString(text[i:]), score})
			}
		}
		n++
	}
	return list
}

// mergesByScore are all merges, ordered as Hugging Face's converter does: by the score of what they make, then the longer left part,
// then the longer right one, then by ids.
func (p Parts) mergesByScore(v vocabulary) []scoredMerge {
	var list []scoredMerge
	for id, text := range p.Tokens {
		from := len(list)
		list = v.splits(list, int32(id), text, p.Scores[id])
		slices.SortStableFunc(list[from:], func(a, b scoredMerge) int {
			if a.left != b.left {
				return int(a.left) - int(b.left)
			}
			return int(a.right) - int(b.right)
		})
	}
	slices.SortStableFunc(list, func(a, b scoredMerge) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		case a.before != b.before:
			return b.before - a.before
		}
		return b.behind - a.behind
	})
	return list
}

// around is the post-processor.
func (p Parts) around() postProcessor {
	before, after := templateItem{text: -1, ids: p.Before}, templateItem{text: -1, ids: p.After}
	second := func(t templateItem) templateItem { t.kind = 1; return t }
	a, b := templateItem{text: 0}, templateItem{text: 1, kind: 1}
	return postProcessor{
		single: template{before, a, after},
		pair:   template{before, a, after, second(before), b, second(after)},
	}
}
