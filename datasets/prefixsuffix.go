package datasets

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"scbench/datasets/metric"
)

// PrefixSuffix is Retr.Prefix-Suffix: find the one string that has both a prefix and a suffix. Other strings share only one of them,
// so neither alone will do; a naive reader would need a prefix tree of the whole list.
//
// Build makes 6,000 strings of 27 characters drawn from the codes [65, 123) ("A" to "z", with [ \ ] ^ _ ` between), joined by ", ":
// 173,998 bytes. Prefix and suffix have 4 to 8 characters each; two decoys share just the prefix and two just the suffix. Mini draws a
// session of prefsuf-hex (16 hex digits, 6 and 6 asked) or prefsuf-word ("amber-otter-37-blue-fox", two words and two asked), where about
// a third of the strings asked for have one decoy.
//
// Differs from the reference: no generator was published. The number of strings, the codes and the question's wording are the paper's
// (table 3); length and separator are what the published rows' byte counts allow; lengths of prefix and suffix are ours.
var PrefixSuffix = Task{
	Name:      "prefixsuffix",
	Paper:     "Retr.Prefix-Suffix",
	Doc:       "Find the one string of a long list that has a given prefix and a given suffix.",
	Skill:     StringRetrieval,
	Context:   instructed("Below is a dict of words, with commas between them. You will be asked for words by how they begin and end.\n\n"),
	Query:     verbatim,
	Gold:      firstAnswer,
	MaxTokens: atMost(150),
	Score:     func(answer string, t Turn) metric.Scores { return metric.Substring(answer, t.Answers[0]) },
	Build:     buildPrefixSuffix,
	Mini:      miniPrefixSuffix,
}

// affix is what a question gives of the string it wants.
type affix struct{ prefix, suffix string }

func (a affix) match(s string) bool {
	return strings.HasPrefix(s, a.prefix) && strings.HasSuffix(s, a.suffix)
}

// wordKind is a kind of strings.
type wordKind struct {
	make   func(*rand.Rand) string          // any string
	cut    func(*rand.Rand, string) affix   // what to tell of a string
	decoys func(*rand.Rand) (pre, post int) // how many strings shall share just the prefix, and just the suffix
	even   bool                             // all strings have one length, decoys too
}

func buildPrefixSuffix(r *rand.Rand, s Size) (Example, error) {
	const length = 27
	kind := wordKind{
		make: func(r *rand.Rand) string {
			b := make([]byte, length)
			for i := range b {
				b[i] = byte(65 + r.IntN(123-65))
			}
			return string(b)
		},
		cut: func(r *rand.Rand, s string) affix {
			return affix{s[:4+r.IntN(5)], s[length-4-r.IntN(5):]}
		},
		decoys: func(*rand.Rand) (int, int) { return 2, 2 },
		even:   true,
	}
	turns, decoys := s.turns(5), 4
	if s.Distractors != 0 {
		decoys = max(s.Distractors, 0)
		kind.decoys = func(*rand.Rand) (int, int) { return (decoys + 1) / 2, decoys / 2 }
	}
	return s.grow(max(s.least(turns), (1+decoys)*turns), 6000, func(n int) (Example, error) {
		l, err := kind.list(r, n, s.within(r, n, turns, strata))
		return l.example("", ", ", "Prefix: %s; Suffix: %s. The word with both prefix and suffix from the dict is"), err
	})
}

func miniPrefixSuffix(r *rand.Rand, s Size) (Example, error) {
	kind := wordKind{
		make:   func(r *rand.Rand) string { return hexDigits(r, 16) },
		cut:    func(_ *rand.Rand, s string) affix { return affix{s[:6], s[10:]} },
		decoys: fewDecoys,
	}
	if r.IntN(2) == 1 {
		kind.make = func(r *rand.Rand) string { return twoWords(r) + "-" + digits2(r) + "-" + twoWords(r) }
		kind.cut = func(_ *rand.Rand, s string) affix {
			p := strings.SplitN(s, "-", 5)
			return affix{p[0] + "-" + p[1], p[3] + "-" + p[4]}
		}
	}
	turns := s.turns(5)
	return s.grow(max(s.least(turns), 3*turns), 0, func(n int) (Example, error) {
		l, err := kind.list(r, n, s.within(r, n, turns, sample))
		e := l.example("Below is a list of strings.\n\n", "\n", `Find the string with prefix "%s" and suffix "%s".`)
		e.Profile = MiniProfile
		return e, err
	})
}

