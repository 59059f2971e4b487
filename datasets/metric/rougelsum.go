package metric

import (
	"slices"
	"strings"
)

// RougeLsum is the F-measure of ROUGE-L at the level of summaries. Both texts are lower-cased, cut into lines and those into runs of
// [a-z0-9]; for each line of gold the positions are united that a longest common subsequence with any line of the answer covers; their
// tokens count as hits while both texts have that token left. 0 if either text has no token.
//
// It takes time in proportion to the product of the two lengths, a 64th of it, and memory in proportion to the length of the answer and the square root
// of gold's.
//
// Source: google-research's rouge_score (rougeLsum, no stemmer), the scorer of En.Sum and of the summary part of Mix.Sum+NIAH.
// Same as the reference; Fixed is Strict.
func RougeLsum(answer, gold string) Scores {
	a, g := rougeLines(answer), rougeLines(gold)
	answered, wanted := counts(a), counts(g)
	m, n := len(slices.Concat(a...)), len(slices.Concat(g...))
	hits := 0
	for _, line := range g {
		for i, covered := range unionLCS(line, a) {
			if t := line[i]; covered && answered[t] > 0 && wanted[t] > 0 {
				answered[t]--
				wanted[t]--
				hits++
			}
		}
	}
	return both(f1(hits, m, n))
}

// rougeLines is the tokens of each line.
func rougeLines(s string) [][]string {
	var lines [][]string
	for line := range strings.SplitSeq(s, "\n") {
		if line != "" {
			lines = append(lines, strings.FieldsFunc(lower(line), func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9') }))
		}
	}
	return lines
}

func counts(lines [][]string) map[string]int {
	n := map[string]int{}
	for _, line := range lines {
		for _, t := range line {
			n[t]++
		}
	}
	return n
}

// unionLCS marks the tokens of gold that lie on the longest common subsequence with some line.
func unionLCS(gold []string, lines [][]string) []bool {
	covered := make([]bool, len(gold))
	for _, line := range lines {
		markLCS(covered, gold, line)
	}
	return covered
}
