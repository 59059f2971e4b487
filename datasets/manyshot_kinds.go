package datasets

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// shotKinds are the kinds of secrets that ManyShot draws from: how many rules a context shows at least and at most, how many a question joins, and
// how many demonstrations are as long as a published row.
var shotKinds = []struct {
	least, most, join, published int
	secret                       func(r *rand.Rand, rules int) secret
}{
	{8, 120, 1, 810, groups},
	{8, 100, 2, 770, gibberish},
	{7, 31, 2, 715, calendar},
	{6, 60, 2, 480, rows},
}

// groups sorts things into six groups with arbitrary names. Rule: one thing's group. Joined: the groups of several things in order.
func groups(r *rand.Rand, rules int) secret {
	names := some(r, adjectives, 6)
	of := make([]string, rules)
	for i := range of {
		of[i] = names[r.IntN(len(names))]
	}
	l := lexicon{words: some(r, nouns, rules), means: of, joint: ", ", other: func(r *rand.Rand) string { return pick(r, names) }}
	l.text = func(r *rand.Rand, words []string) string {
		said := make([]string, len(words))
		for i, w := range words {
			said[i] = "The " + pick(r, anyOf) + " " + w + " was " + pick(r, lexicons['v']) + " in " + pick(r, cities) + "."
		}
		return strings.Join(said, " ")
	}
	return l.secret()
}

// anyOf are words before a noun that are no group's name.
var anyOf = strings.Fields("first second third other same last next new")

// gibberish translates invented words. Rule: one word's meaning. Joined: a phrase, word by word.
func gibberish(r *rand.Rand, rules int) secret {
	words, seen := make([]string, 0, rules), map[string]bool{}
	for len(words) < rules {
		if w := invented(r); !seen[w] {
			seen[w] = true
			words = append(words, w)
		}
	}
	means := some(r, nouns, rules)
	l := lexicon{words: words, means: means, joint: " ", other: func(r *rand.Rand) string { return pick(r, means) }}
	l.text = func(_ *rand.Rand, words []string) string { return "What does " + strings.Join(words, " ") + " mean?" }
	return l.secret()
}

// lexicon gives words a meaning each; a question's answer is the meanings of its words with joint between them.
type lexicon struct {
	words, means []string
	joint        string
	text         func(r *rand.Rand, words []string) string
	other        func(r *rand.Rand) string // any meaning
}

func (l lexicon) secret() secret {
	return secret{len(l.words), func(r *rand.Rand, n int, rules ...int) shot {
		for len(rules) < n {
			if k := r.IntN(len(l.words)); !slices.Contains(rules, k) {
				rules = append(rules, k)
			}
		}
		words, means := make([]string, n), make([]string, n)
		for i, k := range rules {
			words[i], means[i] = l.words[k], l.means[k]
		}
		return shuffled(r, l.text(r, words), strings.Join(means, l.joint), rules, func() string {
			i := r.IntN(n) // a wrong option is right but for one word
			kept := means[i]
			means[i] = l.other(r)
			defer func() { means[i] = kept }()
			return strings.Join(means, l.joint)
		})
	}}
}

// calendar has a week of invented days. Rule: the day after one day. Joined: the day some days later.
func calendar(r *rand.Rand, rules int) secret {
	days := some(r, nouns, rules)
	for i, d := range days {
		days[i] = strings.ToUpper(d[:1]) + d[1:] + "day"
	}
	return secret{rules, func(r *rand.Rand, n int, first ...int) shot {
		from := r.IntN(rules)
		if len(first) > 0 {
			from = first[0]
		}
		needed := make([]int, n)
		for i := range needed {
			needed[i] = (from + i) % rules
		}
		unit := "days"
		if n == 1 {
			unit = "day"
		}
		return shuffled(r, fmt.Sprintf("Which day comes %d %s after %s?", n, unit, days[from]), days[(from+n)%rules], needed, func() string { return pick(r, days) })
	}}
}

// orders are the ways to put three things in another order: place i gets what stood at place orders[k][i].
var orders = [5][3]int{{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}

// rows moves three things in a row by invented moves. Rule: what one move does. Joined: several moves, one after the other.
func rows(r *rand.Rand, rules int) secret {
	moves, seen := make([]string, 0, rules), map[string]bool{}
	for len(moves) < rules {
		if w := invented(r); !seen[w] {
			seen[w] = true
			moves = append(moves, w)
		}
	}
	does := make([][3]int, rules)
	for i := range does {
		does[i] = orders[r.IntN(len(orders))]
	}
	return secret{rules, func(r *rand.Rand, n int, needed ...int) shot {
		for len(needed) < n {
			if k := r.IntN(rules); !slices.Contains(needed, k) {
				needed = append(needed, k)
			}
		}
		row := some(r, nouns, 3)
		said, now := make([]string, n), row
		for i, k := range needed {
			said[i] = moves[k]
			now = []string{now[does[k][0]], now[does[k][1]], now[does[k][2]]}
		}
		text := "The row is " + strings.Join(row, " ") + ". What is it after " + strings.Join(said, " and ") + "?"
		return shuffled(r, text, strings.Join(now, " "), needed, func() string {
			p := r.Perm(3)
			return row[p[0]] + " " + row[p[1]] + " " + row[p[2]]
		})
	}}
}

// some draws n different words of a list.
func some(r *rand.Rand, words []string, n int) []string {
	out := make([]string, 0, n)
	for len(out) < n {
		if w := pick(r, words); !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// invented is a word of no language, "mibo".
func invented(r *rand.Rand) string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	return string([]byte{consonants[r.IntN(14)], vowels[r.IntN(5)], consonants[r.IntN(14)], vowels[r.IntN(5)]})
}
