package metric

import "strings"

// ManyShot judges an answer to a multiple choice whose gold is an option's letter, such as "A" or "(A)".
//
// Strict is 1 if any character of gold stands anywhere in the answer in upper case, so that "(B) Sad" is right for A. Fixed is 1 if
// the answer names gold's letter: after "answer", in brackets, at its start, or alone.
//
// Source: the scorer of ICL.ManyShot.
// Same as the reference in Strict.
func ManyShot(answer, gold string) Scores {
	const last = "Z"
	want := optionLetter(gold, last)
	return Scores{Contained(answer, strings.Split(gold, "")), oneIf(want != "" && optionLetter(answer, last) == want)}
}
