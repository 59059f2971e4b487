package outputs

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"scbench/outputs/stats"
)

// Verdict is what a run says of a claim.
type Verdict string

// The verdicts. They rest on intervals at Level, one claim at a time: of fourteen claims that are all beside the truth, more than
// one in twenty may hold or fail by chance.
const (
	Holds       Verdict = "holds"
	Fails       Verdict = "fails"
	NotPower    Verdict = "not enough power" // the interval has both what the claim wants and what it does not
	NotMeasured Verdict = "not measured"     // the run lacks methods, tasks, modes or a model that can do the tasks
)

// Claim is a statement that the paper makes, as a check of rows.
type Claim struct {
	ID    string // T1 to T14
	Text  string // in our words
	Needs string // what a run has to have
	check func(*facts) []measure
}

// Finding is a claim and what the run says of it. Scores are in [0, 1].
type Finding struct {
	ID       string         `json:"id"`
	Claim    string         `json:"claim"`
	Needs    string         `json:"needs"`
	Verdict  Verdict        `json:"verdict"`
	Measure  string         `json:"measure"`  // what Effect is of
	Effect   stats.Interval `json:"effect"`   // at Level; not OK, without N, where nothing was measured
	Smallest *float64       `json:"smallest"` // effect that the design finds in 8 of 10 runs; nil where that is not known
	Why      string         `json:"why"`      // a sentence
	Parts    []FindingPart  `json:"parts"`
}

// FindingPart is one of the quantities that a claim is about.
type FindingPart struct {
	Measure string         `json:"measure"`
	Wanted  string         `json:"wanted"` // such as "more than 5.0"
	Verdict Verdict        `json:"verdict"`
	Effect  stats.Interval `json:"effect"`
}

// measure is a quantity, and what the claim wants of it.
type measure struct {
	what    string
	iv      stats.Interval
	want    want
	size    float64
	null    float64 // what there is without an effect
	lack    string  // why there is no quantity
	caution string  // what keeps it from showing that the claim holds
}

// want is a side of a size.
type want int

const (
	moreThan  want = iota // clearly above null, and at least the size
	lessThan              // clearly below the size
	something             // clearly other than null, by the size or more either way
)

// facts is what claims are checked against.
type facts struct {
	*Scores
	summary *Summary
	full    string
	turns   mode // multi-turn, with gold answers if there are
	request mode // multi-request
	drift   *driftMoves
	spelled [2]*Spelling // of a hybrid model and of a dense one
}

// able are tasks that full attention can do in a mode, of the skills or all: where it scores below 0.2, there is nothing to lose.
func (f *facts) able(m mode, skills ...string) (all []string) {
	for _, task := range f.tasks(skills...) {
		if i, ok := f.index[cellKey{m.mode, m.history, task, f.full}]; ok {
			c := &f.cells[i]
			l := c.layout()
			if x, ok := c.sample(l, func(q query) float64 { return q.fixed }).Value(l.score()); ok && x >= ableFrom {
				all = append(all, task)
			}
		}
	}
	return all
}

const ableFrom = 0.2

// measure makes a quantity of a contrast over tasks. The methods are those that the claim is about; without them, or without tasks, it is
// not measured.
func (f *facts) measure(what string, w want, size float64, tasks, methods []string, of ...[]arm) measure {
	m := measure{what: what, want: w, size: size}
	switch {
	case f.full == "":
		m.lack = "the run has no full attention to compare with"
	case len(methods) == 0:
		m.lack = "the run has none of the methods"
	case len(tasks) == 0:
		m.lack = fmt.Sprintf("the run has none of the tasks, or full attention scores below %.0f on them", 100*ableFrom)
	default:
		if m.iv = f.over(tasks, slices.Concat(of...)); m.iv.N == 0 {
			m.lack = "the run lacks a mode, or later turns"
		}
	}
	return m
}

// verdict compares the interval with what is wanted.
func (m measure) verdict() Verdict {
	iv := m.iv
	if m.lack != "" {
		return NotMeasured
	}
	if !iv.OK {
		return NotPower
	}
	found := Verdict(NotPower)
	switch m.want {
	case moreThan:
		if iv.Low > m.null && iv.Value >= m.size {
			found = Holds
		} else if iv.High < m.size || iv.High <= m.null {
			found = Fails
		}
	case lessThan:
		if iv.High < m.size {
			found = Holds
		} else if iv.Low > m.null && iv.Value >= m.size {
			found = Fails
		}
	case something:
		if (iv.Low > m.null || iv.High < m.null) && math.Abs(iv.Value) >= m.size {
			found = Holds
		} else if iv.High < m.size && iv.Low > -m.size {
			found = Fails
		}
	}
	if found == Holds && m.caution != "" {
		return NotMeasured
	}
	return found
}

