package metric

import (
	"regexp"
	"strings"
	"testing"
)

func TestStringMatchAll(t *testing.T) {
	name := regexp.MustCompile(`\b(?:[A-Z]{5}|[a-z]+[0-9]{2})\b`)
	split := func(answer, golds string) Scores { return StringMatchAll(answer, strings.Fields(golds), name) }
	check(t, split, []vector{
		{"ABCDE FGHIJ KLMNO", "ABCDE FGHIJ KLMNO", 1, 1},
		{"KLMNO, ABCDE and FGHIJ.", "ABCDE FGHIJ KLMNO", 1, 1},
		{"['ABCDE', 'FGHIJ', 'KLMNO']", "ABCDE FGHIJ KLMNO", 1, 1},
		{"VAR ABCDE, VAR FGHIJ", "ABCDE FGHIJ KLMNO", 0.67, 0.8},
		{"ABCDE", "ABCDE FGHIJ KLMNO", 0.33, 0.5},
		{"abcde fghij klmno", "ABCDE FGHIJ KLMNO", 1, 1},
		{"ABCDE ABCDE ABCDE", "ABCDE FGHIJ KLMNO", 0.33, 0.5},
		{"ABCDE FGHIJ KLMNO PQRST UVWXY ZZZZZ", "ABCDE FGHIJ KLMNO", 1, 2. / 3},
		{"ABCDE PQRST", "ABCDE FGHIJ KLMNO", 0.33, 0.4},
		{"XABCDEX", "ABCDE FGHIJ KLMNO", 0.33, 0}, // strict finds it inside another name
		{"PQRST", "ABCDE FGHIJ KLMNO", 0, 0},
		{"", "ABCDE FGHIJ KLMNO", 0, 0},
		{"otter37 fox12 bell45", "otter37 fox12 bell45", 1, 1},
		{"otter37 fox12 bell46", "otter37 fox12 bell45", 0.67, 2. / 3},
		{"a b c", "a b c d e f g h", 0.38, 6. / 11}, // 0.375 is a tie, and 8 is even
		{"a", "a b c d e f g h", 0.12, 2. / 9},      // 0.125 is a tie, and 2 is even
		{"anything", "", 0, 0},
	})
	precision, recall := MatchAll("ABCDE PQRST", []string{"ABCDE", "FGHIJ", "KLMNO"}, name)
	if !near(precision, 0.5) || !near(recall, 1./3) {
		t.Errorf("precision %v, recall %v", precision, recall)
	}
	if p, r := MatchAll("none", []string{"ABCDE"}, name); p != 0 || r != 0 {
		t.Errorf("precision %v, recall %v of nothing", p, r)
	}
}

// TestLower has cases in which Python's lower and a rune by rune mapping part ways.
func TestLower(t *testing.T) {
	for in, want := range map[string]string{"ΟΔΟΣ": "οδος", "İ": "i̇", "Kelvin \u212a": "kelvin k", "ABC": "abc"} {
		if got := lower(in); got != want {
			t.Errorf("lower(%q) = %q, want %q", in, got, want)
		}
	}
}
