package datasets

import (
	"fmt"
	"math/rand/v2"

	"scbench/datasets/metric"
)

// RepoQAAndKV is Mix.RepoQA+KV: RepoQA and KV over one context, turn about. What a method kept for the one is not what the other needs.
//
// Build writes a repository as RepoQA's with a hundred pairs of UUIDs as comments between its functions; fewer where it is short of
// functions. Eight turns alternate between a description and a key; Turn.Part tells which. There is no mini format: the reference model was
// trained on no such mixture.
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
	e := Example{Task: "repoqaandkv", Context: w.text.String()}
	code, keys := w.turns(), sample(r, len(w.keys), pairs)
	for i := range turns {
		if i%2 == 0 {
			code[i/2].Part = partRepoQA
			e.Turns = append(e.Turns, code[i/2])
			continue
		}
		k := keys[i/2]
		e.Turns = append(e.Turns, Turn{Input: fmt.Sprintf("Key: \"%s\"\nThe value that stands behind this key in a comment of the code is: ", w.keys[k]),
			Answers: []string{w.values[k]}, Part: partKV, Evidence: []Span{w.pairAt[k]}})
	}
	return e, nil
}
