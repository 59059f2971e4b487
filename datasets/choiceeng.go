package datasets

import (
	"math/rand/v2"
	"slices"
	"strings"

	"scbench/datasets/metric"
)

// ChoiceEng is En.MultiChoice: choose the one of four answers that a book gives. The wrong ones are of the same kind and stand in the book too.
//
// Build writes a book as QAEng's, with four questions. Wrong options are what the facts beside the last one tell: of a namesake, of another
// time, or in a rumour that is said to be false. Gold in a history is the option's text, as published. Mini is the reference model's mc, whose
// questions list their options and whose answers are the text and the letter, "kitchen (C)"; that model knows the text and guesses
// the letter.
//
// Source: InfiniteBench (arXiv 2402.13718), longbook_choice_eng.
// Differs from the reference: books and wording as QAEng; later turns are worded as the first. Scoring is the same under strict.
var ChoiceEng = Task{
	Name:      "choiceeng",
	Paper:     "En.MultiChoice",
	Doc:       "Choose the right one of four answers about an English book.",
	Skill:     SemanticRetrieval,
	Context:   instructed("Below is a book. Each question about it has four options, of which one is right.\n\n"),
	Query:     queryChoice,
	Gold:      goldChoice,
	MaxTokens: atMost(40),
	Score:     scoreChoice,
	Build:     buildChoiceEng,
	Mini:      miniChoice,
}

func queryChoice(e Example, i int) string {
	t := e.Turns[i]
	if e.Profile == MiniProfile {
		return t.Input
	}
	return "Question: " + t.Input + optionLines(t.Options) + "\n\nThe letter of the right option is"
}

// optionLines are the options with their letters, each on a new line.
func optionLines(options []string) string {
	var lines strings.Builder
	for i, o := range options {
		lines.WriteString("\n" + letter(i) + ". " + o)
	}
	return lines.String()
}

func letter(option int) string { return string(rune('A' + option)) }

// goldChoice is the option's text; where the input lists the options, as in the mini format, with its letter.
func goldChoice(t Turn) string {
	gold := t.Answers[0]
	if strings.HasSuffix(t.Input, optionLines(t.Options)) {
		gold += " (" + letter(slices.Index(t.Options, gold)) + ")"
	}
	return gold
}

// scoreChoice is 0 where none of four options is the answer, which no builder and no import leaves so.
func scoreChoice(answer string, t Turn) metric.Scores {
	right := slices.Index(t.Options, t.Answers[0])
	if right < 0 || right >= maxOptions {
		return metric.Scores{}
	}
	return metric.Choice(answer, t.Options, right)
}

// maxOptions is how many options a question may have: A to D.
const maxOptions = 4

func buildChoiceEng(r *rand.Rand, s Size) (Example, error) {
	return english.session(r, s, bookKind{task: "choiceeng", turns: 4, options: maxOptions, sentences: 12200})
}

// optionsOf are right and three of wrong, in random order.
func optionsOf(r *rand.Rand, right string, wrong []string) []string {
	options := []string{right}
	for _, i := range sample(r, len(wrong), maxOptions-1) {
		options = append(options, wrong[i])
	}
	r.Shuffle(len(options), func(i, j int) { options[i], options[j] = options[j], options[i] })
	return options
}
