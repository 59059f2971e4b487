package metric

import (
	"regexp"
	"strings"
)

// optionForms are the ways in which an answer names an option's letter, the clearest first. A letter in lower case, and an "A" or "I" that
// could be a word, must be followed by the end or by a mark.
var optionForms = []*regexp.Regexp{
	regexp.MustCompile(`(?i:answer|option|choice)(?i:\s+is)?\s*:?[\s*_"'(\[]*(?:([A-Z])(?:[^A-Za-z0-9]|$)|([a-z])(?:\s*$|[\n.:,)\]*_"']))`), // the answer is: B
	regexp.MustCompile(`\(([A-Z])\)|\(([a-z])\)`),                                         // Snowfield (B)
	regexp.MustCompile(`^[\s*_"'\[(]*(?:([A-Za-z])(?:\s*$|[\n.:,)\]*_"'])|([B-HJ-Z])\s)`), // **B**, b), B Snowfield
	regexp.MustCompile(`\b(?:([B-HJ-Z])\b|([AI])(?:\s*$|[\n.,)\]*_"']))`),                 // I think B
}

// optionLetter is the option, of those from A to last, that the answer names, in upper case, or "".
func optionLetter(answer, last string) string {
	for _, form := range optionForms {
		for _, m := range form.FindAllStringSubmatch(answer, -1) {
			if letter := strings.ToUpper(m[1] + m[2]); letter <= last {
				return letter
			}
		}
	}
	return ""
}
