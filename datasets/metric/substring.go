package metric

import "strings"

// Substring is 1 if gold stands anywhere in the answer, letter for letter, and else 0. An empty gold stands in every answer.
//
// Source: the scorer of Retr.KV, Retr.Prefix-Suffix and the kv part of Mix.RepoQA+KV.
// Same as the reference; Fixed is Strict.
func Substring(answer, gold string) Scores { return both(oneIf(strings.Contains(answer, gold))) }
