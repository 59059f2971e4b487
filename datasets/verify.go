package datasets

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Report is the outcome of Verify.
type Report struct {
	Provenance
	HaveRows    int    // rows that were read
	HaveContent string // hash of what was read
}

// Verify reads a whole prepared set and compares the number of its rows and the hash of their content with what its metadata says. A
// difference, like any damage, is an error; it names both values. The report is complete in that case too.
func Verify(path string) (Report, error) {
	s, err := Open(path)
	if err != nil {
		return Report{}, err
	}
	defer s.Close()
	r := Report{Provenance: s.Provenance}
	h := newContentHash()
	for row, err := range s.Rows() {
		if err != nil {
			return r, err
		}
		h.add(row)
		r.HaveRows++
	}
	r.HaveContent = h.sum()
	switch {
	case r.HaveRows != r.Rows:
		return r, fmt.Errorf("%s: the metadata promises %d rows, %d were read; prepare the set again", path, r.Rows, r.HaveRows)
	case r.HaveContent != r.Content:
		return r, fmt.Errorf("%s: the rows have the hash %s, the metadata says %s; the file was changed: prepare the set again", path, r.HaveContent, r.Content)
	}
	return r, nil
}

// Overview describes a prepared set and one of its examples.
type Overview struct {
	Provenance
	Turns                int // of all examples
	MinTokens, MaxTokens int // of a context
	MeanTokens           float64
	Sample               Row // the example asked for
}

// Summarize reads a set and sums it up; example is the index of the one to show.
func Summarize(path string, example int) (Overview, error) {
	s, err := Open(path)
	if err != nil {
		return Overview{}, err
	}
	defer s.Close()
	if example < 0 || example >= s.Len() {
		return Overview{}, fmt.Errorf("%s: there is no example %d; the set has the examples 0 to %d", path, example, s.Len()-1)
	}
	sum, total := Overview{Provenance: s.Provenance}, 0
	for row, err := range s.Rows() {
		if err != nil {
			return Overview{}, err
		}
		if row.Index == 0 {
			sum.MinTokens = row.Tokens
		}
		if row.Index == example {
			sum.Sample = row
		}
		sum.Turns += len(row.Example.Turns)
		sum.MinTokens = min(sum.MinTokens, row.Tokens)
		sum.MaxTokens = max(sum.MaxTokens, row.Tokens)
		total += row.Tokens
	}
	sum.MeanTokens = float64(total) / float64(s.Len())
	return sum, nil
}

// Print writes the summary for a person: the provenance, the sizes, and the sample with the first chars bytes of its context and of every
// text of its turns. Control characters are shown as escapes, as the texts may come from anywhere.
func (s Overview) Print(w io.Writer, chars int) error {
	p, e := s.Provenance, s.Sample.Example
	tokenizer := p.Tokenizer
	if tokenizer == "" {
		tokenizer = "none (four bytes a token)"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "task       %s\nprofile    %s\nseed       %d\ngenerator  %s\ntokenizer  %s\n", printable(p.Task), printable(p.Profile), p.Seed, printable(p.Generator), printable(tokenizer))
	if p.Dials != "" {
		fmt.Fprintf(&b, "dials      %s\n", printable(p.Dials))
	}
	if p.Source != "" {
		fmt.Fprintf(&b, "source     %s\n", printable(p.Source))
	}
	fmt.Fprintf(&b, "content    %s\nexamples   %d\nturns      %d\n", printable(p.Content), p.Rows, s.Turns)
	fmt.Fprintf(&b, "tokens     %d to %d, mean %.1f\n", s.MinTokens, s.MaxTokens, s.MeanTokens)
	show := func(text string) string { return printable(clip(text, chars)) }
	fmt.Fprintf(&b, "\nexample %s (%d tokens)\n%s\n", printable(e.ID), s.Sample.Tokens, show(e.Context))
	for i, t := range e.Turns {
		fmt.Fprintf(&b, "\nturn %d %s\n%s\n", i+1, printable(t.Part), show(t.Input))
		for _, o := range t.Options {
			fmt.Fprintf(&b, "  option  %s\n", show(o))
		}
		for _, a := range t.Answers {
			fmt.Fprintf(&b, "  answer  %s\n", show(a))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printable escapes what could steer a terminal or turn text around: controls other than line feed and tab, and format characters.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf) {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
