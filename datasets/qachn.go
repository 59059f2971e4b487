package datasets

import (
	"math/rand/v2"

	"scbench/datasets/metric"
)

// QAChn is Zh.QA: En.QA in Chinese, with longer books.
//
// Build writes a book as QAEng's, about 5.2 MB as the mean of the published ones, with five questions.
//
// Source: InfiniteBench (arXiv 2402.13718), longbook_qa_chn.
// Differs from the reference: as QAEng; strict is the published scorer, which compares with single characters of gold, so that even gold
// itself scores 2/(n+1); fixed compares with gold.
var QAChn = Task{
	Name:      "qachn",
	Paper:     "Zh.QA",
	Doc:       "Answer questions about a Chinese book that join up to three facts.",
	Skill:     SemanticRetrieval,
	Context:   instructed("下面是一本书。请用最简短的话回答有关它的问题。\n\n"),
	Query:     questionForm("问题：%s\n回答："),
	Gold:      firstAnswer,
	MaxTokens: atMost(40),
	Score:     func(answer string, t Turn) metric.Scores { return metric.CharF1(answer, t.Answers[0]) },
	Build:     buildQAChn,
}

func buildQAChn(r *rand.Rand, s Size) (Example, error) {
	return chinese.session(r, s, bookKind{task: "qachn", turns: 5, sentences: 104900})
}
