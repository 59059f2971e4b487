package metric

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// scorers has every function that judges an answer, each by one gold answer. sure says that the gold itself as the answer has to score 1 under
// Fixed.
var scorers = []struct {
	name  string
	score func(answer, gold string) Scores
	sure  func(gold string) bool
}{
	{"BLEU", func(a, g string) Scores { return both(BLEU(a, g)) }, never}, // of a text of three words and itself it is 0.58
	{"CharF1", CharF1, never},
	{"Choice", func(a, g string) Scores { return Choice(a, []string{g, "zebra crossing", "B"}, 0) }, never},
	{"Contained", func(a, g string) Scores { return both(Contained(a, []string{"no such text", g})) }, always},
	{"FirstDigits", FirstDigits, regexp.MustCompile(`^[0-9]+$`).MatchString},
	{"FirstNumber", FirstNumber, regexp.MustCompile(`^-?[0-9]+$`).MatchString},
	{"Label", Label, regexp.MustCompile(`^[a-z]+$`).MatchString},
	{"ManyShot", ManyShot, regexp.MustCompile(`^[A-Z]$`).MatchString},
	{"RougeLsum", RougeLsum, func(g string) bool { return len(slices.Concat(rougeLines(g)...)) > 0 }},
	{"StringMatchAll", func(a, g string) Scores { return StringMatchAll(a, []string{g}, variable) }, variable.MatchString},
	{"MatchAll", func(a, g string) Scores { p, r := MatchAll(a, []string{g}, variable); return Scores{p, r} }, variable.MatchString},
	{"Substring", Substring, always},
	{"TokenF1", func(a, g string) Scores { return both(TokenF1(a, []string{g})) }, func(g string) bool { return len(squadWords(g)) > 0 }},
}

var variable = regexp.MustCompile(`^[A-Z]{5}$`)

func always(string) bool { return true }

func never(string) bool { return false }

// FuzzScorers wants scores from 0 to 1, whatever is answered and whatever is asked, and 1 for the gold answer.
func FuzzScorers(f *testing.F) {
	for _, s := range [][2]string{
		{"", ""}, {"the answer is (B)", "B"}, {"-1,234.50", "1234"}, {"ABCDE, FGHIJ", "ABCDE"}, {"他在北京。", "北京"}, {"a\nb\n\nc", "b a"},
		{"\xff\xfe", "\xff"}, {"```go\nfunc f() {}\n```", "func f() {}"}, {"İI\u0131\u212a", "k"}, {"٣٤ 𝟘", "34"},
	} {
		f.Add(s[0], s[1])
	}
	for _, part := range slow {
		f.Add(strings.Repeat(part, 20), part)
	}
	f.Fuzz(func(t *testing.T, answer, gold string) {
		for _, s := range scorers {
			for _, a := range []string{answer, gold, ""} {
				got := s.score(a, gold)
				for _, x := range []float64{got.Strict, got.Fixed} {
					if !(x >= 0 && x <= 1) { // not a number, too
						t.Errorf("%s of %q, gold %q: %v", s.name, a, gold, got)
					}
				}
				if a == gold && s.sure(gold) && got.Fixed < 1 {
					t.Errorf("%s of the gold answer %q: %v", s.name, gold, got)
				}
			}
		}
	})
}

// slow are what texts may be made of on which a scorer could take the square of their length.
var slow = []string{"a ", "a", " ", "\n", "9", "9,", "1,234", "-", "(A) ", "answer ", "answer is ", "ABCDE ", "的", "\u0301", "```\n", "```go\n", "\xff", "the ", "_", ".", "A", "İ", "{", "option "}

// BenchmarkScorersHostile shows each scorer's longest time a byte for answers of two lengths; linear means alike.
func BenchmarkScorersHostile(b *testing.B) {
	for _, s := range scorers {
		for _, n := range []int{1 << 16, 1 << 19} {
			b.Run(fmt.Sprintf("%s/%d", s.name, n), func(b *testing.B) {
				worst, slowest := 0.0, ""
				for b.Loop() {
					for _, part := range slow {
						start := time.Now()
						s.score(strings.Repeat(part, n/len(part)), "a b c")
						if ns := float64(time.Since(start).Nanoseconds()) / float64(n); ns > worst {
							worst, slowest = ns, part
						}
					}
				}
				b.ReportMetric(worst, "worst-ns/byte")
				b.Logf("%q", slowest)
			})
		}
	}
}
