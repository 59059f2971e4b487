package datasets

import (
	"bytes"
	"compress/flate"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

var (
	passKeyName = regexp.MustCompile(`(?:pass key|secret number) of (\S+)\?`)
	passKeyIs   = regexp.MustCompile(`(?:pass key|secret number) of (\S+) is (\d+)\.`)
	valueIs     = regexp.MustCompile(`The value of (\S+) is (\S+)\.`)
	hashLine    = regexp.MustCompile(`(?m)^([A-Za-z]{16}) = ([A-Za-z]{16})$`)
	hashAsked   = regexp.MustCompile(`Start at ([A-Za-z]{16}) and go (?:once|(\d+) times)`)
)

// only is the second groups of those matches whose first is key; a right context has exactly one.
func only(form *regexp.Regexp, context, key string) string {
	var found []string
	for _, m := range form.FindAllStringSubmatch(context, -1) {
		if m[1] == key {
			found = append(found, m[2])
		}
	}
	return strings.Join(found, " OR ")
}

func solvePassKey(context, question string) string {
	return only(passKeyIs, context, passKeyName.FindStringSubmatch(question)[1])
}

func solveKVCompressible(context, question string) string {
	return only(valueIs, context, regexp.MustCompile(`value of (\S+)\?`).FindStringSubmatch(question)[1])
}

func solveHashHop(context, question string) string {
	m := hashAsked.FindStringSubmatch(question)
	at, n := m[1], 1
	if m[2] != "" {
		_, _ = fmt.Sscan(m[2], &n)
	}
	for range n {
		at = only(hashLine, context, at)
	}
	return at
}

// TestExtrasDepth: what is needed stands in the part of the context that Depth says.
func TestExtrasDepth(t *testing.T) {
	for _, task := range []Task{PassKey, KVCompressible, HashHop} {
		for _, depth := range [][2]float64{{0, 0.1}, {0.45, 0.55}, {0.9, 1}} {
			for seed := range uint64(5) {
				e := make1(t, maker{make: task.Build}, seed, Size{Tokens: 8 << 10, Dials: Dials{Depth: depth}})
				for _, turn := range e.Turns {
					for _, sp := range turn.Evidence {
						if at := float64(sp.Lo) / float64(len(e.Context)); at < depth[0]-0.03 || at > depth[1]+0.03 {
							t.Errorf("%s: evidence at %.3f, wanted from %g to %g", task.Name, at, depth[0], depth[1])
						}
					}
				}
			}
		}
	}
	for _, task := range []Task{PassKey, KVCompressible, HashHop, SummaryWithNeedles} {
		for _, d := range []Dials{{Depth: [2]float64{0.5, 0.2}}, {Hops: -1}, {Hops: 1 << 30}, {Distractors: 1 << 30}} {
			if _, err := task.Build(seeded(1), Size{Tokens: 4096, Dials: d}); err == nil {
				t.Errorf("%s: dials %v are no error", task.Name, d)
			}
		}
	}
}

func TestPassKeyDistractors(t *testing.T) {
	for others, want := range map[int]int{0: 10, 1: 10, 3: 20, -1: 5} {
		e := make1(t, maker{make: PassKey.Build}, 2, Size{Tokens: 4096, Dials: Dials{Distractors: others}})
		if n := len(passKeyIs.FindAllString(e.Context, -1)); n != want {
			t.Errorf("%d distractors: %d pass keys, want %d", others, n, want)
		}
	}
}

// TestKVCompressibleLevels: a session has one level, all levels come, and each higher one compresses better.
func TestKVCompressibleLevels(t *testing.T) {
	ratio := map[string]float64{}
	for seed := range uint64(40) {
		e := make1(t, maker{make: KVCompressible.Build}, seed, Size{Tokens: 32 << 10})
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, 6)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.Context)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for _, turn := range e.Turns {
			if turn.Part != e.Turns[0].Part {
				t.Errorf("parts %q and %q", turn.Part, e.Turns[0].Part)
			}
		}
		ratio[e.Turns[0].Part] = float64(len(e.Context)) / float64(b.Len())
	}
	last := 0.0
	for level := range 5 {
		got := ratio[fmt.Sprintf("level-%d", level)]
		if got < last*1.3 {
			t.Errorf("level %d compresses %.1f times, the one below %.1f", level, got, last)
		}
		last = got
	}
	if last < 20 {
		t.Errorf("the highest level compresses %.1f times", last)
	}
}

// TestHashHops: as many links as asked for, and the answer stands nowhere near the question's start.
func TestHashHops(t *testing.T) {
	for hops, want := range map[int]int{0: 2, 1: 1, 2: 2, 7: 7} {
		e := make1(t, maker{make: HashHop.Build}, 5, Size{Tokens: 8 << 10, Dials: Dials{Hops: hops}})
		for _, turn := range e.Turns {
			if len(turn.Evidence) != want || solveHashHop(e.Context, turn.Input) != turn.Answers[0] {
				t.Errorf("%d hops: %d lines, %s => %s", hops, len(turn.Evidence), turn.Input, solveHashHop(e.Context, turn.Input))
			}
		}
		lefts := map[string]bool{}
		for _, m := range hashLine.FindAllStringSubmatch(e.Context, -1) {
			if lefts[m[1]] {
				t.Errorf("%s is followed twice", m[1])
			}
			lefts[m[1]] = true
		}
	}
}
