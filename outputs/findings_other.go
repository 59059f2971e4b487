package outputs

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"

	"scbench/outputs/stats"
)

// driftMoves is how far attention is from prefill, by answer: early and late in it.
type driftMoves struct {
	sample stats.Sample // clusters: examples; bins: 0 early, 1 late
}

// readMoves reads a file of scbench drift: for each example the divergence of the first and the last quarter of its generated tokens.
func readMoves(path string) (*driftMoves, error) {
	type answer struct{ by []Mean } // by position, over heads
	var order []string
	answers := map[string]*answer{}
	err := EachDrift(path, func(d *Drift) error {
		if d.Method != DriftFull || d.Position < 0 || d.Divergence == nil {
			return nil
		}
		key := fmt.Sprintf("%q %q", d.Task, d.Example)
		a := answers[key]
		if a == nil {
			a = &answer{}
			answers[key], order = a, append(order, key)
		}
		if n := int(d.Position) + 1 - len(a.by); n > 0 {
			a.by = append(a.by, make([]Mean, n)...)
		}
		a.by[d.Position].Add(*d.Divergence)
		return nil
	})
	moves := &driftMoves{}
	for k, key := range order {
		by := answers[key].by
		for i, m := range by {
			x, ok := m.Value()
			switch quarter := len(by) / 4; {
			case !ok || quarter == 0:
			case i < quarter:
				moves.sample.Add(k, 0, x)
			case i >= len(by)-quarter:
				moves.sample.Add(k, 1, x)
			}
		}
	}
	return moves, err
}

// measure is how much farther attention is from prefill late in an answer than early.
func (d *driftMoves) measure() measure {
	m := measure{what: "the Jensen-Shannon divergence (nats) of attention from prefill, last quarter of an answer less the first", want: moreThan}
	if d == nil {
		m.lack = "that is in the file that scbench drift writes (--drift)"
		return m
	}
	m.iv = d.sample.Intervals(0, Level, stats.Range{Low: 0, High: math.Ln2}, stats.Statistic{{Weight: -1, Bins: []int{0}}, {Weight: 1, Bins: []int{1}}})[0]
	if m.iv.N == 0 {
		m.lack = "the file of scbench drift has no answer of four tokens or more"
	}
	return m
}

// Spelling collects how long a part of the strings of Prefix-Suffix a model spells, under full attention in multi-turn mode. The zero
// value is empty.
type Spelling struct {
	model, data string
	keys        []Key
	share       map[Key]float64
	sessions    map[string]int
}

// Add takes a row in; those of other tasks, methods and modes count for nothing.
func (s *Spelling) Add(r *Result) {
	if r.Task != "prefixsuffix" || r.Method != "full" || r.Mode != MultiTurn || len(r.Answers) == 0 || r.Answers[0] == "" {
		return
	}
	if s.share == nil {
		s.share, s.sessions = map[Key]float64{}, map[string]int{}
	}
	s.model, s.data = r.Model, r.DataHash
	k := Key{Task: r.Task, Example: r.Example, Turn: r.Turn}
	s.keys = append(s.keys, k)
	s.share[k] = float64(commonSpan(r.Prediction, r.Answers[0])) / float64(len(r.Answers[0]))
	if _, ok := s.sessions[r.Example]; !ok {
		s.sessions[r.Example] = len(s.sessions)
	}
}

var hybridName = regexp.MustCompile(`(?i)jamba|mamba|zamba|hymba|recurrent|hybrid`)

func (s *Spelling) hybrid() bool { return hybridName.MatchString(s.model) }

// commonSpan is the length in bytes of the longest text that both hold.
func commonSpan(a, b string) (longest int) {
	ends := make([]int, len(b)+1) // of common spans that end before a's byte and b's
	for i := range a {
		before := 0
		for j := range b {
			was := ends[j+1]
			ends[j+1] = 0
			if a[i] == b[j] {
				ends[j+1] = before + 1
				longest = max(longest, before+1)
			}
			before = was
		}
	}
	return longest
}

// spelling compares a hybrid model with a dense one.
func (f *facts) spelling() measure {
	m := measure{what: "the longest right span of a string, hybrid less dense", want: moreThan, size: 0.02}
	h, d := f.spelled[0], f.spelled[1]
	switch {
	case h == nil || d == nil || len(h.keys) == 0 || len(d.keys) == 0:
		m.lack = "that takes runs of prefixsuffix with two models, a hybrid and a dense one (--other)"
		return m
	case h.data != d.data:
		m.lack = "the two models were asked of other data"
		return m
	}
	var sample stats.Sample
	for _, k := range h.keys {
		if x, ok := d.share[k]; ok {
			sample.Add(h.sessions[k.Example], 0, h.share[k]-x)
		}
	}
	m.iv = sample.Intervals(1, Level, differenceRange, stats.Statistic{{Weight: 1, Bins: []int{0}}})[0]
	if m.iv.N == 0 {
		m.lack = "the two models share no questions"
	}
	return m
}

