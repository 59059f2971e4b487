package outputs

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"scbench/outputs/stats"
)

// Bytes is what budgets are matched by.
type Bytes int

// What a method was measured to hold when an answer starts, and to read for a decoded token, both as shares of what a dense cache of
// the same prompt takes.
const (
	BytesHeld Bytes = iota
	BytesRead
)

// Budgets collects what settings of methods score and cost, to compare methods at equal measured bytes. The zero value is empty.
type Budgets struct {
	by    Bytes
	cells []budgetCell
	index map[cellKey]int
}

// budgetCell is a setting in a task.
type budgetCell struct {
	cellKey
	skill    string
	sessions []string // as first seen
	at       map[string]int
	score    []Mean // by session
	bytes    []Mean // share of a dense cache, by session
}

// NewBudgets matches by what is given.
func NewBudgets(by Bytes) *Budgets { return &Budgets{by: by, index: map[cellKey]int{}} }

// Add takes a row in. Rows without a score do not count; failed queries score 0 and cost nothing that was measured.
func (b *Budgets) Add(r *Result) {
	if r.ScoreFixed == nil || strings.Contains(r.Method, "+") {
		return
	}
	key := cellKey{r.Mode, r.History, r.Task, r.Method}
	i, ok := b.index[key]
	if !ok {
		i = len(b.cells)
		b.index[key] = i
		b.cells = append(b.cells, budgetCell{cellKey: key, skill: cmp.Or(r.Skill, "task "+r.Task), at: map[string]int{}})
	}
	c := &b.cells[i]
	s, ok := c.at[r.Example]
	if !ok {
		s = len(c.sessions)
		c.at[r.Example] = s
		c.sessions, c.score, c.bytes = append(c.sessions, r.Example), append(c.score, Mean{}), append(c.bytes, Mean{})
	}
	c.score[s].Add(*r.ScoreFixed)
	of := float64(r.KVBytesResident)
	if b.by == BytesRead {
		of = r.ReadBytesPerToken
	}
	if r.KVBytesLogical > 0 && of > 0 {
		c.bytes[s].Add(of / float64(r.KVBytesLogical))
	}
}

// BudgetCurve is a method over its settings, in one mode, all tasks together as in the mean of skills.
type BudgetCurve struct {
	Mode     Mode             `json:"mode"`
	History  History          `json:"history"`
	Method   string           `json:"method"` // without settings
	Settings int              `json:"settings"`
	Least    float64          `json:"least"` // share of a dense cache that the smallest setting takes
	At       []stats.Interval `json:"at"`    // score at each budget asked for; without N where the curve does not reach
	Area     stats.Interval   `json:"area"`  // mean score between the smallest budget that all curves of the mode reach and the whole cache
	From     float64          `json:"from"`  // that smallest budget
}

// Curves interpolates each method that has several settings at the given shares of a dense cache, linearly in the logarithm of measured
// bytes. Methods whose settings all take the same bytes, within a tenth, have no curve. A curve ends at the whole cache with what full attention scores, if the rows have it; below its smallest setting it is not
// continued. Intervals are of Level, by resampling the sessions of every task: settings of a method are resampled together, score and
// bytes.
func (b *Budgets) Curves(at []float64) []BudgetCurve {
	var out []BudgetCurve
	for _, m := range b.modes() {
		families := b.families(m)
		from := 0.0
		var curves []*budgetFamily
		for _, name := range families {
			if s := b.sweep(m, name); s != nil && s.varies() {
				from = max(from, s.points(s.once())[0].x)
				curves = append(curves, s)
			}
		}
		for _, s := range curves {
			c := BudgetCurve{Mode: m.mode, History: m.history, Method: s.name, Settings: len(s.settings), Least: s.points(s.once())[0].x, From: from}
			for _, x := range at {
				c.At = append(c.At, s.interval(func(p []budgetPoint) (float64, bool) { return interpolated(p, x) }))
			}
			c.Area = s.interval(func(p []budgetPoint) (float64, bool) { return area(p, from, 1) })
			out = append(out, c)
		}
	}
	return out
}

