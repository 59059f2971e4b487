package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"

	"scbench/kernels"
	"scbench/stages/methods"
	"scbench/stages/models"
	"scbench/stages/tokenizers"
)

// encoders are the token classifiers that methods asked for, each opened once.
type encoders struct {
	pool *kernels.Pool
	open map[encoderKey]*encoder
}

// encoderKey says what was opened, and how.
type encoderKey struct {
	dir       string
	precision kernels.Precision
}

// encoder is a token classifier as llmlingua2 wants it.
type encoder struct {
	model *models.Classifier
	text  tokenizers.Pieces
	added []string
}

// maxChunk is the most tokens of a text that llmlingua2 gives an encoder at once.
const maxChunk = 512

func newEncoders(pool *kernels.Pool) *encoders { return &encoders{pool, map[encoderKey]*encoder{}} }

// Close gives back what the encoders hold.
func (e *encoders) Close() error {
	var errs []error
	for _, x := range e.open {
		errs = append(errs, x.model.Close())
	}
	return errors.Join(errs...)
}

// methods is what methods open encoders with.
func (e *encoders) methods() methods.Encoders {
	return methods.Encoders{Open: e.encoder, Counter: tokenCounter}
}

// encoder opens the encoder in a folder, or returns the one opened before.
func (e *encoders) encoder(dir string, p kernels.Precision) (*methods.Encoder, error) {
	x := e.open[encoderKey{dir, p}]
	if x == nil {
		var err error
		if x, err = openEncoder(dir, p, e.pool); err != nil {
			return nil, err
		}
		e.open[encoderKey{dir, p}] = x
	}
	weights, err := x.model.Hash()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(weights + x.text.Hash()))
	return &methods.Encoder{
		Hash: hex.EncodeToString(sum[:8]), MaxTokens: min(maxChunk, x.model.MaxTokens()), Continuation: x.text.Continuation(),
		Tokens: x.text.Pieces, Text: x.text.Join, Special: x.special, Keep: x.keep,
	}, nil
}

func openEncoder(dir string, p kernels.Precision, pool *kernels.Pool) (_ *encoder, err error) {
	x := &encoder{}
	for i := range methods.MaxForced {
		x.added = append(x.added, methods.AddedToken(i))
	}
	if x.text, err = tokenizers.LoadPieces(dir, x.added...); err != nil {
		return nil, err
	}
	if x.model, err = models.OpenClassifier(dir, pool, p); err != nil {
		return nil, err
	}
	switch own := x.text.VocabSize() - len(x.added); {
	case x.model.Labels() != 2:
		err = fmt.Errorf("%s: an encoder with %d labels; want 2, drop and keep", dir, x.model.Labels())
	case own > x.model.Vocab():
		err = fmt.Errorf("%s: the tokenizer has %d tokens, the encoder a vocabulary of %d: they do not belong together", dir, own, x.model.Vocab())
	case x.model.MaxTokens() < 3:
		err = fmt.Errorf("%s: the encoder takes %d tokens, too few for a text between two others", dir, x.model.MaxTokens())
	}
	if err != nil {
		return nil, errors.Join(err, x.model.Close())
	}
	return x, nil
}

// special says whether a token is no text; those added for forced texts are.
func (x *encoder) special(token string) bool {
	return x.text.IsSpecial(token) && !slices.Contains(x.added, token)
}

// keep is methods.Encoder.Keep.
func (x *encoder) keep(ctx context.Context, tokens []string) (seen []string, keep []float64, err error) {
	ids := make([]int32, len(tokens))
	for i, token := range tokens {
		ids[i] = x.text.PieceID(token)
		seen = append(seen, x.text.Piece(ids[i]))
	}
	logits, err := x.model.Classify(ctx, ids, nil)
	if err != nil {
		return nil, nil, err
	}
	for i := range ids {
		odds := math.Exp(float64(logits[2*i]) - float64(logits[2*i+1])) // label 1 is to keep
		keep = append(keep, float64(float32(1/(1+odds))))
	}
	return seen, keep, nil
}

// tokenCounter reads a tokenizer that counts tokens.
func tokenCounter(name string, tokenizerJSON []byte) (func(text string) (int, error), error) {
	t, err := tokenizers.Parse(name, tokenizerJSON)
	if err != nil {
		return nil, err
	}
	return func(text string) (int, error) {
		ids, err := t.Encode(text, false)
		return len(ids), err
	}, nil
}
