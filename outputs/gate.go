package outputs

import (
	"fmt"
	"math"
)

// GateOptions say what a gate lets pass.
type GateOptions struct {
	Drop      float64 // allowed drop of a score, in [0, 1], such as 0.02
	Alpha     float64 // chance of a false regression, over all lines, and of a false pass, for each
	MaxFailed float64 // share of failed or missing queries above which nothing is said of scores
	Each      bool    // tasks, too, must have enough power; else only the means over them
	Baseline  string  // method of the baseline that all are compared with; empty: each with itself
	Strict    bool    // published scoring
}

// Outcome is what a gate says.
type Outcome int

// The outcomes, which are the exit codes of scbench gate. 2 is a mistake of usage.
const (
	Passed         Outcome = 0 // no drop beyond the allowed one
	Regression     Outcome = 1 // scores dropped: significantly, and by more than is allowed
	NotEnough      Outcome = 3 // neither a drop nor its absence can be told
	Infrastructure Outcome = 4 // too many queries failed or are missing
)

// String says the outcome in words.
func (o Outcome) String() string {
	switch o {
	case Passed:
		return "pass"
	case Regression:
		return "regression"
	case NotEnough:
		return "not enough power"
	case Infrastructure:
		return "infrastructure"
	}
	panic(fmt.Sprintf("outputs: outcome %d", int(o)))
}

// Ruling is what the gate says of a line.
type Ruling struct {
	Line
	Outcome Outcome
	Gates   bool // it counts for power; a regression always counts
	Why     string
}

// Gate is a verdict on a run against its baseline.
type Gate struct {
	Outcome    Outcome
	Rulings    []Ruling
	Options    GateOptions
	Comparison Comparison
}

// Judge compares a run (of which a method's score may drop by so much) with its baseline. A line is a regression where its difference is
// below -Drop and a drop of any size is significant at Alpha (sign flips of sessions, one-sided, Holm over the lines); it passes where
// the one-sided lower bound of the difference is above -Drop, or no prediction changed; else there is not enough power. Infrastructure
// goes before a regression, and that before a lack of power. The error is Compare's.
func Judge(baseline, run *Scores, o GateOptions) (Gate, error) {
	c, err := Compare(baseline, run, CompareOptions{Baseline: o.Baseline, Strict: o.Strict, Alpha: o.Alpha, Level: 1 - 2*o.Alpha})
	if err != nil {
		return Gate{}, err
	}
	g := Gate{Options: o, Comparison: c}
	tasks := map[string]int{}
	group := func(l Line) string { return fmt.Sprintf("%q %q %q", l.Mode, l.History, l.MethodB) }
	for _, l := range c.Lines {
		tasks[group(l)]++
	}
	found := map[Outcome]bool{}
	for _, l := range c.Lines {
		r := Ruling{Line: l, Gates: o.Each || l.Task == "" || tasks[group(l)] == 1}
		r.Outcome, r.Why = o.rule(l)
		if r.Outcome != NotEnough || r.Gates {
			found[r.Outcome] = true
		}
		g.Rulings = append(g.Rulings, r)
	}
	if float64(c.Missing) > o.MaxFailed*float64(c.Asked) {
		found[Infrastructure] = true
	}
	for _, worst := range []Outcome{NotEnough, Regression, Infrastructure} {
		if found[worst] {
			g.Outcome = worst
		}
	}
	return g, nil
}

// rule judges a line.
func (o GateOptions) rule(l Line) (Outcome, string) {
	low := fmt.Sprintf("%s, at least %s with %g %% confidence", signed(l.Diff.Value), signed(l.Diff.Low), 100*(1-o.Alpha))
	switch n := float64(l.N); {
	case float64(l.FailedB) > o.MaxFailed*n:
		return Infrastructure, fmt.Sprintf("%d of %d queries failed; above %g %% no score is judged", l.FailedB, l.N, 100*o.MaxFailed)
	case float64(l.FailedA) > o.MaxFailed*n:
		return Infrastructure, fmt.Sprintf("%d of %d queries of the baseline failed; above %g %% no score is judged", l.FailedA, l.N, 100*o.MaxFailed)
	case l.Diff.Value < -o.Drop && l.HolmLess <= o.Alpha:
		return Regression, fmt.Sprintf("%s, p %s; allowed is a drop of %s", signed(l.Diff.Value), pValue(l.HolmLess), oneDecimal(100*o.Drop))
	case l.Changed == 0 && l.Better+l.Worse == 0:
		return Passed, "no answer changed"
	case l.Diff.OK && l.Diff.Low >= -o.Drop:
		return Passed, low
	}
	sees := "no drop at all"
	if !math.IsNaN(l.Smallest) {
		sees = "a drop of " + oneDecimal(100*l.Smallest)
	}
	return NotEnough, fmt.Sprintf("%s; %d sessions see %s", low, l.Sessions, sees)
}

func signed(x float64) string {
	s := oneDecimal(100 * x)
	if s != "0.0" && x > 0 {
		return "+" + s
	}
	return s
}
