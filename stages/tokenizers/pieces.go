package tokenizers

import (
	"errors"
	"fmt"
	"strings"
)

// Pieces is a tokenizer of characters, WordPiece or Unigram, that also shows its tokens as strings, as methods want them that work on
// words.
type Pieces interface {
	Tokenizer
	// Pieces returns the tokens of a text, without those that a post-processor adds, as strings: as the vocabulary spells them, but
	// for what is unknown to a Unigram model, which is shown as it is.
	Pieces(text string) ([]string, error)
	// PieceID returns the id of a token given as a string: the unknown token's, if there is no such token.
	PieceID(piece string) int32
	// Piece returns the token with an id of PieceID as a string.
	Piece(id int32) string
	// Join returns the text of tokens given as strings, or of words put together from them.
	Join(pieces []string) string
	// Continuation is what a token begins with that continues a word, such as "##"; "" where a mark begins words instead.
	Continuation() string
	// IsSpecial reports whether a token given as a string is special, such as "[CLS]" or "<unk>".
	IsSpecial(piece string) bool
}

// LoadPieces reads dir/tokenizer.json, which must be a WordPiece or Unigram one, and adds special tokens with the given contents, as
// transformers' add_special_tokens does: their ids follow all others, in order.
func LoadPieces(dir string, special ...string) (Pieces, error) {
	path, data, err := readTokenizer(dir)
	if err != nil {
		return nil, err
	}
	return ParsePieces(path, data, special...)
}

// ParsePieces is LoadPieces of a file's content; name is what errors call it.
func ParsePieces(name string, tokenizerJSON []byte, special ...string) (Pieces, error) {
	t, err := parse(tokenizerJSON, special)
	if err == nil && t.model.unknown() < 0 {
		err = errors.New("model: type BPE has no pieces of words; supported here: WordPiece, Unigram")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

func (t *tokenizer) Pieces(text string) ([]string, error) {
	run := encoding{t: t, show: true}
	err := run.text(text)
	return run.pieces, err
}

func (t *tokenizer) PieceID(piece string) int32 {
	if id, ok := t.added.ids[piece]; ok {
		return id
	}
	if id, ok := t.model.id(piece); ok {
		return id
	}
	return t.model.unknown()
}

func (t *tokenizer) Piece(id int32) string {
	if added, ok := t.added.byID[id]; ok {
		return added.Content
	}
	return t.model.tokens()[id]
}

func (t *tokenizer) Join(pieces []string) string {
	var b strings.Builder
	for i, p := range pieces {
		b.Write(t.decode.bytes(p, i == 0))
	}
	return b.String()
}

func (t *tokenizer) Continuation() string {
	if m, ok := t.model.(*wordPiece); ok {
		return m.prefix
	}
	return ""
}

func (t *tokenizer) IsSpecial(piece string) bool {
	id, ok := t.added.ids[piece]
	return ok && t.added.byID[id].Special
}
