package tokenizers

// model splits one word, as the pre-tokenizer cut it, into tokens.
type model interface {
	// encode appends the ids of a word that is not empty.
	encode(dst []int32, word string) []int32
	// widths appends, for each of the ids that encode made of a word, the number of bytes of the word that it stands for.
	widths(dst []int32, word string, ids []int32) []int32
	// piece is the token that stands for text as the reference shows it: its text in the file, or, for an unknown text, that.
	piece(id int32, text string) string
	// unknown is the token of what is no token; -1: there is none.
	unknown() int32
	// id looks up a token by the text it has in the file.
	id(token string) (int32, bool)
	// tokens are all tokens as the file has them, by id; "" where there is none.
	tokens() []string
	// size is the number of tokens.
	size() int
	// byteLevel says whether words are the bytes of the text, rather than characters.
	byteLevel() bool
}

// tokenizer is the pipeline that all models share.
type tokenizer struct {
	hash   string
	model  model
	normal normalizer        // nil: none
	mark   *unsplitMetaspace // nil: none
	split  []splitter
	added  addedTokens
	post   postProcessor
	decode decoder

	pieces  [][]byte         // by id: what it decodes to; nil where there is no token
	firsts  map[int32][]byte // what it decodes to at the beginning, if that is something else
	byteIDs map[int32]bool   // tokens that are bytes
}

func (t *tokenizer) Hash() string   { return t.hash }
func (t *tokenizer) VocabSize() int { return len(t.pieces) }

func (t *tokenizer) Prefix() (ids []int32) {
	for _, item := range t.post.single {
		if item.text >= 0 {
			break
		}
		ids = append(ids, item.ids...)
	}
	return ids
}

func (t *tokenizer) Special(content string) (int32, bool) {
	id, ok := t.added.ids[content]
	return id, ok
}

func (t *tokenizer) Encode(text string, special bool) ([]int32, error) {
	run := encoding{t: t, ids: make([]int32, 0, len(text)/3+8)}
	if err := run.text(text); err != nil {
		return nil, err
	}
	if !special {
		return run.ids, nil
	}
	ids, _ := t.post.single.assemble(run.ids, nil)
	return ids, nil
}

func (t *tokenizer) EncodeOffsets(text string, special bool) ([]int32, []Span, error) {
	run := encoding{t: t, ids: make([]int32, 0, len(text)/3+8), located: true}
	if err := run.text(text); err != nil {
		return nil, nil, err
	}
	if !special {
		return run.ids, run.spans, nil
	}
	ids, spans := t.post.single.around(run.ids, run.spans, len(text))
	return ids, spans, nil
}

func (t *tokenizer) EncodePair(a, b string) (ids, types []int32, err error) {
	first, err := t.Encode(a, false)
	if err != nil {
		return nil, nil, err
	}
	second, err := t.Encode(b, false)
	if err != nil {
		return nil, nil, err
	}
	ids, types = t.post.pair.assemble(first, second)
	return ids, types, nil
}

// encoding is one call of Encode.
type encoding struct {
	t       *tokenizer
	ids     []int32
	located bool // record spans
	spans   []Span
	widths  []int32 // of the tokens of a word
	show    bool    // record pieces
	pieces  []string
}

// text encodes a whole text: added tokens first, then, between them, normalization, added tokens that are looked for in
// normalized text, words, and the model.
func (e *encoding) text(text string) error {
	return e.t.added.raw.cut(text, func(lo, hi int, id int32) error {
		if id >= 0 {
			e.token(id, text[lo:hi], Span{lo, hi})
			return nil
		}
		part := source{text: text[lo:hi], base: lo}
		if e.t.normal != nil {
			part = e.t.normalized(part, e.located)
		}
		return e.t.added.normalized.cut(part.text, func(lo, hi int, id int32) error {
			if id >= 0 {
				e.token(id, part.text[lo:hi], part.span(lo, hi))
				return nil
			}
			start := part.base+lo == 0
			if e.t.mark != nil {
				marked := e.t.mark.rewrite(part.sub(lo, hi), start, e.located)
				return e.words(word{text: marked.text, start: start}, 0, marked)
			}
			return e.words(word{text: part.text[lo:hi], pos: lo, start: start}, 0, part)
		})
	})
}

// token adds an added token, which is written as text.
func (e *encoding) token(id int32, text string, at Span) {
	e.ids = append(e.ids, id)
	if e.located {
		e.spans = append(e.spans, at)
	}
	if e.show {
		e.pieces = append(e.pieces, text)
	}
}

// words applies the pre-tokenizers from the given one on, and the model to the words that come out.
func (e *encoding) words(w word, stage int, src source) error {
	if stage == len(e.t.split) {
		e.word(w, src)
		return nil
	}
	if stage == len(e.t.split)-1 {
		return e.t.split[stage].split(w, func(w word) error { e.word(w, src); return nil })
	}
	return e.t.split[stage].split(w, func(w word) error { return e.words(w, stage+1, src) })
}

func (e *encoding) word(w word, src source) {
	if w.text == "" {
		return
	}
	from := len(e.ids)
	e.ids = e.t.model.encode(e.ids, w.text)
	if !e.located && !e.show {
		return
	}
	at := 0
	e.widths = e.t.model.widths(e.widths[:0], w.text, e.ids[from:])
	for i, width := range e.widths {
		end := at + int(width)
		if e.located {
			e.spans = append(e.spans, src.span(w.pos+max(at-w.pad, 0), w.pos+max(end-w.pad, 0)))
		}
		if e.show {
			e.pieces = append(e.pieces, e.t.model.piece(e.ids[from+i], w.text[at:end]))
		}
		at = end
	}
}

// word is a piece of a source's text. pad is the number of bytes at its beginning that the source does not have: of a space put before
// it, or of a mark in the place of a space, which is longer.
type word struct {
	text  string
	pos   int // of text[pad:] in the source
	pad   int
	start bool // it begins the whole text
}

// sub is the word w.text[lo:hi].
func (w word) sub(lo, hi int) word {
	if lo == 0 {
		return word{w.text[:hi], w.pos, w.pad, w.start}
	}
	return word{w.text[lo:hi], w.pos + lo - w.pad, 0, false}
}

// source is a text between added tokens and where it came from.
type source struct {
	text   string
	base   int     // of the original in the whole text
	lo, hi []int32 // by byte of text: the range of the original it was made from; nil if text is the original
}

// sub is the source s.text[lo:hi].
func (s source) sub(lo, hi int) source {
	if s.lo == nil {
		return source{text: s.text[lo:hi], base: s.base + lo}
	}
	return source{text: s.text[lo:hi], base: s.base, lo: s.lo[lo:hi], hi: s.hi[lo:hi]}
}

// became is the source after its text was rewritten: lo and hi are, by byte of the new text, the range of the old one it was made from,
// and nil if it did not change.
func (s source) became(text string, lo, hi []int32) source {
	if lo != nil && s.lo != nil {
		for i := range lo {
			lo[i], hi[i] = s.lo[lo[i]], s.hi[hi[i]-1]
		}
	}
	if lo == nil {
		lo, hi = s.lo, s.hi
	}
	return source{text: text, base: s.base, lo: lo, hi: hi}
}

// span maps a range of text to the whole, original text.
func (s source) span(lo, hi int) Span {
	if s.lo == nil {
		return Span{s.base + lo, s.base + hi}
	}
	if lo == hi {
		if lo == len(s.lo) {
			return Span{s.base, s.base}
		}
		at := s.base + int(s.lo[lo])
		return Span{at, at}
	}
	return Span{s.base + int(s.lo[lo]), s.base + int(s.hi[hi-1])}
}
