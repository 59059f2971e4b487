package datasets

import (
	"math/rand/v2"
	"strings"

	"scbench/datasets/metric"
)

// RepoQA is Code.RepoQA: repeat the one function of a repository that a description in words fits. The description names neither the function
// nor its variables, and others differ from the right one in one number, one comparison or one field.
//
// Build writes a repository in one of metric.Languages, drawn for each session: files of up to seven functions behind a comment with
// their path, in a small world of records and fields. Beside each function asked for stand three near-duplicates (Dials.Distractors; fewer where its file has no
// room), and Dials.Depth says in what part it stands. Descriptions have RepoQA's four parts. 700 functions come to the published length, about
// 65 thousand tokens. Mini is the reference model's repo, whose questions name the function.
//
// The options of a turn are the functions that an answer may be taken for, each as a right answer would put it, in a block with its
// language: those asked for in the session, or when imported of the repository in all files, then the near-duplicates, marked "other".
//
// Source: RepoQA (arXiv 2406.06025).
// Differs from the reference: the repositories are generated, or one's own (BuildRepos), and the wording is ours. Strict looks for the best
// match among all functions asked for in the dataset, where the reference has only those that were answered.
var RepoQA = Task{
	Name:      "repoqa",
	Paper:     "Code.RepoQA",
	Doc:       "Repeat the function of a code repository that a description in words fits.",
	Skill:     SemanticRetrieval,
	Context:   instructed("Below is the code of a repository. Find the functions that are described and repeat them exactly, each in a block between lines of ```.\n\n"),
	Query:     verbatim,
	Gold:      firstAnswer,
	MaxTokens: atMost(1024),
	Score:     scoreRepoQA,
	Build:     buildRepoQA,
	Mini:      miniRepoQA,
}

// otherMark stands behind the language of an option that no turn asks for.
const otherMark = " other"

// options are a pool as a turn has it.
func options(p metric.Pool) []string {
	var all []string
	for _, f := range p.Asked {
		all = append(all, "```"+p.Lang+"\n"+f+"\n```")
	}
	for _, f := range p.Others {
		all = append(all, "```"+p.Lang+otherMark+"\n"+f+"\n```")
	}
	return all
}

// poolOf is the pool that a turn's options tell; gold alone without any.
func poolOf(t Turn) metric.Pool {
	var p metric.Pool
	for _, o := range t.Options {
		first, code, _ := strings.Cut(o, "\n")
		lang, other := strings.CutSuffix(strings.TrimPrefix(first, "```"), otherMark)
		code = strings.TrimSuffix(code, "\n```")
		if p.Lang = lang; other {
			p.Others = append(p.Others, code)
		} else {
			p.Asked = append(p.Asked, code)
		}
	}
	if len(p.Asked) == 0 {
		p.Asked = t.Answers[:1]
	}
	return p
}

func scoreRepoQA(answer string, t Turn) metric.Scores {
	return metric.RepoQA(answer, t.Answers[0], poolOf(t))
}

// repoFunctions is how many functions come to the published length.
const repoFunctions = 700

func buildRepoQA(r *rand.Rand, s Size) (Example, error) {
	w, err := repository{dialect: dialects[r.IntN(len(dialects))], seed: r.Uint64(), size: s, asked: s.turns(5)}.fit(repoFunctions)
	if err != nil {
		return Example{}, err
	}
	return Example{Task: "repoqa", Context: w.text.String(), Turns: w.turns()}, nil
}

// turns asks for the needles, in an order that says nothing about their places.
func (w *repositoryWriter) turns() []Turn {
	pool := metric.Pool{Lang: w.name}
	for _, n := range w.needles {
		pool.Asked = append(pool.Asked, n.source)
		pool.Others = append(pool.Others, n.like...)
	}
	var all []Turn
	for _, n := range w.needles {
		all = append(all, codeTurn(n.describe(), n.source, pool, n.at))
	}
	return all
}

// codeTurn asks for the function that a description fits.
func codeTurn(description, source string, pool metric.Pool, at Span) Turn {
	input := "Description of a function:\n\n" + description + "\n\nRepeat the function that fits exactly as it stands in the code, in a block between lines of ```."
	return Turn{Input: input, Answers: []string{source}, Options: options(pool), Evidence: []Span{at}}
}