func (b *Budgets) modes() (all []mode) {
	for i := range b.cells {
		if m := (mode{b.cells[i].mode, b.cells[i].history}); !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	return all
}

// families are the names of methods with several settings in a mode.
func (b *Budgets) families(m mode) (all []string) {
	settings := map[string][]string{}
	for i := range b.cells {
		c := &b.cells[i]
		if c.mode != m.mode || c.history != m.history {
			continue
		}
		name, _, _ := strings.Cut(c.method, ":")
		if !slices.Contains(settings[name], c.method) {
			if settings[name] = append(settings[name], c.method); len(settings[name]) == 2 {
				all = append(all, name)
			}
		}
	}
	return all
}

// budgetFamily is a method's settings, full attention the last, on the tasks and sessions that all of them have.
type budgetFamily struct {
	name     string
	settings []string
	full     bool
	weights  []float64      // of tasks
	cells    [][]budgetCell // [task][setting]
	sessions [][]string     // [task]
}

// sweep gathers a method; nil where its settings share no task.
func (b *Budgets) sweep(m mode, name string) *budgetFamily {
	s := &budgetFamily{name: name}
	var tasks []string
	for i := range b.cells {
		c := &b.cells[i]
		if c.mode != m.mode || c.history != m.history {
			continue
		}
		if !slices.Contains(tasks, c.task) {
			tasks = append(tasks, c.task)
		}
		if is, _, _ := strings.Cut(c.method, ":"); is == name && !slices.Contains(s.settings, c.method) {
			s.settings = append(s.settings, c.method)
		}
	}
	all := s.settings
	if _, ok := b.index[cellKey{m.mode, m.history, tasks[0], "full"}]; ok {
		s.full = true
		all = append(slices.Clone(all), "full")
	}
	var skills []string
	for _, task := range tasks {
		var cells []budgetCell
		for _, setting := range all {
			if i, ok := b.index[cellKey{m.mode, m.history, task, setting}]; ok {
				cells = append(cells, b.cells[i])
			}
		}
		if len(cells) < len(all) {
			continue
		}
		var sessions []string
		for _, id := range cells[0].sessions {
			if !slices.ContainsFunc(cells, func(c budgetCell) bool { _, ok := c.at[id]; return !ok }) {
				sessions = append(sessions, id)
			}
		}
		if len(sessions) > 0 {
			s.cells, s.sessions, skills = append(s.cells, cells), append(s.sessions, sessions), append(skills, cells[0].skill)
		}
	}
	if len(s.cells) == 0 {
		return nil
	}
	s.weights = skillWeights(skills)
	return s
}

// budgetPoint is a setting: its share of a dense cache, and its score.
type budgetPoint struct{ x, y float64 }

// once has every session count once.
func (s *budgetFamily) once() [][]int {
	times := make([][]int, len(s.sessions))
	for t := range times {
		times[t] = slices.Repeat([]int{1}, len(s.sessions[t]))
	}
	return times
}

// varies reports whether the settings take different bytes, and those less than the whole cache.
func (s *budgetFamily) varies() bool {
	alone := *s
	alone.full = false
	p := alone.points(s.once())
	return p[0].x > 0 && p[0].x < 1 && p[len(p)-1].x > 1.1*p[0].x
}

// points are the settings, by bytes, of sessions that count so often.
func (s *budgetFamily) points(times [][]int) []budgetPoint {
	all := len(s.settings)
	if s.full {
		all++
	}
	out := make([]budgetPoint, all)
	for k := range out {
		for t, cells := range s.cells {
			var score, bytes Mean
			c := &cells[k]
			for i, id := range s.sessions[t] {
				n := float64(times[t][i])
				a, x := c.score[c.at[id]], c.bytes[c.at[id]]
				score.Sum, score.N = score.Sum+n*a.Sum, score.N+times[t][i]*a.N
				bytes.Sum, bytes.N = bytes.Sum+n*x.Sum, bytes.N+times[t][i]*x.N
			}
			y, _ := score.Value()
			x, _ := bytes.Value()
			out[k].y += s.weights[t] * y
			out[k].x += s.weights[t] * x
		}
	}
	if s.full {
		out[len(out)-1].x = 1
	}
	slices.SortStableFunc(out, func(a, b budgetPoint) int { return cmp.Compare(a.x, b.x) })
	return out
}

func (s *budgetFamily) interval(of func([]budgetPoint) (float64, bool)) stats.Interval {
	var strata []int
	for _, ids := range s.sessions {
		strata = append(strata, len(ids))
	}
	return stats.Resample(uint64(len(s.settings)), Level, strata, stats.Range{Low: 0, High: 1}, func(times [][]int) (float64, bool) { return of(s.points(times)) })
}

// interpolated is the score at a share of bytes; ok is false outside the points.
func interpolated(p []budgetPoint, x float64) (y float64, ok bool) {
	for i := 1; i < len(p); i++ {
		a, b := p[i-1], p[i]
		if !(a.x > 0) || x < a.x || x > b.x {
			continue
		}
		if a.x == b.x {
			return (a.y + b.y) / 2, true
		}
		w := math.Log(x/a.x) / math.Log(b.x/a.x)
		return a.y + w*(b.y-a.y), true
	}
	return 0, false
}

// area is the mean score between two shares, over the logarithm of bytes; ok is false where the points do not reach both. A share a
// little below the first point, as resampled points have it, is the point's.
func area(p []budgetPoint, from, to float64) (mean float64, ok bool) {
	from, to = max(from, p[0].x), min(to, p[len(p)-1].x)
	if !(from > 0) || !(to > from) {
		return 0, false
	}
	sum := 0.0
	at, y := from, 0.0
	if y, ok = interpolated(p, from); !ok {
		return 0, false
	}
	step := func(x, next float64) {
		sum += (y + next) / 2 * math.Log(x/at)
		at, y = x, next
	}
	for _, q := range p {
		if q.x > from && q.x < to {
			step(q.x, q.y)
		}
	}
	last, ok := interpolated(p, to)
	if !ok {
		return 0, false
	}
	step(to, last)
	return sum / math.Log(to/from), true
}
