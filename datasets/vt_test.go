package datasets

import (
	"regexp"
	"strings"
	"testing"
)

var (
	statement = regexp.MustCompile(`VAR (\w+) = (?:VAR )?(\w+)`)
	fiveDigit = regexp.MustCompile(`\b[0-9]{5}\b`)
)

// solveVT executes the statements in order; one that refers to a variable not yet set sets nothing.
func solveVT(context, question string) string {
	want := fiveDigit.FindString(question)
	value := map[string]string{}
	var names []string
	for _, m := range statement.FindAllStringSubmatch(context, -1) {
		v := m[2]
		if !fiveDigit.MatchString(v) {
			v = value[v]
		}
		if value[m[1]] = v; v == want {
			names = append(names, m[1])
		}
	}
	return strings.Join(names, " ")
}

func TestVTPublished(t *testing.T) {
	e, err := VT.Build(seeded(1), Published)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(e.Context); n < 470_000 || n > 476_000 {
		t.Errorf("context of %d bytes, about 473,000 wanted", n)
	}
	if n := len(statement.FindAllString(e.Context, -1)); n != 15 {
		t.Errorf("%d statements, 5 chains of 3 wanted", n)
	}
	if !strings.HasPrefix(e.Context, vtIntro) || strings.Contains(e.Context, ". \n") || !strings.Contains(e.Context, "There and back again.\n The grass") {
		t.Errorf("context starts %.200q", e.Context)
	}
	for _, turn := range e.Turns {
		v := fiveDigit.FindString(turn.Input)
		if !strings.HasSuffix(turn.Input, "3 variables are assgined the value "+v+", they are: ") || len(turn.Answers) != 3 || len(turn.Evidence) != 3 {
			t.Errorf("turn %+v", turn)
		}
	}
}

// TestVTEvidence: span k is the statement that sets answer k, whole.
func TestVTEvidence(t *testing.T) {
	for _, m := range []maker{{make: VT.Build}, {make: VT.Mini}} {
		e := make1(t, m, 5, Size{Tokens: 4000})
		for _, turn := range e.Turns {
			for k, sp := range turn.Evidence {
				if got := e.Context[sp.Lo:sp.Hi]; !strings.HasPrefix(got, "VAR "+turn.Answers[k]+" = ") {
					t.Errorf("evidence %d of %v is %q", k, turn.Answers, got)
				}
			}
		}
	}
}

func TestVTMini(t *testing.T) {
	for _, c := range []struct{ tokens, turns, chains int }{{1024, 5, 20}, {300, 5, 10}, {4096, 30, 30}} {
		e, err := VT.Mini(seeded(2), Size{Tokens: c.tokens, Turns: c.turns})
		if err != nil {
			t.Fatal(err)
		}
		noun := map[string]bool{}
		for _, m := range statement.FindAllStringSubmatch(e.Context, -1) {
			noun[m[1][:len(m[1])-2]] = true
		}
		if len(noun) != 3*c.chains {
			t.Errorf("%d tokens, %d turns: %d different nouns, %d wanted", c.tokens, c.turns, len(noun), 3*c.chains)
		}
		if !strings.HasPrefix(e.Context, "The text below hides chains of variable assignments. Follow them.\n\n") {
			t.Errorf("context starts %.80q", e.Context)
		}
		if got, want := VT.Gold(e.Turns[0]), strings.Join(e.Turns[0].Answers, " "); got != want {
			t.Errorf("gold %q, want %q", got, want)
		}
	}
	if _, err := VT.Mini(seeded(2), Size{Tokens: 4096, Turns: 44}); err == nil {
		t.Error("44 turns need more nouns than there are, yet no error")
	}
}
