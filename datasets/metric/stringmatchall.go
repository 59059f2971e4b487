package metric

import (
	"regexp"
	"strings"
)

// StringMatchAll judges an answer that shall list all of golds, which are different. name matches what a listed thing looks like.
//
// Strict is the share of golds that stand anywhere in the answer, ignoring case, rounded to two decimals: 2 of 3 score 0.67. Things
// listed wrongly cost nothing, so an answer that lists everything scores 1.
//
// Fixed is the F1 of recall and of precision, not rounded: see MatchAll. 2 of 3 and nothing else score 0.8. Without golds both are 0.
//
// Source: RULER's string_match_all, the scorer of Retr.MultiHop.
// Same as the reference in Strict.
func StringMatchAll(answer string, golds []string, name *regexp.Regexp) Scores {
	if len(golds) == 0 {
		return Scores{}
	}
	text, found := lower(answer), 0
	for _, g := range golds {
		if strings.Contains(text, lower(g)) {
			found++
		}
	}
	hits, claimed := matches(answer, golds, name)
	return Scores{round2(float64(found) / float64(len(golds))), f1(hits, claimed, len(golds))}
}

// MatchAll tells how much of what the answer lists is right and how much of golds it lists. Listed are the golds that stand in the answer
// as whole words, ignoring case, and whatever else in it name matches, each thing once. An answer that lists nothing has precision 0.
//
// Source: ours; the published benchmark has recall alone.
func MatchAll(answer string, golds []string, name *regexp.Regexp) (precision, recall float64) {
	hits, claimed := matches(answer, golds, name)
	if hits == 0 {
		return 0, 0
	}
	return float64(hits) / float64(claimed), float64(hits) / float64(len(golds))
}

// matches counts the golds that the answer lists, and all that it lists.
func matches(answer string, golds []string, name *regexp.Regexp) (hits, claimed int) {
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(lower(answer), notInName) {
		words[w] = true
	}
	seen := map[string]bool{}
	for _, g := range golds {
		g = lower(g)
		seen[g] = true
		if words[g] {
			hits++
		}
	}
	claimed = hits
	for _, w := range name.FindAllString(answer, -1) {
		if w = lower(w); !seen[w] {
			seen[w] = true
			claimed++
		}
	}
	return hits, claimed
}

// notInName tells whether r ends a word: it is no ASCII letter or digit and no underscore.
func notInName(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_')
}
