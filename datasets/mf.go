package datasets

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"scbench/datasets/metric"
)

// MF is Math.Find: name an extreme of a long list of numbers. No single place holds the answer, so Evidence is the whole list.
//
// Build makes 30,000 integers and asks for the three largest and the three smallest, counted among distinct values. As in InfiniteBench the
// range is drawn anew for each list, its top from [800, 999] and its bottom from [0, 199], for else the answers could be guessed. The six
// questions are asked in random order, so that no turn is always the easy one. Mini has 4-digit numbers and asks for the largest and the
// smallest; with more than two turns for the second of each as well.
//
// Source: InfiniteBench (arXiv 2402.13718), math_find.
// Differs from the reference: the context has an instruction that names no question, where the reference has the question of the first turn
// (and, in later turns of a chat, that of the last); every turn states its own question before the published input.
var MF = Task{
	Name:      "mf",
	Paper:     "Math.Find",
	Doc:       "Name the largest, the smallest and their neighbours in a long list of numbers.",
	Skill:     GlobalInformation,
	Context:   instructed("Below is a list of numbers. Each question about it has one number as its answer.\n\n"),
	Query:     queryMF,
	Gold:      firstAnswer,
	MaxTokens: atMost(5),
	Score:     func(answer string, t Turn) metric.Scores { return metric.FirstNumber(answer, t.Answers[0]) },
	Build:     buildMF,
	Mini:      miniMF,
}

// queryMF puts the question that the input hints at before the input: "What is the largest number of the list?".
func queryMF(e Example, i int) string {
	input := e.Turns[i].Input
	question := asked(input)
	if e.Profile == MiniProfile || question == input {
		return input
	}
	return question + "\n\n" + input
}

// extreme is a question about a list: its name, and its place among the distinct values in order, from the end if negative.
type extreme struct {
	name string
	rank int
}

// extremes are the questions. The mini format knows the first four only.
var extremes = []extreme{
	{"largest", -1}, {"smallest", 0}, {"second largest", -2}, {"second smallest", 1}, {"third largest", -3}, {"third smallest", 2},
}

func buildMF(r *rand.Rand, s Size) (Example, error) {
	top := 800 + r.IntN(200)
	bottom := r.IntN(200)
	ask := slices.Clone(extremes)
	r.Shuffle(len(ask), func(i, j int) { ask[i], ask[j] = ask[j], ask[i] })
	ask = ask[:min(s.turns(6), 6)]
	return s.grow(6, 30000, func(n int) (Example, error) {
		return numberList(r, n, bottom, top, "", "You should answer with only one number, no other words. The %s number of the list is", ask)
	})
}

func miniMF(r *rand.Rand, s Size) (Example, error) {
	bottom := 1000 + r.IntN(8000)
	top := bottom + 499 + r.IntN(9500-bottom)
	ask := slices.Clone(extremes[:2])
	if s.Turns > 2 {
		ask = slices.Clone(extremes[:4])
	}
	r.Shuffle(len(ask), func(i, j int) { ask[i], ask[j] = ask[j], ask[i] })
	ask = ask[:min(s.turns(2), len(ask))]
	return s.grow(6, 0, func(n int) (Example, error) {
		e, err := numberList(r, n, bottom, top, "Look at the list of numbers.\n\n", "What is the %s number in the list?", ask)
		e.Profile = MiniProfile
		return e, err
	})
}

// numberList writes n numbers of [bottom, top] as Python does and asks the questions about them.
func numberList(r *rand.Rand, n, bottom, top int, intro, question string, ask []extreme) (Example, error) {
	numbers := make([]int, n)
	var distinct []int
	for range 100 {
		for i := range numbers {
			numbers[i] = bottom + r.IntN(top-bottom+1)
		}
		distinct = slices.Clone(numbers)
		slices.Sort(distinct)
		if distinct = slices.Compact(distinct); len(distinct) >= 6 {
			break
		}
	}
	if len(distinct) < 6 {
		return Example{}, errors.New("no list with six different numbers could be drawn")
	}
	list := strings.ReplaceAll(fmt.Sprint(numbers), " ", ", ")
	e := Example{Task: "mf", Context: intro + list}
	for _, x := range ask {
		gold := distinct[(x.rank+len(distinct))%len(distinct)]
		e.Turns = append(e.Turns, Turn{
			Input:    fmt.Sprintf(question, x.name),
			Answers:  []string{fmt.Sprint(gold)},
			Evidence: []Span{{len(intro), len(e.Context)}},
		})
	}
	return e, nil
}
