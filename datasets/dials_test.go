package datasets

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestDialsString(t *testing.T) {
	for want, d := range map[string]Dials{
		"": {}, "hops=2": {Hops: 2}, "distractors=0": {Distractors: -1}, "distractors=3,depth=0.25-0.5": {Distractors: 3, Depth: [2]float64{0.25, 0.5}},
	} {
		if got := d.String(); got != want {
			t.Errorf("%+v is %q, want %q", d, got, want)
		}
	}
}

// TestDepth wants all evidence in the part of the context that was asked for, in both formats, and no other example without the dial.
func TestDepth(t *testing.T) {
	for _, task := range []Task{KV, PrefixSuffix, VT} {
		for kind, build := range map[string]func(*rand.Rand, Size) (Example, error){"published": task.Build, "mini": task.Mini} {
			if task.Name == "vt" && kind == "mini" {
				continue // its statements are scattered as the model was trained
			}
			for _, depth := range [][2]float64{{0, 0.2}, {0.45, 0.55}, {0.9, 1}} {
				e, err := build(rand.New(rand.NewPCG(1, 2)), Size{Tokens: 6000, Dials: Dials{Depth: depth}})
				if err != nil {
					t.Fatal(err)
				}
				for i, turn := range e.Turns {
					for _, s := range turn.Evidence {
						lo, hi := float64(s.Lo)/float64(len(e.Context)), float64(s.Hi)/float64(len(e.Context))
						if lo < depth[0]-0.03 || hi > depth[1]+0.03 {
							t.Errorf("%s %s, turn %d: evidence from %.3f to %.3f, want %v", task.Name, kind, i+1, lo, hi, depth)
						}
					}
				}
			}
		}
	}
}

// TestHopsAndDistractors counts what the dials of vt and prefixsuffix ask for.
func TestHopsAndDistractors(t *testing.T) {
	for _, c := range []struct{ hops, distractors, links, chains int }{{0, 0, 3, 5}, {1, 0, 2, 5}, {4, 0, 5, 5}, {0, 3, 3, 8}, {0, -1, 3, 2}} {
		e, err := VT.Build(rand.New(rand.NewPCG(1, 2)), Size{Tokens: 4000, Turns: 2, Dials: Dials{Hops: c.hops, Distractors: c.distractors}})
		if err != nil {
			t.Fatal(err)
		}
		for _, turn := range e.Turns {
			if len(turn.Answers) != c.links || len(turn.Evidence) != c.links {
				t.Errorf("%+v: %d answers, %d spans", c, len(turn.Answers), len(turn.Evidence))
			}
		}
		if n := strings.Count(e.Context, "VAR ") - c.chains*(c.links-1); n != c.links*c.chains {
			t.Errorf("%+v: %d statements, want %d", c, n, c.links*c.chains)
		}
	}
	for _, want := range []int{-1, 1, 6} {
		e, err := PrefixSuffix.Build(rand.New(rand.NewPCG(1, 2)), Size{Tokens: 4000, Turns: 1, Dials: Dials{Distractors: want}})
		if err != nil {
			t.Fatal(err)
		}
		prefix, suffix := decoysOf(e)
		if n := prefix + suffix; n != max(want, 0) {
			t.Errorf("%d distractors asked for, %d decoys of the prefix and %d of the suffix", want, prefix, suffix)
		}
	}
}

// decoysOf counts the strings that share just the prefix, and just the suffix, of the first question.
func decoysOf(e Example) (prefix, suffix int) {
	ask, ok := strings.CutPrefix(e.Turns[0].Input, "Prefix: ")
	a, rest, ok2 := strings.Cut(ask, "; Suffix: ")
	b, _, ok3 := strings.Cut(rest, ". The word")
	if !ok || !ok2 || !ok3 {
		panic("the question is worded otherwise")
	}
	for _, w := range strings.Split(e.Context, ", ") {
		switch p, s := strings.HasPrefix(w, a), strings.HasSuffix(w, b); {
		case p && !s:
			prefix++
		case s && !p:
			suffix++
		}
	}
	return prefix, suffix
}

// TestWithin draws k places for every number of places from the least on.
func TestWithin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, depth := range [][2]float64{{}, {0, 0.1}, {0.33, 0.4}, {0.4, 0.6}, {0.95, 1}} {
		d := Dials{Depth: depth}
		for k := 1; k < 9; k++ {
			for n := d.least(k); n < d.least(k)+60; n++ {
				for _, draw := range []func(*rand.Rand, int, int) []int{strata, sample} {
					seen := map[int]bool{}
					for _, at := range d.within(r, n, k, draw) {
						if at < 0 || at >= n || seen[at] {
							t.Fatalf("%v: %d of %d places: %d", depth, k, n, at)
						}
						seen[at] = true
					}
					if len(seen) != k {
						t.Fatalf("%v: %d places of %d, want %d", depth, len(seen), n, k)
					}
				}
			}
		}
	}
}
