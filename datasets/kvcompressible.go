package datasets

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"scbench/datasets/metric"
)

// KVCompressible is Retr.KV in contexts that can be compressed more or less: pairs of identifiers among lines that all say the same. Its levels lead
// from Retr.KV, where nothing can be dropped, to the needle in a haystack, where nearly everything can. It is none of the paper's twelve tasks.
//
// Build draws a level for each session, which Part names: "level-0" has pairs alone, and of the bytes of "level-1" to "level-4" a half, a fifth, a
// twentieth and a hundredth are pairs (never fewer than are asked for). Size.Depth says where the pairs asked for stand.
//
// Differs from the reference: it names the task and scores it by level, but published neither rows nor a generator; format and levels are ours.
var KVCompressible = Task{
	Name:      "kvcompressible",
	Paper:     Extra,
	Doc:       "Look up the values of keys among lines that repeat, at five levels of compressibility.",
	Skill:     StringRetrieval,
	Context:   instructed("The passage below gives the values of keys. You will be asked for some of them.\n\n"),
	Query:     verbatim,
	Gold:      firstAnswer,
	MaxTokens: atMost(150),
	Score:     func(answer string, t Turn) metric.Scores { return metric.Substring(answer, t.Answers[0]) },
	Build:     buildKVCompressible,
}

// pairShares is the share of pairs in the bytes of each level.
var pairShares = []float64{1, 1. / 2, 1. / 5, 1. / 20, 1. / 100}

func buildKVCompressible(r *rand.Rand, s Size) (Example, error) {
	const (
		published = 5000                                       // lines, about 128,000 tokens
		pairBytes = len("The value of  is .\n") + 36 + 36      // of a pair's line
		ratio     = float64(len(vtNoise)) / float64(pairBytes) // as many pairs take the bytes of a line of noise
	)
	turns := s.turns(5)
	level := r.IntN(len(pairShares))
	return s.grow(s.least(turns), published, func(lines int) (Example, error) {
		share := pairShares[level]
		share = share * ratio / (share*ratio + 1 - share) // of the lines
		pairs := min(lines, max(turns, int(share*float64(lines)+0.5)))
		keys, err := unique(r, pairs, uuid4)
		if err != nil {
			return Example{}, err
		}
		key := make([]int, lines) // 1 + the pair that stands in this line
		asked := make([]int, turns)
		for i, at := range s.within(r, lines, turns, strata) {
			key[at], asked[i] = i+1, at
		}
		for i := turns; i < pairs; i++ {
			at := r.IntN(lines)
			for key[at] != 0 {
				at = (at + 1) % lines
			}
			key[at] = i + 1
		}
		return passage(r, level, keys, key, asked), nil
	})
}

// passage writes the pairs of keys in the lines that key says and noise in the others, and asks for those in the lines asked.
func passage(r *rand.Rand, level int, keys []string, key, asked []int) Example {
	vals := values(r, len(keys), uuid4)
	at := make([]Span, len(keys))
	var text strings.Builder
	for _, k := range key {
		if k == 0 {
			text.WriteString(vtNoise)
			continue
		}
		text.WriteString("The value of " + keys[k-1] + " is ")
		at[k-1] = Span{text.Len(), text.Len() + 36}
		text.WriteString(vals[k-1] + ".\n")
	}
	e := Example{Task: "kvcompressible", Context: strings.TrimSuffix(text.String(), "\n")}
	for _, line := range asked {
		k := key[line] - 1
		e.Turns = append(e.Turns, Turn{
			Input: "What is the value of " + keys[k] + "?", Answers: []string{vals[k]},
			Part: fmt.Sprintf("level-%d", level), Evidence: []Span{at[k]},
		})
	}
	return e
}
