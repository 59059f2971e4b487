package stages

import (
	"math"
	"strings"
	"testing"

	"scbench/datasets"
)

func TestDepthOfEvidence(t *testing.T) {
	e := datasets.Example{Context: strings.Repeat("x", 200), Turns: []datasets.Turn{
		{Evidence: []datasets.Span{{Lo: 0, Hi: 20}}},
		{Evidence: []datasets.Span{{Lo: 0, Hi: 200}}},
		{Evidence: []datasets.Span{{Lo: 40, Hi: 60}, {Lo: 190, Hi: 200}}},
		{},
	}}
	for turn, want := range []float64{0.05, 0.5, (50 + 195) / 2.0 / 200} {
		if got := depth(e, turn); got == nil || math.Abs(*got-want) > 1e-12 {
			t.Errorf("turn %d: %v, want %g", turn+1, got, want)
		}
	}
	if got := depth(e, 3); got != nil {
		t.Errorf("evidence that is not known stands at %g", *got)
	}
	if got := depth(datasets.Example{Turns: e.Turns}, 0); got != nil {
		t.Errorf("evidence stands at %g of no context", *got)
	}
}

// TestDeflated wants text that repeats itself to score far below text that does not, and no number for no text.
func TestDeflated(t *testing.T) {
	var random strings.Builder
	x := uint64(1)
	for range 4096 {
		x = x*6364136223846793005 + 1442695040888963407
		random.WriteByte("0123456789abcdef"[x>>60])
	}
	hex, same := deflated(random.String()), deflated(strings.Repeat("The grass is green. ", 200))
	if *hex < 0.5 || *hex > 0.7 { // half a byte a digit at the least
		t.Errorf("random digits deflate to %g", *hex)
	}
	if *same > 0.05 {
		t.Errorf("a sentence 200 times deflates to %g", *same)
	}
	if deflated("") != nil {
		t.Error("no text has a number")
	}
}
