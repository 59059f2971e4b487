// Package metric has the scoring functions of the benchmark, one file each: pure functions over strings.
//
// Every function takes the answer as the model gave it, already free of special tokens; whoever decodes removes them, for a scorer
// cannot know what they look like. None trims or lower-cases unless its doc says so. Each scores one query; means are made elsewhere.
package metric

// Version names what the functions compute. It is part of every result, and changes whenever any score of any answer does.
const Version = "1"

// Scores is the judgement of one answer, each in [0, 1]: Strict reproduces the published scorer bug for bug,
// Fixed does what it should have done.
type Scores struct{ Strict, Fixed float64 }

// both is a judgement on which the published scorer and a right one agree.
func both(score float64) Scores { return Scores{score, score} }

// oneIf is 1 if ok holds and else 0.
func oneIf(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

// f1 is the harmonic mean of hits/claimed and hits/wanted, 0 without hits.
func f1(hits, claimed, wanted int) float64 {
	if hits == 0 {
		return 0
	}
	p, r := float64(hits)/float64(claimed), float64(hits)/float64(wanted)
	return 2 * p * r / (p + r)
}