func (m measure) wanted() string {
	size := oneDecimal(100 * m.size)
	switch m.want {
	case lessThan:
		return "less than " + size
	case something:
		return "other than 0 by " + size + " or more"
	}
	if m.size == 0 {
		return "more than 0"
	}
	return size + " or more"
}

// says puts a quantity into words.
func (m measure) says() string {
	if m.lack != "" {
		return m.what + ": " + m.lack
	}
	s := fmt.Sprintf("%s is %s", m.what, spelled(m.iv))
	switch m.verdict() {
	case Holds:
		s += ", as claimed (" + m.wanted() + ")"
	case Fails:
		s += ", where the claim wants " + m.wanted()
	case NotPower:
		s += fmt.Sprintf(", which does not tell whether it is %s; %d sessions", m.wanted(), m.iv.Clusters)
		if d := m.smallest(); !math.IsNaN(d) {
			s += " see " + oneDecimal(100*d)
		} else {
			s += " are too few"
		}
	case NotMeasured:
		s += ", but " + m.caution
	}
	return s
}

// smallest is the difference that the design finds in 8 of 10 runs, after the width of the interval.
func (m measure) smallest() float64 {
	if !m.iv.OK {
		return math.NaN()
	}
	df := float64(max(m.iv.Clusters-1, 1))
	return (m.iv.High - m.iv.Low) / 2 * (1 + stats.StudentQuantile(power, df)/stats.StudentQuantile((1+Level)/2, df))
}

func spelled(iv stats.Interval) string {
	if !iv.OK {
		return signed(iv.Value)
	}
	return fmt.Sprintf("%s [%s, %s]", signed(iv.Value), signed(iv.Low), signed(iv.High))
}

// FindingsOptions are what claims need besides the rows.
type FindingsOptions struct {
	Drift    string      // the file that scbench drift wrote for the same model, or empty
	Spelling []*Spelling // of a hybrid model and a dense one, in any order
}

// Findings checks all claims against rows that s and sum have both taken in. The error is of reading the file of drift.
func Findings(s *Scores, sum *Summary, o FindingsOptions) ([]Finding, error) {
	f := &facts{Scores: s, summary: sum, turns: mode{MultiTurn, GoldHistory}, request: mode{MultiRequest, NoHistory}}
	if full := s.family("full", ""); len(full) > 0 {
		f.full = full[0]
	}
	if !slices.ContainsFunc(s.cells, func(c scoreCell) bool { return c.mode == MultiTurn && c.history == GoldHistory }) {
		f.turns.history = OwnHistory
	}
	for _, sp := range o.Spelling {
		if sp.hybrid() {
			f.spelled[0] = sp
		} else {
			f.spelled[1] = sp
		}
	}
	if o.Drift != "" {
		moves, err := readMoves(o.Drift)
		if err != nil {
			return nil, err
		}
		f.drift = moves
	}
	out := make([]Finding, len(Claims))
	parallel(len(Claims), func(i int) { out[i] = Claims[i].judge(f) })
	return out, nil
}

// judge checks a claim. It holds where all its quantities are as claimed, and fails where one is not.
func (c Claim) judge(f *facts) Finding {
	out := Finding{ID: c.ID, Claim: c.Text, Needs: c.Needs}
	count := map[Verdict]int{}
	var said []string
	all := c.check(f)
	for _, m := range all {
		v := m.verdict()
		count[v]++
		out.Parts = append(out.Parts, FindingPart{m.what, m.wanted(), v, m.iv})
	}
	switch {
	case count[Fails] > 0:
		out.Verdict = Fails
	case count[NotMeasured] > 0:
		out.Verdict = NotMeasured
	case count[NotPower] > 0:
		out.Verdict = NotPower
	default:
		out.Verdict = Holds
	}
	for _, m := range all { // what decides, first
		if m.verdict() == out.Verdict {
			said = append(said, m.says())
		}
	}
	for _, m := range all {
		if m.verdict() != out.Verdict {
			said = append(said, m.says())
		}
	}
	out.Why = strings.Join(said, "; ") + "."
	for _, m := range all {
		if m.lack == "" {
			out.Measure, out.Effect = m.what, m.iv
			if d := m.smallest(); !math.IsNaN(d) {
				out.Smallest = &d
			}
			break
		}
	}
	return out
}
