package tokenizers

import (
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/dlclark/regexp2/v2"
)

// patternTimeout bounds one search by backtracking.
const patternTimeout = 10 * time.Second

// compilePattern makes a matcher of a pattern that has no scanner: an RE2 if it can say the same, or else a backtracking
// one. A pattern that either engine could read differently from Oniguruma, which the reference uses, is refused.
func compilePattern(pattern, field string) (matcher, error) {
	p, err := translate(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %q: %w; write a scanner for it in tokenizers/scan.go", field, pattern, err)
	}
	if !p.lookaround {
		if re, err := regexp.Compile(p.text); err == nil {
			return re2{re}, nil
		}
	}
	re, err := regexp2.Compile(p.text, regexp2.None)
	if err != nil {
		return nil, fmt.Errorf("%s: %q: %w", field, pattern, err)
	}
	re.MatchTimeout = patternTimeout
	slog.Warn("split pattern is run by backtracking, which is slow; write a scanner for it in tokenizers/scan.go", "field", field, "pattern", pattern)
	return backtracking{re}, nil
}

type re2 struct{ re *regexp.Regexp }

func (p re2) matches(s string, emit func(lo, hi int)) error {
	for _, at := range p.re.FindAllStringIndex(s, -1) {
		emit(at[0], at[1])
	}
	return nil
}

type backtracking struct{ re *regexp2.Regexp }

func (p backtracking) matches(s string, emit func(lo, hi int)) error {
	all, err := p.re.FindAllStringIndex(s, -1)
	if err != nil {
		return fmt.Errorf("split pattern on a word of %d bytes: %w", len(s), err)
	}
	for _, at := range all {
		emit(at[0], at[1])
	}
	return nil
}
