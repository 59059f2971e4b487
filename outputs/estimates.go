package outputs

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"scbench/outputs/stats"
)

// MaxFailed is the share of failed queries above which a score is no headline: what is shown then is what it could be.
const MaxFailed = 0.05

// Level is the level of all intervals that are shown.
const Level = 0.95

// Estimate is what a method's scores say in one task, or over all skills, with intervals at Level by bootstrap over sessions.
type Estimate struct {
	Mode     Mode           `json:"mode"`
	History  History        `json:"history"`
	Task     string         `json:"task"` // empty: over the skills, each the mean of its tasks
	Skill    string         `json:"skill"`
	Method   string         `json:"method"`
	N        int            `json:"n"`        // queries, failures included
	Sessions int            `json:"sessions"` // contexts that they ask about
	Failed   int            `json:"failed"`
	Fixed    stats.Interval `json:"fixed"`  // failures score 0
	Most     float64        `json:"most"`   // Fixed, had every failed query scored 1
	Strict   stats.Interval `json:"strict"` // published scoring
	Decay    stats.Interval `json:"decay"`  // as Cell.Decay; not OK where there is none
	Turns    []TurnEstimate `json:"turns"`  // ascending; those that were asked
}

// TurnEstimate is the fixed score of one turn.
type TurnEstimate struct {
	Turn  int32          `json:"turn"`
	Score stats.Interval `json:"score"`
}

// Withheld reports whether so many queries failed that the score is no headline.
func (e Estimate) Withheld() bool { return float64(e.Failed) > MaxFailed*float64(e.N) }

var (
	scoreRange      = stats.Range{Low: 0, High: 1}
	differenceRange = stats.Range{Low: -1, High: 1}
)

// Estimates are those of every cell, in the order of rows, and after the cells of a mode, history and method, where they are of
// several tasks, one over the skills. The intervals are seeded by the data's hash: the same rows give the same digits.
func (s *Scores) Estimates() []Estimate {
	type group struct {
		mode    Mode
		history History
		method  string
	}
	estimates := make([]Estimate, len(s.cells))
	parallel(len(s.cells), func(i int) { estimates[i] = s.cells[i].estimate() })
	var order []group
	cells := map[group][]Estimate{}
	for i, e := range estimates {
		g := group{s.cells[i].mode, s.cells[i].history, s.cells[i].method}
		if cells[g] == nil {
			order = append(order, g)
		}
		cells[g] = append(cells[g], e)
	}
	var all []Estimate
	for _, g := range order {
		all = append(all, cells[g]...)
		if len(cells[g]) > 1 {
			all = append(all, Overall(cells[g]))
		}
	}
	return all
}

// parallel calls do for 0 to n-1, on all processors.
func parallel(n int, do func(i int)) {
	var wait sync.WaitGroup
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), n) {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	wait.Wait()
}

// skillOrTask is what a task's score is averaged under.
func (c *scoreCell) skillOrTask() string {
	if c.skill == "" {
		return "task " + c.task
	}
	return c.skill
}

func (c *scoreCell) estimate() Estimate {
	l := c.layout()
	e := Estimate{Mode: c.mode, History: c.history, Task: c.task, Skill: c.skill, Method: c.method, N: len(c.queries), Sessions: len(c.sessions), Failed: c.failed}
	fixed := c.sample(l, func(q query) float64 { return q.fixed })
	ask := []stats.Statistic{l.score(), l.decay()}
	for _, t := range l.turns {
		ask = append(ask, l.turn(t))
	}
	iv := fixed.Intervals(c.seed(), Level, scoreRange, ask...)
	e.Fixed, e.Decay = iv[0], iv[1]
	for i, t := range l.turns {
		e.Turns = append(e.Turns, TurnEstimate{t, iv[2+i]})
	}
	e.Strict = e.Fixed
	if slices.ContainsFunc(c.queries, func(q query) bool { return q.strict != q.fixed }) {
		e.Strict = c.sample(l, func(q query) float64 { return q.strict }).Intervals(c.seed(), Level, scoreRange, l.score())[0]
	}
	e.Most, _ = c.sample(l, func(q query) float64 {
		if q.failed {
			return 1
		}
		return q.fixed
	}).Value(l.score())
	return e
}

// Overall is the mean over the skills, each the mean of its tasks, of what the tasks of one mode, history and method say: those of
// one skill, or all. It panics where there are none.
func Overall(cells []Estimate) Estimate {
	out := Estimate{Mode: cells[0].Mode, History: cells[0].History, Method: cells[0].Method}
	var skills []string
	for _, c := range cells {
		skills = append(skills, cmp.Or(c.Skill, "task "+c.Task))
		out.N += c.N
		out.Sessions += c.Sessions
		out.Failed += c.Failed
		for _, t := range c.Turns {
			if !slices.ContainsFunc(out.Turns, func(o TurnEstimate) bool { return o.Turn == t.Turn }) {
				out.Turns = append(out.Turns, TurnEstimate{Turn: t.Turn})
			}
		}
	}
	slices.SortFunc(out.Turns, func(a, b TurnEstimate) int { return int(a.Turn - b.Turn) })
	out.Fixed = mixOver(cells, skills, scoreRange, func(e Estimate) stats.Interval { return e.Fixed })
	out.Strict = mixOver(cells, skills, scoreRange, func(e Estimate) stats.Interval { return e.Strict })
	out.Decay = mixOver(cells, skills, differenceRange, func(e Estimate) stats.Interval { return e.Decay })
	out.Most = mixOver(cells, skills, scoreRange, func(e Estimate) stats.Interval {
		return stats.Interval{Value: e.Most, N: e.Fixed.N}
	}).Value
	for i, t := range out.Turns {
		out.Turns[i].Score = mixOver(cells, skills, scoreRange, func(e Estimate) stats.Interval {
			for _, is := range e.Turns {
				if is.Turn == t.Turn {
					return is.Score
				}
			}
			return stats.Interval{}
		})
	}
	return out
}

// mixOver mixes an estimate of the cells that have it.
func mixOver[C any](cells []C, skills []string, within stats.Range, of func(C) stats.Interval) stats.Interval {
	var have []stats.Interval
	var under []string
	for i, c := range cells {
		if iv := of(c); iv.N > 0 {
			have, under = append(have, iv), append(under, skills[i])
		}
	}
	return stats.Mix(Level, within, skillWeights(under), have)
}

// skillWeights are what tasks weigh in the mean over skills, each the mean of its tasks.
func skillWeights(skills []string) []float64 {
	count := map[string]int{}
	for _, s := range skills {
		count[s]++
	}
	weights := make([]float64, len(skills))
	for i, s := range skills {
		weights[i] = 1 / float64(len(count)*count[s])
	}
	return weights
}
