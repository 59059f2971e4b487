package datasets

import (
	"math/rand/v2"
	"slices"
	"strings"

	"scbench/datasets/metric"
)

// PassKey hides a few pass keys in noise that repeats itself: the needle in a haystack. It overestimates methods, for whatever does not repeat
// stands out; compare it with KVCompressible. It is none of the paper's twelve tasks.
//
// Build writes sentences as SummaryWithNeedles does between lines of noise; for each pass key asked for there are Size.Distractors others
// (usually one) that are not. Size.Depth says where those asked for stand. Mini is passkey: five to some hundred facts, their number drawn for each session.
//
// Source: InfiniteBench (arXiv 2402.13718), passkey, where there is one without a name.
// Differs from the reference: several pass keys with names, so that there are as many questions; no rows were published.
var PassKey = Task{
	Name:      "passkey",
	Paper:     Extra,
	Doc:       "Find pass keys by name in noise that repeats itself.",
	Skill:     StringRetrieval,
	Context:   instructed("Somewhere in the text below stand pass keys, in much that does not matter. You will be asked for some of them.\n\n"),
	Query:     verbatim,
	Gold:      firstAnswer,
	MaxTokens: atMost(15),
	Score:     func(answer string, t Turn) metric.Scores { return metric.FirstDigits(answer, t.Answers[0]) },
	Build:     buildPassKey,
	Mini:      miniPassKey,
}

func buildPassKey(r *rand.Rand, s Size) (Example, error) {
	const published = 6000 // lines, about 128,000 tokens
	turns, others := s.turns(5), 1
	if s.Distractors != 0 {
		others = max(0, s.Distractors)
	}
	return s.grow(1, published, func(lines int) (Example, error) {
		keys, err := newPassKeys(r, turns*(1+others), 5)
		if err != nil {
			return Example{}, err
		}
		asked := s.spread(r, lines, turns)
		places := append(slices.Clone(asked), Dials{}.spread(r, lines, turns*others)...)
		e := Example{Task: "passkey"}
		e.Context, keys.at = haystack(lines, places, keys.sentences(passKeySentence))
		keys.names, keys.numbers, keys.at = keys.names[:turns], keys.numbers[:turns], keys.at[:turns]
		e.Turns = keys.ask(r, turns, "What is the pass key of %s?")
		return e, nil
	})
}

// haystack writes lines of noise and sentence i before the line places[i]. It returns where the sentences stand.
func haystack(lines int, places []int, sentences []string) (string, []Span) {
	order := make([]int, len(places))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return places[i] - places[j] })
	at := make([]Span, len(places))
	var text strings.Builder
	for line := range lines {
		for len(order) > 0 && places[order[0]] <= line {
			s := sentences[order[0]]
			at[order[0]] = Span{text.Len(), text.Len() + len(s)}
			text.WriteString(s + "\n")
			order = order[1:]
		}
		text.WriteString(vtNoise)
	}
	return strings.TrimSuffix(text.String(), "\n"), at
}

func miniPassKey(r *rand.Rand, s Size) (Example, error) {
	turns := s.turns(5)
	digits := []int{7, 7, 6, 5}[r.IntN(4)]
	facts := octaves(r, max(1, turns), min(s.Tokens/19, len(adjectives)*len(nouns)/4))
	return s.grow(0, 0, func(fillers int) (Example, error) {
		keys, err := newPassKeys(r, facts, digits)
		if err != nil {
			return Example{}, err
		}
		e := Example{Task: "passkey", Profile: MiniProfile}
		e.Context, keys.at = scatter(r, "The text below hides some secret numbers. Remember them.\n\n", keys.sentences(miniPassKeySentence), fillers)
		e.Turns = keys.ask(r, turns, miniPassKeyQuestion)
		return e, nil
	})
}
