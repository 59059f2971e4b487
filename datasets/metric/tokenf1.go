package metric

import "strings"

// TokenF1 is the best F1 of the answer's words with those of any of golds, as multisets. Words are what remains between white space once
// all is lower case, ASCII punctuation is deleted and the words a, an and the are replaced by blanks. 0 without a common word.
//
// Source: SQuAD's F1 (arXiv 1606.05250), InfiniteBench's qa_f1; the right measure for En.QA.
// Same as the reference's helper of that name, which no task there uses.
func TokenF1(answer string, golds []string) float64 {
	words, best := squadWords(answer), 0.0
	for _, g := range golds {
		best = max(best, multisetF1(words, squadWords(g)))
	}
	return best
}

const asciiPunctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// without deletes every character of set from s.
func without(s, set string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(set, r) {
			return -1
		}
		return r
	}, s)
}

func squadWords(s string) []string {
	rest := without(lower(s), asciiPunctuation)
	var out strings.Builder
	for rest != "" {
		n := strings.IndexFunc(rest, func(r rune) bool { return !isWord(r) })
		switch {
		case n < 0:
			n = len(rest)
		case n == 0: // what is between words is kept as it is
			if n = strings.IndexFunc(rest, isWord); n < 0 {
				n = len(rest)
			}
		}
		switch run := rest[:n]; run {
		case "a", "an", "the":
			out.WriteByte(' ')
		default:
			out.WriteString(run)
		}
		rest = rest[n:]
	}
	return fields(out.String())
}

// multisetF1 is the F1 of two multisets, 0 if they share nothing.
func multisetF1[T comparable](answer, gold []T) float64 {
	left := map[T]int{}
	for _, x := range gold {
		left[x]++
	}
	hits := 0
	for _, x := range answer {
		if left[x] > 0 {
			left[x]--
			hits++
		}
	}
	return f1(hits, len(answer), len(gold))
}
