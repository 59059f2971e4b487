package outputs

import (
	"slices"
	"strings"

	"scbench/outputs/stats"
)

// when says which turns of a cell an arm of a contrast takes.
type when int

const (
	always     when = iota
	firstTurn       // turn 1
	laterTurns      // the others, each the same weight
)

// arm is a weight times the fixed score of a method in a mode.
type arm struct {
	weight float64
	mode
	method string
	when   when
}

// mode is a shared-context mode with a history.
type mode struct {
	mode    Mode
	history History
}

// arms are one for each method, which share the weight.
func arms(weight float64, m mode, methods []string, w when) (all []arm) {
	for _, method := range methods {
		all = append(all, arm{weight / float64(len(methods)), m, method, w})
	}
	return all
}

// contrast is the sum of the arms in one task, of sessions that are the same in all of them: what a session has in one arm and in
// another is resampled together. ok is false where an arm has no queries, or the arms are of other data.
func (s *Scores) contrast(task string, of []arm) (iv stats.Interval, ok bool) {
	var sample stats.Sample
	var st stats.Statistic
	sessions := map[string]int{}
	bins, data := 0, ""
	var seed uint64
	for _, a := range of {
		i, have := s.index[cellKey{a.mode.mode, a.history, task, a.method}]
		if !have {
			return iv, false
		}
		c := &s.cells[i]
		l := c.layout()
		terms := l.at(a.when)
		if len(terms) == 0 || data != "" && c.queries[0].data != data {
			return iv, false
		}
		data, seed = c.queries[0].data, c.seed()
		for _, t := range terms {
			shifted := stats.Term{Weight: a.weight * t.Weight}
			for _, b := range t.Bins {
				shifted.Bins = append(shifted.Bins, bins+b)
			}
			st = append(st, shifted)
		}
		for _, q := range c.queries {
			if !q.scored {
				continue
			}
			k, seen := sessions[q.example]
			if !seen {
				k = len(sessions)
				sessions[q.example] = k
			}
			sample.Add(k, bins+l.bin(q), q.fixed)
		}
		bins += len(l.asked)
	}
	iv = sample.Intervals(seed, Level, scoreRange, st)[0]
	return iv, iv.N > 0
}

// at is a cell's score over some turns, as a statistic: of first and later ones over the parts that have both, as decay takes them.
func (l layout) at(w when) stats.Statistic {
	if w == always {
		return l.score()
	}
	var st stats.Statistic
	for _, t := range l.decay() {
		switch {
		case w == firstTurn && t.Weight > 0:
			st = append(st, t)
		case w == laterTurns && t.Weight < 0:
			st = append(st, stats.Term{Weight: -t.Weight, Bins: t.Bins})
		}
	}
	return st
}

// over is a contrast over tasks: the mean of the skills, each the mean of its tasks. Tasks in which it has no value are left out.
func (s *Scores) over(tasks []string, of []arm) stats.Interval {
	var have []stats.Interval
	var skills []string
	for _, task := range tasks {
		if iv, ok := s.contrast(task, of); ok {
			have, skills = append(have, iv), append(skills, s.skill(task))
		}
	}
	if len(have) == 0 {
		return stats.Interval{}
	}
	return stats.Mix(Level, stats.Range{Low: -2, High: 2}, skillWeights(skills), have)
}

// skill is what a task is averaged under.
func (s *Scores) skill(task string) string {
	for i := range s.cells {
		if s.cells[i].task == task {
			return s.cells[i].skillOrTask()
		}
	}
	return ""
}

// tasks lists the tasks, as first seen, of the skills, or all.
func (s *Scores) tasks(skills ...string) (all []string) {
	for i := range s.cells {
		c := &s.cells[i]
		if !slices.Contains(all, c.task) && (len(skills) == 0 || slices.Contains(skills, c.skill)) {
			all = append(all, c.task)
		}
	}
	return all
}

// family lists the methods of a name, with whatever settings, of which settings there is want if it is not empty.
func (s *Scores) family(name, want string) (all []string) {
	for _, m := range s.methods() {
		plain, settings, _ := strings.Cut(m, ":")
		if plain == name && !strings.Contains(m, "+") && (want == "" || slices.Contains(strings.Split(settings, ","), want)) {
			all = append(all, m)
		}
	}
	return all
}

func (s *Scores) families(names ...string) (all []string) {
	for _, n := range names {
		all = append(all, s.family(n, "")...)
	}
	return all
}
