// Package tokenizers turns text into token ids and back, and conversations into prompts.
//
// A [Tokenizer] is read from a Hugging Face tokenizer.json, from a tokenizer.model where there is none, from a GGUF file, or put together from [Parts]. Its ids are those of the Hugging Face Rust library, checked
// against golden vectors. A model kind lives in a file of its own and is one line in modelKinds; so are normalizers,
// pre-tokenizers, post-processors and decoders. A kind that is not listed is refused by its name, never approximated.
//
// A [ChatTemplate] is a Jinja template, run by package jinja under limits on steps, memory, depth and time.
//
// Differs from the reference: text need not be valid UTF-8. Bytes that are not are encoded as themselves, each being a
// character that is neither letter, number nor space, so that Decode, before it replaces them, is the inverse of Encode.
package tokenizers

import "fmt"

// Tokenizer maps text to token ids and back. It may be used by many goroutines at once, and its results depend on
// nothing but its arguments.
type Tokenizer interface {
	// Encode returns the ids of text. Added tokens that stand in the text ("<|eot_id|>") are always recognised, as
	// Hugging Face does; special says whether to add those that the post-processor puts around a text, such as a
	// begin-of-text token. An error means that a split pattern ran out of time or stack.
	Encode(text string, special bool) ([]int32, error)
	// EncodeOffsets is Encode, and says for each token which bytes of text it stands for: never trimmed, in order, and
	// without gaps for byte-level models. A token that the post-processor added has an empty span. Where a normalizer
	// changed the text, a token's span is that of the characters it was made from.
	EncodeOffsets(text string, special bool) ([]int32, []Span, error)
	// Decode returns the text of ids. Ids that do not exist are skipped, as are special tokens if skipSpecial is set.
	// Bytes that are not UTF-8 become U+FFFD, one for each maximal invalid part (the Unicode recommendation).
	Decode(ids []int32, skipSpecial bool) string
	// Stream returns a decoder that takes one id at a time.
	Stream(skipSpecial bool) *Stream
	// Special returns the id of the added token with this content, such as "<|eot_id|>".
	Special(content string) (id int32, ok bool)
	// Prefix are the tokens that the post-processor puts before a text, such as that of "<s>", or GLM-4's [gMASK] and <sop>.
	Prefix() []int32
	// VocabSize is one more than the largest id.
	VocabSize() int
	// Hash is the BLAKE3 hash, in hex, of the tokenizer.json without insignificant white space.
	Hash() string
}

// PairEncoder is a Tokenizer that can encode two texts as one input, as encoder models take them.
type PairEncoder interface {
	// EncodePair returns the ids of both texts with their special tokens, and for each id its type (segment) id.
	EncodePair(a, b string) (ids, types []int32, err error)
}

// Span is a half-open range [Lo, Hi) of byte offsets.
type Span struct{ Lo, Hi int }

// Parse reads a tokenizer.json; name is what errors call it.
func Parse(name string, tokenizerJSON []byte) (Tokenizer, error) {
	t, err := parse(tokenizerJSON, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}
