package report

import (
	"slices"

	"scbench/outputs"
	"scbench/outputs/plain"
)

// What the page shows of single queries: so many at most, and so many bytes of their texts, each cut to a length.
const (
	maxQueries = 4000
	maxTexts   = 2 << 20
	maxText    = 600 // characters
	perCell    = 200 // of a kind and cell that are kept until all are known
)

// kind says why a query is worth a look; lower ones come first.
type kind int

// All kinds. Right is a fixed score of half or more; what is lost or gained is compared with full attention on the same query.
const (
	lost kind = iota
	gained
	failed
	other
	wrong
	right
)

// kindNames are what the page calls them.
var kindNames = []string{"flipped: right under full attention, wrong here", "flipped: wrong under full attention, right here", "failed", "answered otherwise, score alike", "wrong, as under full attention or without it", "right"}

// query is a row, as the page shows it.
type query struct {
	at                     place
	kind                   kind
	example                string
	turn                   int32
	status                 outputs.Status
	fixed, strict, full    float64 // full: fixed score of full attention; below 0 where there is none
	prediction, other      string  // other: that of full attention
	answers, error         string
	prompt, kept, resident float64
}

// picked are the queries to show, and how many there are of each kind.
type picked struct {
	queries []query
	counts  []int
}

// picker chooses queries while rows stream by. Rows of one example and mode come together, with those of full attention among them.
type picker struct {
	r      *Report
	group  []query
	of     groupKey
	full   map[int32]query // by turn
	kept   map[place][][]query
	counts []int
}

type groupKey struct {
	mode, task int
	example    string
}

func newPicker(r *Report) *picker {
	return &picker{r: r, kept: map[place][][]query{}, counts: make([]int, len(kindNames))}
}

// add takes a row in.
func (p *picker) add(at place, q *outputs.Result) {
	if g := (groupKey{at.mode, at.task, q.Example}); g != p.of {
		p.flush()
		p.of = g
	}
	one := query{at: at, example: plain.Visible(q.Example, 80), turn: q.Turn, status: q.Status, full: -1, prediction: plain.Visible(q.Prediction, maxText),
		answers: plain.Visible(join(q.Answers), maxText), prompt: float64(q.PromptTokens), kept: q.KeptMean, resident: float64(q.KVBytesResident)}
	if q.ScoreFixed == nil || q.ScoreStrict == nil {
		return
	}
	one.fixed, one.strict = *q.ScoreFixed, *q.ScoreStrict
	if q.Error != nil {
		one.error = plain.Visible(*q.Error, maxText)
	}
	p.group = append(p.group, one)
	if p.r.methods[at.method].isFull && !q.Status.Failure() {
		p.full[q.Turn] = one
	}
}

// join puts the gold answers into lines.
func join(answers []string) (s string) {
	for i, a := range answers {
		if i > 0 {
			s += "\n"
		}
		s += a
	}
	return s
}

// flush judges the rows of an example and mode.
func (p *picker) flush() {
	for _, q := range p.group {
		if f, ok := p.full[q.turn]; ok && !p.r.methods[q.at.method].isFull {
			q.full, q.other = f.fixed, f.prediction
		}
		q.kind = q.judge()
		p.counts[q.kind]++
		if p.kept[q.at] == nil {
			p.kept[q.at] = make([][]query, len(kindNames))
		}
		if list := &p.kept[q.at][q.kind]; len(*list) < perCell {
			*list = append(*list, q)
		}
	}
	p.group, p.full = p.group[:0], map[int32]query{}
}

func (q *query) judge() kind {
	isRight := q.fixed >= 0.5
	switch {
	case q.status.Failure():
		return failed
	case q.full >= 0.5 && !isRight:
		return lost
	case q.full >= 0 && q.full < 0.5 && isRight:
		return gained
	case q.full >= 0 && q.prediction != q.other:
		return other
	case isRight:
		return right
	}
	return wrong
}

// done chooses: kind by kind, and of a kind one query of each mode, method and task in turn, until the budget is used up.
func (p *picker) done() picked {
	places := make([]place, 0, len(p.kept))
	for at := range p.kept {
		places = append(places, at)
	}
	slices.SortFunc(places, byPlace)
	out := picked{counts: p.counts}
	texts, bytes := map[string]bool{}, 0
	for k := range kindNames {
		for round, any := 0, true; any && round < perCell; round++ {
			any = false
			for _, at := range places {
				list := p.kept[at][k]
				if round >= len(list) {
					continue
				}
				any = true
				for _, t := range []string{list[round].prediction, list[round].other, list[round].answers, list[round].error} {
					if !texts[t] {
						texts[t] = true
						bytes += written(t)
					}
				}
				if len(out.queries) >= maxQueries || bytes > maxTexts {
					return out
				}
				out.queries = append(out.queries, list[round])
			}
		}
	}
	return out
}

// written is the length of a text as the page writes it, where <, > and & are six bytes, and quotes and ends of lines two.
func written(s string) int {
	n := len(s) + len(`"",`)
	for i := range len(s) {
		switch s[i] {
		case '<', '>', '&':
			n += 5
		case '"', '\\', '\n', '\t':
			n++
		}
	}
	return n
}
