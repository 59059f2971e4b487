package tokenizers

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// decoder says how tokens become bytes: each for itself, but that a run of byte tokens is one text, and that something may be stripped
// from the beginning of all.
type decoder struct {
	steps    []func(token string, first bool) string // on a token; the first one of a text may become another
	fallback bool                                    // "<0x41>" is a byte
	stripped string                                  // a character, taken from the beginning of the text
	strip    int                                     // at most so often
	closed   string                                  // the step after which tokens are not apart any more
	fused    bool
}

// decodeStep adds a step of a tokenizer.json's decoder.
type decodeStep func(d *decoder) error

// bytes is what one token becomes.
func (d *decoder) bytes(token string, first bool) []byte {
	if d.isByte(token) {
		b, _ := hex.DecodeString(d.apply(token, false)[3:5])
		return b
	}
	return []byte(d.apply(token, first))
}

func (d *decoder) apply(token string, first bool) string {
	for _, step := range d.steps {
		token = step(token, first)
	}
	return token
}

// isByte says whether a token stands for a byte.
func (d *decoder) isByte(token string) bool {
	if !d.fallback {
		return false
	}
	token = d.apply(token, false)
	if len(token) != 6 || !strings.HasPrefix(token, "<0x") || token[5] != '>' {
		return false
	}
	_, err := hex.DecodeString(token[3:5])
	return err == nil
}

// each is a step on every token by itself.
func each(name string, of func(token string, first bool) string) decodeStep {
	return func(d *decoder) error {
		if d.closed != "" {
			return fmt.Errorf("%s behind %s is not supported", name, d.closed)
		}
		d.steps = append(d.steps, of)
		return nil
	}
}

func decoderKinds() []kind[decodeStep] {
	return []kind[decodeStep]{
		{"ByteLevel", func(json.RawMessage, string) (decodeStep, error) {
			step := each("ByteLevel", func(token string, _ bool) string { b, _ := byteLevelBytes(token); return string(b) })
			return func(d *decoder) error { err := step(d); d.closed = "ByteLevel"; return err }, nil
		}},
		{"Metaspace", parseMetaspaceDecoder},
		{"WordPiece", parseWordPieceDecoder},
		{"Replace", parseReplaceDecoder},
		{"Strip", parseStripDecoder},
		{"ByteFallback", func(json.RawMessage, string) (decodeStep, error) {
			return func(d *decoder) error {
				if d.closed != "" {
					return fmt.Errorf("ByteFallback behind %s is not supported", d.closed)
				}
				d.fallback, d.closed = true, "ByteFallback"
				return nil
			}, nil
		}},
		{"Fuse", func(json.RawMessage, string) (decodeStep, error) {
			return func(d *decoder) error { d.fused, d.closed = true, "Fuse"; return nil }, nil
		}},
		{"Sequence", func(raw json.RawMessage, field string) (decodeStep, error) {
			list, err := chooseAll(decoderKinds(), raw, field, "decoders")
			return func(d *decoder) error {
				for i, step := range list {
					if err := step(d); err != nil {
						return fmt.Errorf("decoders[%d]: %w", i, err)
					}
				}
				return nil
			}, err
		}},
	}
}

func parseDecoder(raw json.RawMessage) (d decoder, err error) {
	if isNull(raw) {
		return d, errors.New("decoder: is missing; supported: ByteLevel, Metaspace, WordPiece, or a Sequence of Replace, Strip, ByteFallback and Fuse")
	}
	err = d.set(string(raw))
	return d, err
}

// set reads the steps of a decoder that is not null.
func (d *decoder) set(raw string) error {
	step, err := choose(decoderKinds(), json.RawMessage(raw), "decoder")
	if err != nil {
		return err
	}
	if err := step(d); err != nil {
		return fmt.Errorf("decoder: %w", err)
	}
	return nil
}

func parseReplaceDecoder(raw json.RawMessage, field string) (decodeStep, error) {
	var c struct {
		Pattern struct{ String *string }
		Content string
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	if c.Pattern.String == nil || *c.Pattern.String == "" {
		return nil, fmt.Errorf("%s.pattern: must be a String that is not empty; other patterns are not supported here", field)
	}
	return each("Replace", func(token string, _ bool) string {
		return strings.ReplaceAll(token, *c.Pattern.String, c.Content)
	}), nil
}

// parseStripDecoder takes a character from the ends of tokens, or, behind Fuse, from the beginning of the text.
func parseStripDecoder(raw json.RawMessage, field string) (decodeStep, error) {
	var c struct {
		Content     string
		Start, Stop int
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	if utf8.RuneCountInString(c.Content) != 1 || c.Start < 0 || c.Stop < 0 {
		return nil, fmt.Errorf("%s: content %q must be one character, and start %d and stop %d not negative", field, c.Content, c.Start, c.Stop)
	}
	return func(d *decoder) error {
		switch {
		case !d.fused:
			return each("Strip", func(token string, _ bool) string {
				token, _ = trimLead(token, c.Content, c.Start)
				for n := c.Stop; n > 0 && strings.HasSuffix(token, c.Content); n-- {
					token = strings.TrimSuffix(token, c.Content)
				}
				return token
			})(d)
		case c.Stop > 0 || d.strip > 0:
			return errors.New("Strip behind Fuse with a stop above 0, or more than once, is not supported: no text would be certain before its end")
		}
		d.stripped, d.strip = c.Content, c.Start
		return nil
	}, nil
}
