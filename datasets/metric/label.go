package metric

import "strings"

// Label is 1 if the first word of the answer is gold, ignoring case and marks around it, and else 0. Words are cut at white space. An empty
// gold scores 0.
//
// Source: ours; the published benchmark has no labels that are words.
func Label(answer, gold string) Scores {
	const marks = ".,:;!?*_\"'`()[]"
	word := ""
	if words := fields(answer); len(words) > 0 {
		word = lower(strings.Trim(words[0], marks))
	}
	return both(oneIf(word != "" && word == lower(strip(gold))))
}
