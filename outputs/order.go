package outputs

import (
	"cmp"
	"slices"
	"strings"
)

// Order is the order of names in the plan; rows are stored by it: task, example, mode, history, method, turn.
// A name that a list lacks comes after those it has, by its bytes. Examples go by number where their ids are numbers,
// else by their bytes. So the order of rows is a function of their keys, however they came in.
type Order struct {
	Tasks     []string  `json:"tasks"`
	Modes     []Mode    `json:"modes"`
	Histories []History `json:"histories"`
	Methods   []string  `json:"methods"`
}

func (o Order) compare(a, b Key) int {
	return cmp.Or(
		byList(o.Tasks, a.Task, b.Task),
		byNumber(a.Example, b.Example),
		byList(o.Modes, a.Mode, b.Mode),
		byList(o.Histories, a.History, b.History),
		byList(o.Methods, a.Method, b.Method),
		cmp.Compare(a.Turn, b.Turn),
	)
}

func byList[S ~string](list []S, a, b S) int {
	return cmp.Or(cmp.Compare(rank(list, a), rank(list, b)), cmp.Compare(a, b))
}

func rank[S ~string](list []S, s S) int {
	if i := slices.Index(list, s); i >= 0 {
		return i
	}
	return len(list)
}

// byNumber compares decimal numbers of any length by value, and other ids by their bytes, numbers first.
func byNumber(a, b string) int {
	x, y := digits(a), digits(b)
	switch {
	case x && y:
		m, n := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(m), len(n)), cmp.Compare(m, n), cmp.Compare(a, b))
	case x != y:
		if x {
			return -1
		}
		return 1
	}
	return cmp.Compare(a, b)
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
