package metric

import "strings"

// FirstDigits judges whether the first number in the answer has exactly the digits of gold, as a pass key must.
//
// Strict takes the first run of ASCII digits, so "12,345" is 12. Fixed also reads groups of three digits with separators, as FirstNumber does.
// Signs are ignored and zeros in front count in both. An empty gold scores 1 in Strict if the answer has no digits, and 0 in Fixed.
//
// Source: InfiniteBench's passkey, the scorer of the needle part of Mix.Sum+NIAH.
// Same as the reference in Strict for golds that are strings; there, a gold read as an integer never matches.
func FirstDigits(answer, gold string) Scores {
	at := strings.IndexAny(answer, "0123456789")
	if at < 0 {
		return Scores{Strict: oneIf(gold == "")}
	}
	run, _ := leadingDigits(answer[at:])
	grouped, _ := groupedDigits(answer[at:])
	return Scores{oneIf(run == gold), oneIf(grouped == gold)}
}
