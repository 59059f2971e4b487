// Package metric has the scoring functions of the benchmark, one file each: pure functions over strings.
package metric

// Scores is the judgement of one answer, each in [0, 1]: Strict reproduces the published scorer bug for bug,
// Fixed does what it should have done.
type Scores struct{ Strict, Fixed float64 }
