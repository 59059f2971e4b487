package metric

import (
	"math"
	"testing"
)

// vector is an answer, its gold and the scores it must have.
type vector struct {
	answer, gold  string
	strict, fixed float64
}

// check runs a scorer over its vectors. Scores may differ by half a unit of the sixth decimal, to which the vectors are given.
func check(t *testing.T, score func(answer, gold string) Scores, vectors []vector) {
	t.Helper()
	for _, v := range vectors {
		got := score(v.answer, v.gold)
		if !near(got.Strict, v.strict) || !near(got.Fixed, v.fixed) {
			t.Errorf("answer %q, gold %q: %v, want {%v %v}", v.answer, v.gold, got, v.strict, v.fixed)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 5e-7 }
