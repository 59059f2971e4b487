package datasets

import (
	"math/rand/v2"

	"scbench/datasets/metric"
)

// Summary is En.Sum: several papers one after another, and of each asked for what it finds. The answer is spread over one paper and hidden
// among what others have found.
//
// Build writes eight papers (as many as questions, if those are more; fewer in short contexts) of sections full of remarks. Each states from three to five
// findings as its own ("We show that …") and Size.Distractors as many of others ("Earlier work claims that …"; usually one for each).
// The reference summary is the paper's own findings, in their order, and Evidence is where they stand. The published rows have 409 kB.
// Mini is summ: the titles of one or several sections of a document.
//
// Differs from the reference: its papers are from arXiv and its summaries written by GPT-4, so those may be phrased in many ways; here the
// findings stand in the paper word for word. In chats the reference begins later answers with "This paper".
var Summary = Task{
	Name:      "summary",
	Paper:     "En.Sum",
	Doc:       "Summarise one of several papers: its findings, and not those that it ascribes to others.",
	Skill:     GlobalInformation,
	Context:   instructed("Below are several papers, one after another. You will be asked to summarise them one by one.\n\n"),
	Query:     verbatim,
	Gold:      firstAnswer,
	MaxTokens: atMost(200),
	Score:     func(answer string, t Turn) metric.Scores { return metric.RougeLsum(answer, t.Answers[0]) },
	Build:     buildSummary,
	Mini:      miniSummary,
}

func buildSummary(r *rand.Rand, s Size) (Example, error) {
	turns := s.turns(5)
	return s.grow(1, publishedRemarks, func(n int) (Example, error) {
		p, err := newPapers(r, s, turns, n, nil)
		if err != nil {
			return Example{}, err
		}
		return Example{Task: "summary", Context: string(p.text), Turns: p.ask(turns)}, nil
	})
}

func miniSummary(r *rand.Rand, s Size) (Example, error) {
	turns := s.turns(5)
	k := s.sections(r, turns)
	return s.grow(k, 0, func(n int) (Example, error) {
		d, err := newDocument(r, s.Dials, k, n, nil)
		if err != nil {
			return Example{}, err
		}
		asked, err := d.ask(r, turns)
		return Example{Task: "summary", Profile: MiniProfile, Context: d.text.String(), Turns: asked}, err
	})
}