// sessionScores are what the methods score in one session, first and later.
type sessionScores struct{ first, later []Mean }

// ranking is the rank correlation of methods between turn 1 and later turns.
func (f *facts) ranking() measure {
	m := measure{what: "the rank correlation (Spearman, × 100) of methods between turn 1 and later turns", want: lessThan, size: 0.9, null: 0.7}
	methods := f.methods()
	var strata []int
	var tasks [][]sessionScores
	for _, task := range f.able(f.turns) {
		if sessions, ok := f.sessions(task, methods); ok {
			strata, tasks = append(strata, len(sessions)), append(tasks, sessions)
		}
	}
	switch {
	case f.full == "":
		m.lack = "the run has no full attention, which says what the model can do"
	case len(methods) < 4:
		m.lack = fmt.Sprintf("%d methods are too few to rank", len(methods))
	case len(tasks) == 0:
		m.lack = "no task that full attention can do has a first turn and later ones under all methods"
	default:
		m.iv = stats.Resample(uint64(len(methods)), Level, strata, stats.Range{Low: -1, High: 1}, func(times [][]int) (float64, bool) {
			return spearman(ranked(tasks, times, len(methods)))
		})
		if m.iv.N == 0 {
			m.lack = "all methods score the same in turn 1 or after it"
		} else if r := reliability(tasks, strata, len(methods)); !(r >= m.size) {
			m.caution = fmt.Sprintf("the methods are too alike to be ranked: two halves of the sessions rank them with a correlation of %s in the same turns", oneDecimal(100*r))
		}
	}
	return m
}

// reliability is the smaller of the rank correlations between two halves of the sessions, in turn 1 and in later turns: what the
// correlation between turn 1 and later turns would be, or less, if it made no difference when a method is asked. NaN where a half has
// no ranks.
func reliability(tasks [][]sessionScores, strata []int, methods int) float64 {
	var first, later [2][]float64
	for half := range 2 {
		times := make([][]int, len(strata))
		for t, n := range strata {
			times[t] = make([]int, n)
			for s := half; s < n; s += 2 {
				times[t][s] = 1
			}
		}
		first[half], later[half] = ranked(tasks, times, methods)
	}
	a, ok := spearman(first[0], first[1])
	b, ok2 := spearman(later[0], later[1])
	if !ok || !ok2 {
		return math.NaN()
	}
	return min(a, b)
}

// sessions are the scores of a task's sessions under all methods; ok is false where a method lacks a first turn or later ones.
func (f *facts) sessions(task string, methods []string) (all []sessionScores, ok bool) {
	at := map[string]int{}
	for k, method := range methods {
		i, have := f.index[cellKey{f.turns.mode, f.turns.history, task, method}]
		if !have || len(f.cells[i].layout().decay()) == 0 {
			return nil, false
		}
		for _, q := range f.cells[i].queries {
			s, seen := at[q.example]
			if !seen {
				s = len(all)
				at[q.example] = s
				all = append(all, sessionScores{make([]Mean, len(methods)), make([]Mean, len(methods))})
			}
			switch {
			case !q.scored:
			case q.turn == 1:
				all[s].first[k].Add(q.fixed)
			default:
				all[s].later[k].Add(q.fixed)
			}
		}
	}
	return all, true
}

// ranked are the means of the methods over tasks, of sessions as often as times says.
func ranked(tasks [][]sessionScores, times [][]int, methods int) (first, later []float64) {
	first, later = make([]float64, methods), make([]float64, methods)
	for t, sessions := range tasks {
		for k := range methods {
			var a, b Mean
			for s, n := range times[t] {
				x, y := sessions[s].first[k], sessions[s].later[k]
				a.Sum, a.N, b.Sum, b.N = a.Sum+float64(n)*x.Sum, a.N+n*x.N, b.Sum+float64(n)*y.Sum, b.N+n*y.N
			}
			x, _ := a.Value()
			y, _ := b.Value()
			first[k], later[k] = first[k]+x, later[k]+y
		}
	}
	return first, later
}

// spearman is the rank correlation, equal values sharing their ranks; ok is false where one side has only equal values.
func spearman(a, b []float64) (rho float64, ok bool) {
	x, y := ranks(a), ranks(b)
	mean := float64(len(a)-1) / 2
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mean) * (y[i] - mean)
		xx += (x[i] - mean) * (x[i] - mean)
		yy += (y[i] - mean) * (y[i] - mean)
	}
	if xx == 0 || yy == 0 {
		return 0, false
	}
	return xy / math.Sqrt(xx*yy), true
}

// ranks are from 0; values that differ by rounding only are equal.
func ranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(v[i], v[j]) })
	out := make([]float64, len(v))
	for lo := 0; lo < len(v); {
		hi := lo + 1
		for hi < len(v) && v[order[hi]]-v[order[lo]] < 1e-9 {
			hi++
		}
		for _, i := range order[lo:hi] {
			out[i] = float64(lo+hi-1) / 2
		}
		lo = hi
	}
	return out
}
