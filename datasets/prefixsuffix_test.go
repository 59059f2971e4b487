package datasets

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var affixQuestion = regexp.MustCompile(`^Prefix: (\S+); Suffix: (\S+)\. The word with both prefix and suffix from the dict is$`)

func solvePrefixSuffix(context, question string) string {
	q := affixQuestion.FindStringSubmatch(question)
	return strings.Join(fitting(strings.Split(context[strings.Index(context, "\n\n")+2:], ", "), q[1], q[2]), " and ")
}

func solvePrefixSuffixMini(context, question string) string {
	q := quoted.FindAllStringSubmatch(question, -1)
	return strings.Join(fitting(strings.Split(context, "\n"), q[0][1], q[1][1]), " and ")
}

func fitting(words []string, prefix, suffix string) (fit []string) {
	for _, w := range words {
		if strings.HasPrefix(w, prefix) && strings.HasSuffix(w, suffix) {
			fit = append(fit, w)
		}
	}
	return fit
}

func TestPrefixSuffixPublished(t *testing.T) {
	e, err := PrefixSuffix.Build(seeded(1), Published)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(e.Context, ", ")
	if len(words) != 6000 || len(e.Context) != 6000*29-2 {
		t.Fatalf("%d words, %d bytes", len(words), len(e.Context))
	}
	seen := map[rune]bool{}
	for _, w := range words {
		for _, c := range w {
			if seen[c] = true; c < 65 || c >= 123 {
				t.Fatalf("word %q has %q", w, c)
			}
		}
	}
	if len(seen) != 123-65 {
		t.Errorf("%d different characters", len(seen))
	}
}

// TestPrefixSuffixDecoys: exactly one string fits a question, and two more share only its prefix, two only its suffix.
func TestPrefixSuffixDecoys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Size{Tokens: rapid.IntRange(300, 20000).Draw(t, "tokens"), Turns: rapid.IntRange(1, 8).Draw(t, "turns")}
		e, err := PrefixSuffix.Build(seeded(rapid.Uint64().Draw(t, "seed")), s)
		if err != nil {
			if s.Tokens < 5*s.Turns*29/4 {
				t.Skip("too many turns for the length")
			}
			t.Fatal(err)
		}
		words := strings.Split(e.Context, ", ")
		different := map[string]bool{}
		for _, w := range words {
			different[w] = true
		}
		if len(different) != len(words) {
			t.Fatalf("%d words, %d different", len(words), len(different))
		}
		for _, turn := range e.Turns {
			q := affixQuestion.FindStringSubmatch(turn.Input)
			if n := len(fitting(words, q[1], q[2])); n != 1 {
				t.Fatalf("%d strings fit %q", n, turn.Input)
			}
			if pre, post := len(fitting(words, q[1], "")), len(fitting(words, "", q[2])); pre < 3 || post < 3 {
				t.Fatalf("%d strings have the prefix and %d the suffix of %q", pre, post, turn.Input)
			}
		}
	})
}

// TestPrefixSuffixMiniDecoys: about a third of the questions have a decoy, on either side, in both kinds.
func TestPrefixSuffixMiniDecoys(t *testing.T) {
	count := map[string]int{}
	for seed := range uint64(100) {
		e, err := PrefixSuffix.Mini(seeded(seed), Size{Tokens: 800})
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Split(e.Context, "\n")
		for _, turn := range e.Turns {
			q := quoted.FindAllStringSubmatch(turn.Input, -1)
			kind := "word"
			if len(q[0][1]) == 6 && len(q[1][1]) == 6 && !strings.Contains(q[0][1], "-") {
				kind = "hex"
			}
			count[kind]++
			if len(fitting(words, q[0][1], "")) > 1 {
				count[kind+" prefix"]++
			}
			if len(fitting(words, "", q[1][1])) > 1 {
				count[kind+" suffix"]++
			}
		}
	}
	for _, kind := range []string{"hex", "word"} {
		for _, side := range []string{" prefix", " suffix"} {
			if share := float64(count[kind+side]) / float64(count[kind]); share < 0.07 || share > 0.25 {
				t.Errorf("%s shared by a decoy in %.2f of the questions, about 0.15 wanted (%v)", kind+side, share, count)
			}
		}
	}
}
