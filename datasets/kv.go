package datasets

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"scbench/datasets/metric"
)

// KV is Retr.KV: look up random identifiers in a large JSON object. Nothing in it can be guessed or summarised, so a method that
// dropped the pair cannot answer.
//
// Build follows the published rows to the byte: 2,500 pairs of UUIDs, a context of 200,011 bytes, five inputs of 93 bytes. The pairs
// asked for are drawn one from each fifth of the object and asked in random order. Mini draws a session of kv-h8 (8 hex digits to 8 hex
// digits), kv-uuid (UUID to UUID) or kv-w2d ("amber-otter-37" to 4 digits), each as often.
//
// Source: Lost in the Middle (arXiv 2307.03172) and InfiniteBench's kv_retrieval, with five keys.
// Differs from the reference: the instruction is worded anew; format and scoring are the same.
var KV = Task{
	Name:      "kv",
	Paper:     "Retr.KV",
	Doc:       "Look up the values of five keys in a JSON object of random identifiers.",
	Skill:     StringRetrieval,
	Context:   instructed("Below is a JSON object. You will be asked for the values of some of its keys.\n\n"),
	Query:     verbatim,
	Gold:      firstAnswer,
	MaxTokens: atMost(150),
	Score:     func(answer string, t Turn) metric.Scores { return metric.Substring(answer, t.Answers[0]) },
	Build:     buildKV,
	Mini:      miniKV,
}

func buildKV(r *rand.Rand, s Size) (Example, error) {
	turns := s.turns(5)
	return s.grow(s.least(turns), 2500, func(n int) (Example, error) {
		keys, err := unique(r, n, uuid4)
		if err != nil {
			return Example{}, err
		}
		o := object{"JSON data:\n", "\nKey: \"%s\"\nThe value associated with the specified key is: ", keys, values(r, n, uuid4)}
		return o.ask(s.within(r, n, turns, strata)), nil
	})
}

// miniKinds are the variants that the reference model reads best, and the question it knows best.
var miniKinds = []struct{ key, value func(*rand.Rand) string }{
	{hex8, hex8},
	{hexUUID, hexUUID},
	{func(r *rand.Rand) string { return twoWords(r) + "-" + digits2(r) }, func(r *rand.Rand) string { return fmt.Sprint(1000 + r.IntN(9000)) }},
}

const miniKVQuestion = "Key: \"%s\"\nThe value associated with the specified key is:"

func miniKV(r *rand.Rand, s Size) (Example, error) {
	turns, kind := s.turns(5), miniKinds[r.IntN(len(miniKinds))]
	return s.grow(s.least(turns), 0, func(n int) (Example, error) {
		keys, err := unique(r, n, kind.key)
		if err != nil {
			return Example{}, err
		}
		o := object{"Below is a JSON object that maps keys to values.\n\nJSON data:\n",
			miniKVQuestion, keys, values(r, n, kind.value)}
		e := o.ask(s.within(r, n, turns, sample))
		e.Profile = MiniProfile
		return e, nil
	})
}

// object is a JSON object to be, the text before it, and the question about a key.
type object struct {
	intro, question string
	keys, values    []string
}

// ask writes the object and asks for the values of the pairs at those places, in that order.
func (o object) ask(asked []int) Example {
	var text strings.Builder
	text.WriteString(o.intro)
	at := make([]Span, len(o.keys))
	sep := "{\""
	for i, k := range o.keys {
		text.WriteString(sep + k + "\": \"")
		at[i] = Span{text.Len(), text.Len() + len(o.values[i])}
		text.WriteString(o.values[i])
		sep = "\", \""
	}
	text.WriteString("\"}")
	e := Example{Task: "kv", Context: text.String()}
	for _, i := range asked {
		e.Turns = append(e.Turns, Turn{Input: fmt.Sprintf(o.question, o.keys[i]), Answers: []string{o.values[i]}, Evidence: []Span{at[i]}})
	}
	return e
}

func values(r *rand.Rand, n int, one func(*rand.Rand) string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = one(r)
	}
	return out
}

func hex8(r *rand.Rand) string { return hexDigits(r, 8) }

// uuid4 is a random UUID, version and variant included.
func uuid4(r *rand.Rand) string {
	b := []byte(hexUUID(r))
	b[14] = '4'
	b[19] = "89ab"[r.IntN(4)]
	return string(b)
}
