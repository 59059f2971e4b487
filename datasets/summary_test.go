package datasets

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"scbench/datasets/metric"
)

var findingForm = regexp.MustCompile(`(?:We show that|Our main finding is that|We conclude that|Our central result is that|This paper establishes that) ([^.]*\.)`)

// solveSummary finds the one paper of that title and puts together what it finds.
func solveSummary(context, question string) string {
	title := quoted.FindStringSubmatch(question)[1]
	var found []string
	for _, paper := range strings.Split(context, "\n\n\n") {
		if i := strings.Index(paper, "Title: "+title+"\n"); i < 0 {
			continue
		}
		var says []string
		for _, m := range findingForm.FindAllStringSubmatch(paper, -1) {
			says = append(says, strings.ToUpper(m[1][:1])+m[1][1:])
		}
		found = append(found, strings.Join(says, " "))
	}
	return strings.Join(found, " OR ")
}

var (
	sectionForm = regexp.MustCompile(`(?m)^Section (\d+): (.*)$`)
	fromTo      = regexp.MustCompile(`sections? (\d+)(?: to (\d+))?`)
)

func solveSections(context, question string) string {
	var lo, hi int
	m := fromTo.FindStringSubmatch(question)
	_, _ = fmt.Sscan(m[1], &lo)
	if _, err := fmt.Sscan(m[2], &hi); err != nil {
		hi = lo
	}
	var lines []string
	for _, s := range sectionForm.FindAllStringSubmatch(context, -1) {
		var n int
		_, _ = fmt.Sscan(s[1], &n)
		switch {
		case m[2] == "" && n == lo:
			lines = append(lines, s[2])
		case m[2] != "" && lo <= n && n <= hi:
			lines = append(lines, s[1]+". "+s[2])
		}
	}
	return strings.Join(lines, "\n")
}

func solveSummaryNeedles(context, question string) string {
	switch {
	case passKeyName.MatchString(question):
		return solvePassKey(context, question)
	case strings.Contains(question, "section"):
		return solveSections(context, question)
	}
	return solveSummary(context, question)
}

// TestSummaryPapers: papers, sections and findings as the doc promises; findings of others do not enter the summary.
func TestSummaryPapers(t *testing.T) {
	foreign := regexp.MustCompile(`Earlier work claims that|It was long believed that|Others have argued that|A competing report states that`)
	for _, c := range []struct {
		size                   Size
		papers, own, foreignes int
	}{
		{Published, 8, 5, 5}, {Size{Tokens: 128 << 10}, 8, 5, 5}, {Size{Tokens: 1000, Turns: 3}, 3, 3, 1}, {Size{Tokens: 4 << 10, Turns: 2}, 6, 3, 1},
		{Size{Tokens: 32 << 10, Dials: Dials{Distractors: 3}}, 8, 5, 15}, {Size{Tokens: 32 << 10, Dials: Dials{Distractors: -1}}, 8, 5, 0},
	} {
		e := make1(t, maker{make: Summary.Build}, 11, c.size)
		papers := strings.Split(e.Context, "\n\n\n")
		if len(papers) != c.papers || len(foreign.FindAllString(e.Context, -1)) != c.papers*c.foreignes {
			t.Errorf("%d tokens: %d papers, %d findings of others", c.size.Tokens, len(papers), len(foreign.FindAllString(e.Context, -1)))
		}
		for _, paper := range papers {
			if n := strings.Count(paper, "\n\n"); len(paper) > 8000 && n != 6 {
				t.Errorf("%.60s: %d sections", paper, n)
			}
		}
		for _, turn := range e.Turns {
			if len(turn.Evidence) != c.own || strings.Count(turn.Answers[0], ".") != c.own || split(turn.Answers[0]) > 190 {
				t.Errorf("summary %q with %d findings", turn.Answers[0], len(turn.Evidence))
			}
			for _, sp := range turn.Evidence {
				if strings.Count(e.Context, e.Context[sp.Lo:sp.Hi]) != 1 {
					t.Errorf("%q stands there twice", e.Context[sp.Lo:sp.Hi])
				}
			}
		}
	}
}

// TestPublishedBytes: rows as long as the published ones on average, as far as the specification derives these from the files.
func TestPublishedBytes(t *testing.T) {
	const rows = 12
	for want, task := range map[int]Task{4_734_315 / 54: ManyShot, 28_622_955 / 70: Summary, 28_629_718 / 70: SummaryWithNeedles} {
		for seed := range uint64(rows) {
			e, got := make1(t, maker{make: task.Build}, seed, Published), 0
			for _, turn := range e.Turns {
				got += len(turn.Input) + len(turn.Answers[0])
			}
			if got += len(e.Context); abs(got-want)*20 > want {
				t.Errorf("%s: a row of %d bytes, %d on average published", task.Name, got, want)
			}
		}
	}
}

// TestSummaryNeedlesParts: summaries and pass keys by turns, with budgets and scorers of their own, and pass keys where Depth says.
func TestSummaryNeedlesParts(t *testing.T) {
	for _, make := range []maker{{make: SummaryWithNeedles.Build}, {make: SummaryWithNeedles.Mini}} {
		e := make1(t, make, 3, Size{Tokens: 32 << 10, Dials: Dials{Depth: [2]float64{0.4, 0.6}}})
		if len(e.Turns) != 8 {
			t.Fatalf("%d turns", len(e.Turns))
		}
		for i, turn := range e.Turns {
			part, budget := []string{"summary", "passkey"}[i%2], []int{800, 15}[i%2]
			if turn.Part != part || SummaryWithNeedles.MaxTokens(turn) != budget {
				t.Errorf("turn %d is of part %q and has %d tokens", i, turn.Part, SummaryWithNeedles.MaxTokens(turn))
			}
			if turn.Part == "passkey" {
				if at := float64(turn.Evidence[0].Lo) / float64(len(e.Context)); at < 0.37 || at > 0.63 {
					t.Errorf("a pass key stands at %.2f of the context", at)
				}
			}
		}
	}
	for _, c := range []struct {
		part, answer, gold string
		want               metric.Scores
	}{
		{"passkey", "It is 71432.", "71432", metric.Scores{Strict: 1, Fixed: 1}},
		{"passkey", "71,432", "71432", metric.Scores{Strict: 0, Fixed: 1}},
		{"passkey", "714321", "71432", metric.Scores{}},
		{"summary", "a b c\nd e f", "d e f\na b c", metric.Scores{Strict: 1, Fixed: 1}},
		{"summary", "71432", "d e f", metric.Scores{}},
	} {
		if got := SummaryWithNeedles.Score(c.answer, Turn{Part: c.part, Answers: []string{c.gold}}); got != c.want {
			t.Errorf("%s: %q scores %v", c.part, c.answer, got)
		}
	}
}
