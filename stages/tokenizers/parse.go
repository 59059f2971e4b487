package tokenizers

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/blake3"
)

// kind is one kind of component that a tokenizer.json may name in a "type" field.
type kind[T any] struct {
	name  string
	parse func(raw json.RawMessage, field string) (T, error)
}

// maxNesting bounds Sequences within Sequences.
const maxNesting = 8

// choose parses the component at field by the kind it names. A null component is the zero T.
func choose[T any](kinds []kind[T], raw json.RawMessage, field string) (T, error) {
	var none T
	if isNull(raw) {
		return none, nil
	}
	if strings.Count(field, ".") > maxNesting {
		return none, fmt.Errorf("%s: nested more than %d deep", field, maxNesting)
	}
	var head struct{ Type string }
	if err := json.Unmarshal(raw, &head); err != nil {
		return none, fmt.Errorf("%s: %w", field, err)
	}
	var names []string
	for _, k := range kinds {
		if k.name == head.Type {
			return k.parse(raw, field)
		}
		names = append(names, k.name)
	}
	return none, fmt.Errorf("%s: type %q is not supported; supported: %s", field, head.Type, strings.Join(names, ", "))
}

// chooseAll parses the list of components in the named field of a Sequence.
func chooseAll[T any](kinds []kind[T], raw json.RawMessage, field, list string) ([]T, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	var items []json.RawMessage
	if err := json.Unmarshal(fields[list], &items); err != nil {
		return nil, fmt.Errorf("%s.%s: %w", field, list, err)
	}
	var out []T
	for i, item := range items {
		at := fmt.Sprintf("%s.%s[%d]", field, list, i)
		if isNull(item) {
			return nil, fmt.Errorf("%s: is null; remove it", at)
		}
		t, err := choose(kinds, item, at)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// file is the top level of a tokenizer.json.
type file struct {
	AddedTokens   []addedToken    `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         json.RawMessage `json:"model"`
	Truncation    json.RawMessage `json:"truncation"`
}

// parse reads a tokenizer.json, as if it had special tokens with the given contents too.
func parse(data []byte, special []string) (*tokenizer, error) {
	if what := foreign(data); what != "" {
		return nil, errors.New(what)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8 text; a tokenizer.json is JSON in UTF-8 (a SentencePiece file is called tokenizer.model)")
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("not a tokenizer.json: %w", err)
	}
	if isNull(f.Model) {
		return nil, errors.New("model: is missing; this is not a tokenizer.json (tokenizer_config.json is another file)")
	}
	if !isNull(f.Truncation) {
		slog.Warn("tokenizer.json asks for truncation; it is not applied, texts are encoded whole", "truncation", string(f.Truncation))
	}
	t := &tokenizer{hash: hashJSON(data)}
	split, err := choose(splitterKinds(), f.PreTokenizer, "pre_tokenizer")
	if err != nil {
		return nil, err
	}
	if t.model, err = choose(modelKinds(slices.ContainsFunc(split, isByteLevel)), f.Model, "model"); err != nil {
		return nil, err
	}
	if t.normal, err = choose(normalizerKinds(), f.Normalizer, "normalizer"); err != nil {
		return nil, err
	}
	if err := t.setSplit(split); err != nil {
		return nil, err
	}
	if t.decode, err = parseDecoder(f.Decoder); err != nil {
		return nil, err
	}
	if err := t.addTokens(append(f.AddedTokens, beyond(f.AddedTokens, t.model, special)...)); err != nil {
		return nil, err
	}
	t.post, err = parsePostProcessor(f.PostProcessor, t.VocabSize())
	return t, err
}

// addTokens adds the added tokens and lays out what every token decodes to.
func (t *tokenizer) addTokens(list []addedToken) (err error) {
	t.added, err = newAddedTokens(list, t.model, t.normal)
	t.layPieces()
	return err
}

// foreign says what a file is that was taken for a tokenizer; "" if it may be one.
func foreign(data []byte) string {
	for _, f := range []struct{ begins, what string }{
		{"PK\x03\x04", "is a zip archive; unpack it"},
		{"\x1f\x8b", "is a gzip file; unpack it"},
		{"\x80\x02", "is a Python pickle, which is never read; " + makeJSON},
		{"\x80\x03", "is a Python pickle, which is never read; " + makeJSON},
		{"\x80\x04", "is a Python pickle, which is never read; " + makeJSON},
		{"version https://git-lfs", "is a Git LFS pointer, not the file; fetch it with git lfs pull"},
	} {
		if bytes.HasPrefix(data, []byte(f.begins)) {
			return f.what
		}
	}
	if bytes.HasPrefix(bytes.TrimSpace(data[:min(len(data), 200)]), []byte("<")) {
		return "is HTML, such as a login or an error page; download the file itself"
	}
	return ""
}

// hashJSON is the hash of valid JSON without the white space between its tokens.
func hashJSON(data []byte) string {
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		panic("tokenizers: hash of invalid JSON: " + err.Error())
	}
	sum := blake3.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}
