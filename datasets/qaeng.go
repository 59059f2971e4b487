package datasets

import (
	"math/rand/v2"

	"scbench/datasets/metric"
)

// QAEng is En.QA: answer questions about a book, each in a few words. An answer may join facts that stand far apart, and others much like
// them stand between.
//
// Build writes a book of its own, about 847 kB as the mean of the published ones: chapters about people, their trades, towns, heirlooms and
// moves, the inns they keep and where they met. A question joins one to three facts (Dials.Hops), "Who was the owner of the inn where X met Y?";
// each has two others beside it (Dials.Distractors; fewer in a book too short for them) that tell the like of a namesake, or a rumour that
// is said to be false. Evidence has the sentence of each fact, in the order of reasoning. Mini is the reference model's qa.
//
// Source: InfiniteBench (arXiv 2402.13718), longbook_qa_eng.
// Differs from the reference: its books are novels with names replaced; these are generated, and no two hold the same facts. Instruction
// and wording are ours. Strict is the published scorer (is gold in the answer?), fixed the F1 of words.
var QAEng = Task{
	Name:      "qaeng",
	Paper:     "En.QA",
	Doc:       "Answer questions about an English book that join up to three facts.",
	Skill:     SemanticRetrieval,
	Context:   instructed("Below is a book. Answer the questions about it as briefly as you can.\n\n"),
	Query:     questionForm("Question: %s\nAnswer:"),
	Gold:      firstAnswer,
	MaxTokens: atMost(40),
	Score: func(answer string, t Turn) metric.Scores {
		return metric.Scores{Strict: metric.Contained(answer, t.Answers), Fixed: metric.TokenF1(answer, t.Answers)}
	},
	Build: buildQAEng,
	Mini:  miniQA,
}

func buildQAEng(r *rand.Rand, s Size) (Example, error) {
	return english.session(r, s, bookKind{task: "qaeng", turns: 5, sentences: 12900})
}
