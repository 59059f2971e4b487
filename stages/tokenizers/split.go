package tokenizers

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// part is a match of a pattern or a stretch between matches; parts cover the text.
type part struct {
	lo, hi int
	match  bool
}

// matcher finds all matches of a pattern, leftmost first, without overlap.
type matcher interface {
	matches(s string, emit func(lo, hi int)) error
}

// patternSplit cuts words at a pattern.
type patternSplit struct {
	find   matcher
	invert bool // the stretches between the matches are the matches
	join   func([]part) []part
}

func (p patternSplit) split(w word, emit func(word) error) error {
	var parts []part
	done := 0
	err := p.find.matches(w.text, func(lo, hi int) {
		if done < lo {
			parts = append(parts, part{done, lo, p.invert})
		}
		parts = append(parts, part{lo, hi, !p.invert})
		done = hi
	})
	if err != nil {
		return err
	}
	if done < len(w.text) {
		parts = append(parts, part{done, len(w.text), p.invert})
	}
	for _, c := range p.join(parts) {
		if c.lo < c.hi {
			if err := emit(w.sub(c.lo, c.hi)); err != nil {
				return err
			}
		}
	}
	return nil
}

// behaviors say what becomes of the matches, as in the reference library.
var behaviors = map[string]func([]part) []part{
	"Isolated":           isolated,
	"Removed":            removed,
	"Contiguous":         contiguous,
	"MergedWithPrevious": mergedWithPrevious,
	"MergedWithNext":     mergedWithNext,
}

// behavior is one of behaviors.
func behavior(name, field string) (func([]part) []part, error) {
	join, ok := behaviors[name]
	if !ok {
		return nil, fmt.Errorf("%s.behavior: %q is not supported; supported: Isolated, Removed, Contiguous, MergedWithPrevious, MergedWithNext", field, name)
	}
	return join, nil
}

func isolated(parts []part) []part { return parts }

func removed(parts []part) []part {
	out := parts[:0]
	for _, p := range parts {
		if !p.match {
			out = append(out, p)
		}
	}
	return out
}

// contiguous joins neighbours that are both matches or both not.
func contiguous(parts []part) []part {
	out := parts[:0]
	for i, p := range parts {
		if i > 0 && p.match == out[len(out)-1].match {
			out[len(out)-1].hi = p.hi
		} else {
			out = append(out, p)
		}
	}
	return out
}

func mergedWithPrevious(parts []part) []part {
	out := parts[:0]
	matched := false // the part before was a match
	for _, p := range parts {
		if p.match && !matched && len(out) > 0 {
			out[len(out)-1].hi = p.hi
		} else {
			out = append(out, p)
		}
		matched = p.match
	}
	return out
}

func mergedWithNext(parts []part) []part {
	out := parts[len(parts):]
	matched := false // the part after was a match
	for i := len(parts) - 1; i >= 0; i-- {
		p := parts[i]
		if p.match && !matched && len(out) > 0 {
			out[0].lo = p.lo
		} else {
			out = parts[len(parts)-len(out)-1:]
			out[0] = p
		}
		matched = p.match
	}
	return out
}

// literal matches a fixed text that is not empty.
type literal string

func (l literal) matches(s string, emit func(lo, hi int)) error {
	for at := 0; ; {
		i := strings.Index(s[at:], string(l))
		if i < 0 {
			return nil
		}
		emit(at+i, at+i+len(l))
		at += i + len(l)
	}
}

// total makes a matcher of a scanner.
type total struct{ scanSplit }

func (t total) matches(s string, emit func(lo, hi int)) error {
	for i := 0; i < len(s); {
		end := t.scan(t.c, s, i)
		emit(i, end)
		i = end
	}
	return nil
}

// digits matches single characters of \p{N}.
type digits struct{}

func (digits) matches(s string, emit func(lo, hi int)) error {
	c := classTable()
	for i := 0; i < len(s); {
		k, w := c.at(s, i)
		if k == number {
			emit(i, i+w)
		}
		i += w
	}
	return nil
}

// wordsAndSigns matches \w+|[^\w\s]+.
type wordsAndSigns struct{}

func (wordsAndSigns) matches(s string, emit func(lo, hi int)) error {
	kind := func(i int) (class, width int) {
		r, w := utf8.DecodeRuneInString(s[i:])
		switch {
		case isWordRune(r):
			return 1, w
		case unicode.IsSpace(r):
			return 0, w
		}
		return 2, w
	}
	for i := 0; i < len(s); {
		class, w := kind(i)
		end := i + w
		for end < len(s) {
			next, w := kind(end)
			if next != class {
				break
			}
			end += w
		}
		if class > 0 {
			emit(i, end)
		}
		i = end
	}
	return nil
}

// charactersOf matches single characters.
type charactersOf func(r rune) bool

func (in charactersOf) matches(s string, emit func(lo, hi int)) error {
	for i, r := range s {
		if in(r) {
			emit(i, i+characterWidth(s[i:]))
		}
	}
	return nil
}

func parsePunctuation(raw json.RawMessage, field string) ([]splitter, error) {
	c := struct{ Behavior string }{"Isolated"}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	join, err := behavior(c.Behavior, field)
	return []splitter{patternSplit{charactersOf(isBertPunctuation), false, join}}, err
}

// parseDelimiter cuts at a character, which goes.
func parseDelimiter(raw json.RawMessage, field string) ([]splitter, error) {
	var c struct{ Delimiter string }
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	if utf8.RuneCountInString(c.Delimiter) != 1 {
		return nil, fmt.Errorf("%s.delimiter: %q is not one character", field, c.Delimiter)
	}
	return []splitter{patternSplit{literal(c.Delimiter), false, removed}}, nil
}
