package datasets

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"scbench/datasets/metric"
)

// books are the tasks whose context is a generated book, and who can read it.
var books = []struct {
	task Task
	read language
}{{QAEng, readEnglish}, {QAChn, readChinese}, {ChoiceEng, readEnglish}}

func eachBook(t *testing.T, f func(t *testing.T, task Task, l language)) {
	for _, b := range books {
		t.Run(b.task.Name, func(t *testing.T) { f(t, b.task, b.read) })
	}
}

func buildBook(t testing.TB, task Task, seed uint64, s Size) Example {
	t.Helper()
	e, err := task.Build(seeded(seed), s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestBooksAreTrue reads books of the lengths that matter: every answer is the only one, no two claims contradict each other, and the
// length is right to 2 %, or to 20 tokens in short ones.
func TestBooksAreTrue(t *testing.T) {
	eachBook(t, func(t *testing.T, task Task, l language) {
		for _, c := range []struct {
			tokens int
			seeds  uint64
			count  func(string) int
		}{{600, 10, nil}, {1000, 20, func(text string) int { return len(text) / 2 }}, {1000, 20, nil}, {1000, 20, split}, {4 << 10, 10, nil}, {32 << 10, 2, split}, {128 << 10, 1, nil}} {
			for seed := range c.seeds {
				s := Size{Tokens: c.tokens, Count: c.count}
				e := buildBook(t, task, seed, s)
				if got := s.count(e.Context); abs(got-c.tokens)*50 > max(1000, c.tokens) {
					t.Errorf("%d tokens, not %d", got, c.tokens)
				}
				claims, _ := l.read(e.Context)
				consistent(t, claims)
				for _, turn := range e.Turns {
					if got := l.answer(claims, turn.Input); got != turn.Answers[0] {
						t.Errorf("seed %d, %d tokens: %s The book says %q, gold is %q", seed, c.tokens, turn.Input, got, turn.Answers[0])
					}
				}
			}
		}
	})
}

// consistent wants one value for all that a person has one of, one owner for an inn, one place for a meeting and one move a year.
func consistent(t *testing.T, claims []claim) {
	t.Helper()
	known := map[string]claim{}
	for _, c := range claims {
		key := c.what + " " + c.a
		switch c.what {
		case "owner":
			key = "owner " + c.v
		case "met":
			key = "met " + min(c.a, c.b) + " " + max(c.a, c.b)
		case "move":
			key = fmt.Sprint("move ", c.a, c.year)
		}
		old, ok := known[key]
		if known[key] = c; ok && (old.v != c.v || old.b != c.b && c.what == "teacher" || old.a != c.a && c.what == "owner") {
			t.Errorf("%+v contradicts %+v", c, old)
		}
	}
}

// TestBookEvidence takes evidence away: without any sentence of it there is no answer, or another; of those sentences alone it follows.
func TestBookEvidence(t *testing.T) {
	eachBook(t, func(t *testing.T, task Task, l language) {
		for seed := range uint64(12) {
			e := buildBook(t, task, seed, Size{Tokens: 3000, Turns: 6})
			hops := map[int]int{}
			for _, turn := range e.Turns {
				hops[len(turn.Evidence)]++
				var alone []string
				for _, sp := range turn.Evidence {
					sentence := e.Context[sp.Lo:sp.Hi]
					alone = append(alone, sentence)
					if strings.Count(e.Context, sentence) != 1 || l.sentence.FindString(sentence) != sentence {
						t.Errorf("evidence %q is not one sentence that stands once", sentence)
					}
					claims, _ := l.read(e.Context[:sp.Lo] + e.Context[sp.Hi:])
					if got := l.answer(claims, turn.Input); got == turn.Answers[0] {
						t.Errorf("%s %q follows without %q", turn.Input, got, sentence)
					}
				}
				claims, _ := l.read(strings.Join(alone, "\n"))
				if got := l.answer(claims, turn.Input); got != turn.Answers[0] {
					t.Errorf("%s From %q follows %q, not %q", turn.Input, alone, got, turn.Answers[0])
				}
			}
			if hops[1] != 2 || hops[2] != 2 || hops[3] != 2 {
				t.Errorf("six turns have these numbers of hops: %v", hops)
			}
		}
	})
}

// TestBookRumours checks that rumours deceive: with their denials struck out, some questions have two answers.
func TestBookRumours(t *testing.T) {
	eachBook(t, func(t *testing.T, task Task, l language) {
		fooled := 0
		for seed := range uint64(10) {
			e := buildBook(t, task, seed, Size{Tokens: 3000})
			said := e.Context
			for _, r := range english.rumours {
				said = strings.ReplaceAll(strings.ReplaceAll(said, r[0], ""), r[1], ".")
			}
			for _, r := range chinese.rumours {
				said = strings.ReplaceAll(strings.ReplaceAll(said, r[0], ""), r[1], "。")
			}
			claims, _ := l.read(said)
			for _, turn := range e.Turns {
				if got := l.answer(claims, turn.Input); strings.Contains(got, " or ") && strings.Contains(got, turn.Answers[0]) {
					fooled++
				}
			}
		}
		if fooled < 10 {
			t.Errorf("rumours give a second answer to %d questions only", fooled)
		}
	})
}

func TestBookHops(t *testing.T) {
	eachBook(t, func(t *testing.T, task Task, l language) {
		for hops := 1; hops < len(chains); hops++ {
			for seed := range uint64(6) {
				e := buildBook(t, task, seed, Size{Tokens: 4000, Dials: Dials{Hops: hops}})
				claims, _ := l.read(e.Context)
				for _, turn := range e.Turns {
					if len(turn.Evidence) != hops {
						t.Errorf("%d sentences of evidence, %d hops", len(turn.Evidence), hops)
					}
					if got := l.answer(claims, turn.Input); got != turn.Answers[0] {
						t.Errorf("%s The book says %q, gold is %q", turn.Input, got, turn.Answers[0])
					}
				}
			}
		}
	})
}

// TestBookDistractors counts the sentences of books that hold nothing but what the questions need.
func TestBookDistractors(t *testing.T) {
	for _, b := range []struct {
		t *tongue
		l language
	}{{&english, readEnglish}, {&chinese, readChinese}} {
		for _, d := range []int{-1, 1, 5, maxDistractors} {
			s := Size{Dials: Dials{Distractors: d}}
			w := &world{tongue: b.t, r: seeded(3), innWords: map[string][2]string{}, names: map[string]bool{}}
			e, questions, err := w.session(s, bookKind{turns: 20}, max(d, 0))
			if err != nil {
				t.Fatal(err)
			}
			e.Context = string(w.write(w.lay(questions, e.Turns, s.Dials, 0)))
			want, moves := 0, 0
			for i, q := range questions {
				want += len(e.Turns[i].Evidence) * (1 + max(d, 0))
				if q.needed[len(q.needed)-1].kind == factMove {
					moves += 2 // at most
				}
			}
			claims, rest := b.l.read(e.Context)
			got := len(claims)
			for _, s := range rest {
				if slices.ContainsFunc(b.l.rumours, func(p pattern) bool { return p.form.MatchString(s) }) {
					got++
				}
			}
			if got < want || got > want+moves {
				t.Errorf("%d distractors: %d sentences tell something, %d wanted and up to %d more for moves", d, got, want, moves)
			}
		}
	}
}

func TestBookDepth(t *testing.T) {
	eachBook(t, func(t *testing.T, task Task, _ language) {
		for _, depth := range [][2]float64{{0, 0.1}, {0.4, 0.6}, {0.9, 1}} {
			e := buildBook(t, task, 1, Size{Tokens: 16 << 10, Dials: Dials{Depth: depth}})
			for _, turn := range e.Turns {
				for _, sp := range turn.Evidence {
					if at := float64(sp.Lo) / float64(len(e.Context)); at < depth[0]-0.03 || at > depth[1]+0.03 {
						t.Errorf("evidence at %.3f, not within %v", at, depth)
					}
				}
			}
		}
		for _, d := range []Dials{{Hops: 5}, {Hops: -1}, {Distractors: maxDistractors + 1}, {Depth: [2]float64{0.5, 0.2}}, {Depth: [2]float64{0.5, 1.5}}} {
			if _, err := task.Build(seeded(1), Size{Tokens: 4000, Dials: d}); err == nil {
				t.Errorf("%+v: no error", d)
			}
		}
		if _, err := task.Build(seeded(1), Size{Tokens: 4 << 20, Turns: maxTurns}); err == nil {
			t.Error("there are names for all questions that may be asked at once; errNames cannot happen")
		}
	})
}

// TestChoiceOptions: four different options, in an order that says nothing, each told or rumoured in the book.
func TestChoiceOptions(t *testing.T) {
	var at [maxOptions]int
	for seed := range uint64(40) {
		for _, m := range []maker{{make: ChoiceEng.Build}, {make: ChoiceEng.Mini}} {
			e := make1(t, m, seed, Size{Tokens: 2000})
			for _, turn := range e.Turns {
				if len(slices.Compact(slices.Sorted(slices.Values(turn.Options)))) != maxOptions {
					t.Fatalf("options %q", turn.Options)
				}
				at[slices.Index(turn.Options, turn.Answers[0])]++
				for _, o := range turn.Options {
					if e.Profile == "" && !strings.Contains(e.Context, o) {
						t.Errorf("option %q is not in the book", o)
					}
				}
			}
		}
	}
	for i, n := range at {
		if n < 40 { // of 320; 80 expected
			t.Errorf("%s is right %d times of %v", letter(i), n, at)
		}
	}
}

func TestChoiceScore(t *testing.T) {
	turn := Turn{Input: "Where?", Answers: []string{"in the well"}, Options: []string{"under the stairs", "in the well", "in the hayloft", "behind the mirror"}}
	mini := turn
	mini.Input += optionLines(turn.Options)
	for _, c := range []struct {
		answer string
		want   metric.Scores
	}{
		{"B", metric.Scores{Strict: 1, Fixed: 1}}, {"(B)", metric.Scores{Fixed: 1}}, {"in the well", metric.Scores{Strict: 1, Fixed: 1}},
		{"A. under the stairs", metric.Scores{}}, {"C", metric.Scores{}}, {"in the well (B)", metric.Scores{Fixed: 1}},
	} {
		if got := ChoiceEng.Score(c.answer, turn); got != c.want {
			t.Errorf("%q scores %v, want %v", c.answer, got, c.want)
		}
	}
	if got := ChoiceEng.Gold(turn); got != "in the well" {
		t.Errorf("gold %q", got)
	}
	if got := ChoiceEng.Gold(mini); got != "in the well (B)" {
		t.Errorf("gold of the mini format %q", got)
	}
	want := "Question: Where?\nA. under the stairs\nB. in the well\nC. in the hayloft\nD. behind the mirror\n\nThe letter of the right option is"
	if got := ChoiceEng.Query(Example{Turns: []Turn{turn}}, 0); got != want {
		t.Errorf("query %q", got)
	}
	for _, bad := range []Turn{{Answers: []string{"x"}}, {Answers: []string{"x"}, Options: []string{"y"}}, {Answers: []string{"e"}, Options: []string{"a", "b", "c", "d", "e"}}} {
		if got := ChoiceEng.Score("A", bad); got != (metric.Scores{}) {
			t.Errorf("%+v scores %v", bad, got)
		}
	}
}

// TestQAScores: strict is the published scorer with its faults, fixed what is wanted.
func TestQAScores(t *testing.T) {
	en, zh := Turn{Answers: []string{"Hannah Upton"}}, Turn{Answers: []string{"红色的花"}}
	for _, c := range []struct {
		task   Task
		turn   Turn
		answer string
		want   metric.Scores
	}{
		{QAEng, en, "It was hannah upton.", metric.Scores{Strict: 1, Fixed: 2 * 0.5 / 1.5}},
		{QAEng, en, "Hannah", metric.Scores{Fixed: 2 * 0.5 / 1.5}},
		{QAChn, zh, "红色的花", metric.Scores{Strict: 0.4, Fixed: 1}},
		{QAChn, zh, "“红色的花。”", metric.Scores{Strict: 0.4, Fixed: 1}},
	} {
		if got := c.task.Score(c.answer, c.turn); abs(int(1e9*(got.Strict-c.want.Strict))) > 1 || abs(int(1e9*(got.Fixed-c.want.Fixed))) > 1 {
			t.Errorf("%s: %q scores %v, want %v", c.task.Name, c.answer, got, c.want)
		}
	}
}

// TestBookSizes: as long as the published ones on average.
func TestBookSizes(t *testing.T) {
	want := map[string]int{"qaeng": 58_359_967 / 69, "qachn": 180_437_341 / 35, "choiceeng": 46_482_955 / 58}
	for _, b := range books {
		if got := len(buildBook(t, b.task, 2, Published).Context); abs(got-want[b.task.Name])*20 > want[b.task.Name] {
			t.Errorf("%s: %d bytes, %d on average published", b.task.Name, got, want[b.task.Name])
		}
	}
}

func BenchmarkBook128K(b *testing.B) {
	for _, book := range books {
		b.Run(book.task.Name, func(b *testing.B) {
			for i := range b.N {
				b.SetBytes(int64(len(buildBook(b, book.task, uint64(i), Size{Tokens: 128 << 10}).Context)))
			}
		})
	}
}
