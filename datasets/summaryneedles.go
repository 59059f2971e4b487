package datasets

import (
	"fmt"
	"math/rand/v2"

	"scbench/datasets/metric"
)

// SummaryWithNeedles is Mix.Sum+NIAH: En.Sum's papers with pass keys hidden in them, and questions about both by turns. What helps to
// summarise does not help to find a number, so a method cannot suit its cache to one of them.
//
// Build writes the papers of Summary and in them a sentence for each of at least five names: "The pass key of amber-otter is 71432. …". Of eight questions four
// are summaries and four pass keys, summary first; Part is "summary" or "passkey". Size.Depth says where the pass keys stand; each has a value of its own. Mini
// puts the sentences of passkey into the sections of summ: the model knows both, though it never saw them together.
//
// Source: InfiniteBench (arXiv 2402.13718), passkey, for the wording of the needles, which there have no names.
// Differs from the reference: as Summary; pass keys have names, so that each question has one answer.
var SummaryWithNeedles = Task{
	Name:      "summarywithneedles",
	Paper:     "Mix.Sum+NIAH",
	Doc:       "Summarise one of several papers, or find a pass key that is hidden in them, by turns.",
	Skill:     MultiTask,
	Context:   instructed("Below are several papers, one after another, with pass keys hidden in them. You will be asked to summarise papers and to name pass keys.\n\n"),
	Query:     verbatim,
	Gold:      firstAnswer,
	MaxTokens: budgetSummaryNeedles,
	Score:     scoreSummaryNeedles,
	Build:     buildSummaryNeedles,
	Mini:      miniSummaryNeedles,
}

// The parts of SummaryWithNeedles.
const (
	partSummary = "summary"
	partPassKey = "passkey"
)

func budgetSummaryNeedles(t Turn) int {
	if t.Part == partPassKey {
		return 15
	}
	return 800
}

func scoreSummaryNeedles(answer string, t Turn) metric.Scores {
	if t.Part == partPassKey {
		return metric.FirstDigits(answer, t.Answers[0])
	}
	return metric.RougeLsum(answer, t.Answers[0])
}

func buildSummaryNeedles(r *rand.Rand, s Size) (Example, error) {
	turns := s.turns(8)
	summaries := (turns + 1) / 2
	return s.grow(1, publishedRemarks, func(n int) (Example, error) {
		keys, err := newPassKeys(r, max(5, turns/2), 5)
		if err != nil {
			return Example{}, err
		}
		p, err := newPapers(r, s, summaries, n, keys.sentences(passKeySentence))
		if err != nil {
			return Example{}, err
		}
		keys.at = p.needled
		return Example{
			Task: "summarywithneedles", Context: string(p.text),
			Turns: byTurns(partSummary, p.ask(summaries), partPassKey, keys.ask(r, turns/2, "What is the pass key of %s?")),
		}, nil
	})
}

func miniSummaryNeedles(r *rand.Rand, s Size) (Example, error) {
	turns := s.turns(8)
	k := s.sections(r, turns)
	return s.grow(k, 0, func(n int) (Example, error) {
		keys, err := newPassKeys(r, max(5, turns/2), 7)
		if err != nil {
			return Example{}, err
		}
		d, err := newDocument(r, s.Dials, k, n, keys.sentences(miniPassKeySentence))
		if err != nil {
			return Example{}, err
		}
		keys.at = d.needled
		titles, err := d.ask(r, (turns+1)/2)
		return Example{
			Task: "summarywithneedles", Profile: MiniProfile, Context: d.text.String(),
			Turns: byTurns(partSummary, titles, partPassKey, keys.ask(r, turns/2, miniPassKeyQuestion)),
		}, err
	})
}

// byTurns takes a turn of one part, one of the other and so on, and labels them. There are as many of the other, or one less.
func byTurns(part string, turns []Turn, otherPart string, others []Turn) []Turn {
	var out []Turn
	for i, t := range turns {
		t.Part = part
		out = append(out, t)
		if i < len(others) {
			others[i].Part = otherPart
			out = append(out, others[i])
		}
	}
	return out
}

// passKeys are names with a number each, all different.
type passKeys struct {
	names, numbers []string
	at             []Span // where their sentences stand
}

func newPassKeys(r *rand.Rand, n, digits int) (passKeys, error) {
	names, err := unique(r, n, twoWords)
	if err != nil {
		return passKeys{}, err
	}
	least := 1
	for range digits - 1 {
		least *= 10
	}
	numbers, err := unique(r, n, func(r *rand.Rand) string { return fmt.Sprint(least + r.IntN(9*least)) })
	return passKeys{names: names, numbers: numbers}, err
}

// sentences are the sentences that tell the numbers; form takes a name and a number.
func (p passKeys) sentences(form string) []string {
	out := make([]string, len(p.names))
	for i := range out {
		out[i] = fmt.Sprintf(form, p.names[i], p.numbers[i])
	}
	return out
}

// ask asks for that many of the numbers; form takes a name.
func (p passKeys) ask(r *rand.Rand, turns int, form string) []Turn {
	var out []Turn
	for _, i := range sample(r, len(p.names), turns) {
		out = append(out, Turn{Input: fmt.Sprintf(form, p.names[i]), Answers: []string{p.numbers[i]}, Evidence: p.at[i : i+1]})
	}
	return out
}

const (
	passKeySentence     = "The pass key of %[1]s is %[2]s. Remember it. %[2]s is the pass key of %[1]s."
	miniPassKeySentence = "The secret number of %s is %s."
	miniPassKeyQuestion = "What is the secret number of %s?"
)
