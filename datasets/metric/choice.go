package metric

import (
	"slices"
	"strings"
)

// Choice judges an answer to a question with the four options A to D; right is the place of the right one, 0 to 3.
//
// Strict goes by the answer's first character if that is one of A to D ("A long time" is A), then by the whole answer being the option's
// text or letter, then by what follows the first of four phrases such as "answer is", then by its first word that is a piece of
// "ABCD". It knows neither "(B)" nor "**B**" nor "b".
//
// Fixed takes the option whose text is the whole answer but for case and marks around it, else the one whose letter the answer names
// (after "answer", in brackets, at its start, or alone), else the only one whose text it contains.
//
// Source: InfiniteBench's longbook_choice, the scorer of En.MultiChoice.
// Same as the reference in Strict.
func Choice(answer string, options []string, right int) Scores {
	gold := []string{options[right], "ABCD"[right : right+1]}
	return Scores{oneIf(strictChoice(strip(answer), gold)), oneIf(chosen(answer, options) == right)}
}

// strictChoice follows the published scorer step by step; gold is the option's text and its letter.
func strictChoice(answer string, gold []string) bool {
	if answer == "" {
		return false
	}
	if first := answer[:1]; strings.Contains("ABCD", first) {
		return slices.Contains(gold, first)
	}
	if slices.Contains(gold, answer) {
		return true
	}
	for _, mark := range []string{"\n", `"`, "'", ".", ",", "?", "!", "{", "}"} {
		answer = strings.ReplaceAll(answer, mark, " ")
	}
	for strings.Contains(answer, "  ") {
		answer = strings.ReplaceAll(answer, "  ", " ")
	}
	for _, phrase := range []string{"answer is:", "answer:", "answer is", "option is"} {
		if _, rest, ok := strings.Cut(answer, phrase); ok {
			rest := []rune(rest)
			return len(rest) > 0 && slices.ContainsFunc(gold, func(g string) bool { return strings.HasPrefix(string(rest[1:]), g) })
		}
	}
	for _, word := range fields(answer) {
		if strings.Contains("ABCD", word) {
			return slices.Contains(gold, word)
		}
	}
	return false
}

// chosen is the option that the answer chooses, or -1.
func chosen(answer string, options []string) int {
	const marks = " \t\r\n.,:;!?*_\"'()[]"
	whole := lower(strings.Trim(answer, marks))
	for i, o := range options {
		if whole != "" && whole == lower(strings.Trim(o, marks)) {
			return i
		}
	}
	if letter := optionLetter(answer, "D"); letter != "" {
		return strings.Index("ABCD", letter)
	}
	return onlyContained(lower(answer), options)
}

// onlyContained is the only option whose text stands in the answer, or -1. One that is part of another found there does not count:
// "Snowfield" is not "Snow".
func onlyContained(answer string, options []string) int {
	only, text := -1, ""
	for i, o := range options {
		o = lower(strip(o))
		switch {
		case o == "" || !strings.Contains(answer, o) || only >= 0 && strings.Contains(text, o):
		case only < 0 || strings.Contains(o, text):
			only, text = i, o
		default:
			return -1
		}
	}
	return only
}
