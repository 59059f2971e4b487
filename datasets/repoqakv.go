package datasets

import (
	"fmt"
	"math/rand/v2"

	"scbench/datasets/metric"
)

// RepoQAAndKV is Mix.RepoQA+KV: RepoQA and KV over one context, turn about. What a method kept for the one is not what the other needs.
//
// Build writes a repository as RepoQA's with a hundred pairs of UUIDs as comments between its functions; fewer where it is short of
// functions. Eight turns alternate between a description and a key; Turn.Part tells which. Mini is the reference model's repo with pairs of eight
// digits as comments between functions, and its questions for either; it was trained on both, and on no such mixture.
//
// Source: SCBench's own. Differs from the reference: as RepoQA; the published data does not say how its pairs are put between functions.
var RepoQAAndKV = Task{
	Name:    "repoqaandkv",
	Paper:   "Mix.RepoQA+KV",
	Doc:     "Repeat functions of a code repository by their descriptions, and look up keys that stand between them, turn about.",
	Skill:   MultiTask,
	Context: func(e Example) string { return e.Context }, // the questions bring their instruction
	Query:   verbatim,
	Gold:    firstAnswer,
	MaxTokens: func(t Turn) int {
		if t.Part == partKV {
			return 80
		}
		return 1024
	},
	Score: func(answer string, t Turn) metric.Scores {
		if t.Part == partKV {
			return metric.Substring(answer, t.Answers[0])
		}
		return scoreRepoQA(answer, t)
	},
	Build: buildRepoQAAndKV,
	Mini:  miniRepoQAAndKV,
}

// The parts of the mixture.
const (
	partRepoQA = "repoqa"
	partKV     = "kv"
)

// repoPairs is how many pairs a context has.
const repoPairs = 100

func buildRepoQAAndKV(r *rand.Rand, s Size) (Example, error) {
	turns := s.turns(8)
	pairs := turns / 2
	p := repository{dialect: dialects[r.IntN(len(dialects))], seed: r.Uint64(), size: s, asked: turns - pairs}
	p.pairs = repoPairs
	if s.Tokens > 0 { // a pair for every six hundred tokens, as in the published rows
		p.pairs = min(repoPairs, s.Tokens/600)
	}
	p.pairs = max(p.pairs, pairs)
	w, err := p.fit(repoFunctions)
	if err != nil {
		return Example{}, err
	}
	var values []Turn
	for _, k := range sample(r, len(w.keys), pairs) {
		values = append(values, Turn{Input: fmt.Sprintf("Key: \"%s\"\nThe value that stands behind this key in a comment of the code is: ", w.keys[k]),
			Answers: []string{w.values[k]}, Evidence: []Span{w.pairAt[k]}})
	}
	return Example{Task: "repoqaandkv", Context: w.text.String(), Turns: byTurns(partRepoQA, w.turns(), partKV, values)}, nil
}
