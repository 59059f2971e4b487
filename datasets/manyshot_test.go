package datasets

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	shotForm  = regexp.MustCompile(`Question: (.*)\nOptions: (.*)\nAnswer:(?: ([A-D]))?`)
	optForm   = regexp.MustCompile(`\(([A-D])\) ([^(]*[^( ])`)
	thingForm = regexp.MustCompile(`The \w+ (\w+) was \w+ in \w+\.`)
	dayForm   = regexp.MustCompile(`^Which day comes (\d+) days? after (\w+)\?$`)
	rowForm   = regexp.MustCompile(`^The row is (.*)\. What is it after (.*)\?$`)
	saidForm  = regexp.MustCompile(`^What does (.*) mean\?$`)
)

// rulebook is what can be learnt from demonstrations that show one rule: word to meaning, day to next day, move to what it does.
type rulebook map[string]string

// read applies the rules to a question. With teach it first learns from the question's known answer, if that is about one rule.
func (b rulebook) read(text, teach string) string {
	learn := func(key, value string) {
		if old, ok := b[key]; ok && old != value {
			b["contradiction"] = fmt.Sprintf("%s is %s and %s", key, old, value)
		}
		b[key] = value
	}
	words := func(keys []string, joint string) string {
		if len(keys) == 1 && teach != "" {
			learn(keys[0], teach)
		}
		var out []string
		for _, k := range keys {
			out = append(out, b[k])
		}
		return strings.Join(out, joint)
	}
	if m := dayForm.FindStringSubmatch(text); m != nil {
		var n int
		_, _ = fmt.Sscan(m[1], &n)
		if n == 1 && teach != "" {
			learn(m[2], teach)
		}
		day := m[2]
		for range n {
			day = b[day]
		}
		return day
	}
	if m := rowForm.FindStringSubmatch(text); m != nil {
		row, moves := strings.Fields(m[1]), strings.Split(m[2], " and ")
		if len(moves) == 1 && teach != "" {
			var from []string
			for _, w := range strings.Fields(teach) {
				from = append(from, fmt.Sprint(slices.Index(row, w)))
			}
			learn(moves[0], strings.Join(from, " "))
		}
		for _, move := range moves {
			var next []string
			if b[move] == "" {
				return ""
			}
			for _, from := range strings.Fields(b[move]) {
				next = append(next, row[from[0]-'0'])
			}
			row = next
		}
		return strings.Join(row, " ")
	}
	if m := saidForm.FindStringSubmatch(text); m != nil {
		return words(strings.Fields(m[1]), " ")
	}
	var things []string
	for _, m := range thingForm.FindAllStringSubmatch(text, -1) {
		things = append(things, m[1])
	}
	return words(things, ", ")
}

// solveManyShot learns the rules, checks that all demonstrations follow them, and takes the only option that does.
func solveManyShot(context, question string) string {
	book := rulebook{}
	shots := shotForm.FindAllStringSubmatch(context, -1)
	for pass := range 2 {
		for _, m := range shots {
			right := ""
			for _, o := range optForm.FindAllStringSubmatch(m[2], -1) {
				if o[1] == m[3] {
					right = o[2]
				}
			}
			if got := book.read(m[1], right); pass == 1 && got != right {
				return fmt.Sprintf("%s: rules say %q, the demonstration %q", m[1], got, right)
			}
		}
	}
	if c := book["contradiction"]; c != "" {
		return c
	}
	m := shotForm.FindStringSubmatch(question)
	want, found := book.read(m[1], ""), ""
	for _, o := range optForm.FindAllStringSubmatch(m[2], -1) {
		if o[2] == want {
			found += o[1]
		}
	}
	return found
}

func solveManyShotMini(context, question string) string {
	noun := func(text string) string {
		for _, w := range regexp.MustCompile(`[a-z]+`).FindAllString(text, -1) {
			if slices.Contains(nouns, w) {
				return w
			}
		}
		return ""
	}
	want, label := noun(question), ""
	for _, m := range regexp.MustCompile(`Text: (.*)\nLabel: (.*)`).FindAllStringSubmatch(context, -1) {
		if noun(m[1]) != want {
			continue
		}
		if label != "" && label != m[2] {
			return "both " + label + " and " + m[2]
		}
		label = m[2]
	}
	return label
}

// TestManyShotGuess: right options stand in all places alike, and no question was demonstrated where it joins rules.
func TestManyShotGuess(t *testing.T) {
	places, kinds := map[string]int{}, map[string]bool{}
	const sessions = 100
	for seed := range uint64(sessions) {
		e := make1(t, maker{make: ManyShot.Build}, seed, Size{Tokens: 4096, Dials: Dials{Hops: int(seed % 4)}})
		for _, turn := range e.Turns {
			places[turn.Answers[0]]++
			kinds[strings.Join(strings.Fields(turn.Input)[1:2], " ")] = true
			question, _, _ := strings.Cut(turn.Input, "\n")
			if want := map[uint64]int{2: 2, 3: 3}[seed%4]; want > 0 && (len(turn.Evidence) != want || strings.Contains(e.Context, question+"\n")) {
				t.Errorf("%s: %d rules, demonstrated %t", question, len(turn.Evidence), strings.Contains(e.Context, question+"\n"))
			}
			if got := solveManyShot(e.Context, turn.Input); got != turn.Answers[0] {
				t.Errorf("%s: the demonstrations say %q, gold is %q", turn.Input, got, turn.Answers[0])
			}
		}
		if n := len(shotForm.FindAllString(e.Context, -1)); n < 60 {
			t.Errorf("%d demonstrations", n)
		}
	}
	for _, letter := range []string{"A", "B", "C", "D"} {
		if n := places[letter]; n < sessions*5/6 || n > sessions*5/3 {
			t.Errorf("%d of %d answers are %s", n, sessions*5, letter)
		}
	}
	if len(kinds) != 3 { // two kinds begin with "The"
		t.Errorf("kinds seen: %v", kinds)
	}
}

// TestManyShotHops: a question may join more rules than the smallest context has, but not more than there are.
func TestManyShotHops(t *testing.T) {
	for seed := range uint64(8) {
		e := make1(t, maker{make: ManyShot.Build}, seed, Size{Tokens: 32 << 10, Dials: Dials{Hops: 12}})
		for _, turn := range e.Turns {
			if got := solveManyShot(e.Context, turn.Input); got != turn.Answers[0] || len(turn.Evidence) != 12 {
				t.Errorf("%s: the demonstrations say %q, gold is %q", turn.Input, got, turn.Answers[0])
			}
		}
	}
	if _, err := ManyShot.Build(seeded(1), Size{Tokens: 32 << 10, Dials: Dials{Hops: 200}}); err == nil {
		t.Error("200 hops are no error")
	}
}

func TestManyShotScore(t *testing.T) {
	for _, c := range []struct {
		gold, answer  string
		strict, fixed float64
	}{
		{"A", "(B) Sad", 1, 0}, {"A", "A", 1, 1}, {"(A)", "The answer is (A).", 1, 1}, {"A", "", 0, 0},
		{"37", "37", 1, 1}, {"37", "137", 0, 0}, {"old", "Old.", 1, 1}, {"old", "bold", 0, 0}, {"old", "", 0, 0},
	} {
		if got := ManyShot.Score(c.answer, Turn{Answers: []string{c.gold}}); got.Strict != c.strict || got.Fixed != c.fixed {
			t.Errorf("gold %q, answer %q: %v", c.gold, c.answer, got)
		}
	}
}
