package report

import (
	"fmt"
	"strconv"
)

// queries show single queries, with a diff of prediction and answer.
var queries = section{
	id: "queries", title: "Queries", script: true,
	lead: fmt.Sprintf("Single queries, the telling ones first: those that are right under full attention and wrong under the method (right: a fixed score of half or more), those the other way round, failed ones, then others. "+
		"At most %d, with %d MiB of texts, one of each mode, method and task in turn; texts are cut after %d characters, and characters that could hide or reorder others are named, as ⟨U+202E⟩. The rows of the run have them all.",
		maxQueries, maxTexts>>20, maxText),
	data:    func(r *Report) any { return r.queryData() },
	tables:  func(*Report) []Table { return nil },
	figures: func(*Report) []Figure { return nil },
}

// queryColumns are the chosen queries in columns; texts stand in a list of their own, once.
type queryColumns struct {
	Kinds  []string `json:"kinds"`
	Counts []int    `json:"counts"` // of all queries, by kind
	Texts  []string `json:"texts"`

	Mode       []int    `json:"b"`
	Task       []int    `json:"t"`
	Method     []int    `json:"m"`
	Kind       []kind   `json:"kind"`
	Turn       []int32  `json:"turn"`
	Fixed      []number `json:"fixed"`
	Strict     []number `json:"strict"`
	Full       []number `json:"full"` // below 0: not compared
	Prompt     []number `json:"prompt"`
	Kept       []number `json:"kept"`
	Bytes      []number `json:"bytes"`
	Status     []int    `json:"status"` // texts from here
	Example    []int    `json:"example"`
	Prediction []int    `json:"prediction"`
	Other      []int    `json:"other"`
	Answers    []int    `json:"answers"`
	Error      []int    `json:"error"`
}

func (r *Report) queryData() any {
	c := queryColumns{Kinds: kindNames, Counts: r.queries.counts}
	index := map[string]int{}
	entry := func(s string) int {
		i, ok := index[s]
		if !ok {
			i = len(c.Texts)
			index[s] = i
			c.Texts = append(c.Texts, s)
		}
		return i
	}
	for _, q := range r.queries.queries {
		c.Mode, c.Task, c.Method, c.Kind, c.Turn = append(c.Mode, q.at.mode), append(c.Task, q.at.task), append(c.Method, q.at.method), append(c.Kind, q.kind), append(c.Turn, q.turn)
		c.Fixed, c.Strict, c.Full = append(c.Fixed, number(q.fixed)), append(c.Strict, number(q.strict)), append(c.Full, number(q.full))
		c.Prompt, c.Kept, c.Bytes = append(c.Prompt, number(q.prompt)), append(c.Kept, number(q.kept)), append(c.Bytes, number(q.resident))
		c.Status, c.Example = append(c.Status, entry(string(q.status))), append(c.Example, entry(q.example))
		c.Prediction, c.Other = append(c.Prediction, entry(q.prediction)), append(c.Other, entry(q.other))
		c.Answers, c.Error = append(c.Answers, entry(q.answers)), append(c.Error, entry(q.error))
	}
	return c
}

// rowsText counts rows.
func rowsText(n int) string {
	if n == 1 {
		return "1 query"
	}
	return strconv.Itoa(n) + " queries"
}