// fewDecoys is one decoy for three strings in ten, as the reference model was trained.
func fewDecoys(r *rand.Rand) (pre, post int) {
	if r.Float64() >= 0.3 {
		return 0, 0
	}
	pre = r.IntN(2)
	return pre, 1 - pre
}

// wordList is a list of different strings and which of them are asked for how; each affix fits one string.
type wordList struct {
	words []string
	at    []int
	asks  []affix
}

// list makes n strings with one to ask for at each of the places at. Strings asked for come first, then their decoys, and then any others;
// a string that an affix fits by chance is drawn anew, so that each fits exactly one.
func (k wordKind) list(r *rand.Rand, n int, at []int) (wordList, error) {
	l := wordList{words: make([]string, n), at: at}
	seen := map[string]bool{}
	fresh := func(draw func() string) (string, error) {
		for range 1000 {
			if s := draw(); !seen[s] && !l.fits(s) {
				seen[s] = true
				return s, nil
			}
		}
		return "", fmt.Errorf("there are no %d strings like %q; ask for fewer tokens", n, k.make(r))
	}
	one := func() string { return k.make(r) }
	for len(l.asks) < len(at) {
		s, err := fresh(one)
		if err != nil {
			return l, err
		}
		a := k.cut(r, s)
		if slices.ContainsFunc(l.words, a.match) {
			continue
		}
		l.words[at[len(l.asks)]] = s
		l.asks = append(l.asks, a)
	}
	free := l.free(r)
	for _, a := range l.asks {
		pre, post := k.decoys(r)
		for d := range pre + post {
			s, err := fresh(func() string { return k.decoy(r, a, d < pre) })
			if err != nil {
				return l, err
			}
			l.words[free[0]], free = s, free[1:]
		}
	}
	for _, i := range free {
		s, err := fresh(one)
		if err != nil {
			return l, err
		}
		l.words[i] = s
	}
	return l, nil
}

// decoy is a string that shares the prefix of a, or else its suffix, and has the rest of another string.
func (k wordKind) decoy(r *rand.Rand, a affix, pre bool) string {
	s, b := k.make(r), a
	if !k.even {
		b = k.cut(r, s)
	}
	if pre {
		return a.prefix + s[len(b.prefix):]
	}
	return s[:len(s)-len(b.suffix)] + a.suffix
}

// fits tells whether some question already asked would be answered by s too.
func (l wordList) fits(s string) bool {
	for _, a := range l.asks {
		if a.match(s) {
			return true
		}
	}
	return false
}

// free is the places of no string asked for, in random order.
func (l wordList) free(r *rand.Rand) []int {
	var free []int
	for i, s := range l.words {
		if s == "" {
			free = append(free, i)
		}
	}
	r.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	return free
}

// example writes the list behind intro and asks its questions, of which each takes a prefix and a suffix.
func (l wordList) example(intro, sep, question string) Example {
	e := Example{Task: "prefixsuffix", Context: intro + strings.Join(l.words, sep)}
	spans := make([]Span, len(l.words))
	lo := len(intro)
	for i, s := range l.words {
		spans[i] = Span{lo, lo + len(s)}
		lo += len(s) + len(sep)
	}
	for k, a := range l.asks {
		i := l.at[k]
		e.Turns = append(e.Turns, Turn{Input: fmt.Sprintf(question, a.prefix, a.suffix), Answers: []string{l.words[i]}, Evidence: []Span{spans[i]}})
	}
	return e
}
