package metric

import "strings"

// Contained is 1 if any of golds stands in the answer, ignoring case and the white space around both, and else 0. Short golds, "no" or
// "5", are found by accident; TokenF1 is the better measure.
//
// Source: InfiniteBench's longdialogue_qa, which the published benchmark applies to En.QA.
// Same as the reference.
func Contained(answer string, golds []string) float64 {
	text := upper(strip(answer))
	for _, g := range golds {
		if strings.Contains(text, upper(strip(g))) {
			return 1
		}
	}
	return 0
}
