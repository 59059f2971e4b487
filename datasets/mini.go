package datasets

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// The parts that the mini formats are made of. They draw from the distributions that the embedded reference model was trained on
// (its data.py), not from Python's stream of random numbers.

func pick(r *rand.Rand, words []string) string { return words[r.IntN(len(words))] }

// hexDigits is n random hexadecimal digits.
func hexDigits(r *rand.Rand, n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	var bits uint64
	for i := range b {
		if i%16 == 0 {
			bits = r.Uint64()
		}
		b[i] = digits[bits&15]
		bits >>= 4
	}
	return string(b)
}

// hexUUID is 128 random bits in the form of a UUID, without the version that a real one carries.
func hexUUID(r *rand.Rand) string {
	h := hexDigits(r, 32)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// twoWords is "amber-otter".
func twoWords(r *rand.Rand) string { return pick(r, adjectives) + "-" + pick(r, nouns) }

// digits2 is a number of two digits.
func digits2(r *rand.Rand) string { return fmt.Sprint(10 + r.IntN(90)) }

// filler is a sentence of about ten tokens that tells nothing.
func filler(r *rand.Rand) string {
	a, n, b, m := pick(r, adjectives), pick(r, nouns), pick(r, adjectives), pick(r, nouns)
	switch r.IntN(8) {
	case 0:
		return fmt.Sprintf("The %s %s %s the %s %s.", a, n, pick(r, verbs), b, m)
	case 1:
		return fmt.Sprintf("A %s near the %s was %s and %s.", n, m, a, b)
	case 2:
		return fmt.Sprintf("Every %s in the %s looked %s.", n, pick(r, places), a)
	case 3:
		return "The road is long and the night is short."
	case 4:
		return "Round and round the old wheel goes."
	case 5:
		return fmt.Sprintf("We saw the %s %s from the %s in %s.", a, n, m, pick(r, cities))
	case 6:
		return fmt.Sprintf("Nobody knew why the %s was so %s that day.", n, a)
	default:
		return fmt.Sprintf("It was a %s day and the %s stood by the %s.", a, n, m)
	}
}

// scatter hides the facts, in their order, at random places between fillers sentences of filler. It returns the text behind intro
// and where in it each fact stands.
func scatter(r *rand.Rand, intro string, facts []string, fillers int) (string, []Span) {
	places := sample(r, fillers+len(facts), len(facts))
	slices.Sort(places)
	var text strings.Builder
	text.WriteString(intro)
	spans := make([]Span, 0, len(facts))
	for i := range fillers + len(facts) {
		if i > 0 {
			text.WriteByte(' ')
		}
		if k := len(spans); k < len(facts) && places[k] == i {
			spans = append(spans, Span{text.Len(), text.Len() + len(facts[k])})
			text.WriteString(facts[k])
		} else {
			text.WriteString(filler(r))
		}
	}
	return text.String(), spans
}
