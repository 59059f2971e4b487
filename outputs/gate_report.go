package outputs

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"scbench/outputs/plain"
)

// title says the verdict in a line.
func (g Gate) title() string {
	return fmt.Sprintf("gate: %s (allowed drop %s, alpha %g)", g.Outcome, oneDecimal(100*g.Options.Drop), g.Options.Alpha)
}

// notes are what was left out, and how much is missing.
func (g Gate) notes() []string {
	notes := g.Comparison.Notes
	if c := g.Comparison; float64(c.Missing) > g.Options.MaxFailed*float64(c.Asked) {
		notes = append(notes[:len(notes):len(notes)], fmt.Sprintf("%d of the baseline's %d queries are missing in the run, above %g %%", c.Missing, c.Asked, 100*g.Options.MaxFailed))
	}
	return notes
}

// columns is the table of the rulings of a block.
func (g Gate) columns(b *block) []column {
	cols := []column{{head: "task", left: true}, {head: "method", left: true}, {head: "n"}, {head: "baseline"}, {head: "run"}, {head: "outcome", left: true}, {head: "why", left: true}}
	color := map[Outcome]string{Passed: green, Regression: red, NotEnough: yellow, Infrastructure: red}
	for _, r := range g.Rulings {
		if r.Mode != b.mode || r.History != b.history {
			continue
		}
		outcome := r.Outcome.String()
		if !r.Gates && r.Outcome == NotEnough {
			outcome = "(" + outcome + ")"
		}
		for i, f := range []field{text(taskOrAll(r.Task)), {{b.name(r.MethodB), bold}}, text(fmt.Sprintf("%d/%d", r.N, r.Sessions)),
			text(oneDecimal(100 * r.A)), text(oneDecimal(100 * r.B)), {{outcome, color[r.Outcome]}}, text(r.Why)} {
			cols[i].fields = append(cols[i].fields, f)
		}
	}
	return cols
}

// name is the short name of a method of the block.
func (b *block) name(method string) string {
	for i, m := range b.methods {
		if m == method {
			return b.names[i]
		}
	}
	return Clean(method)
}

var gateNotes = []string{
	"Scores × 100 over the queries that both have, n: pairs/sessions; failed queries count 0. regression: the drop is above the allowed one, and significant over all lines (sign flips of sessions, Holm). pass: the lower bound of the difference is above the allowed drop, or no answer changed.",
	"In parentheses: a task that cannot tell on its own, and need not.",
}

// Table writes the verdict for reading.
func (g Gate) Table(w io.Writer, o TableOptions) error {
	if o.Width == 0 {
		o.Width = 400 // its last column is a sentence
	}
	err := g.Comparison.summary().sheets(w, o, gateNotes, func(b *block) [][]column { return [][]column{g.columns(b)} })
	for _, note := range g.notes() {
		if err == nil {
			_, err = fmt.Fprintf(w, "\nnote     %s\n", note)
		}
	}
	if err == nil {
		_, err = fmt.Fprintf(w, "\n%s\n", g.title())
	}
	return err
}

// Markdown writes the verdict as Markdown.
func (g Gate) Markdown(w io.Writer) error {
	var b strings.Builder
	s := g.Comparison.summary()
	fmt.Fprintf(&b, "## %s\n\n", plain.Markdown(g.title()))
	for _, block := range s.blocks() {
		fmt.Fprintf(&b, "### %s\n\n", plain.Markdown(block.title()))
		writeMarkdownTable(&b, g.columns(&block))
	}
	for _, line := range append(gateNotes[:len(gateNotes):len(gateNotes)], g.notes()...) {
		fmt.Fprintf(&b, "- %s\n", plain.Markdown(line))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// The elements of a JUnit report, as CI systems read them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Failure *junitResult `xml:"failure"`
		Error   *junitResult `xml:"error"`
		Skipped *junitResult `xml:"skipped"`
	}
	junitResult struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
	}
)

// JUnit writes the verdict as JUnit XML: a suite for each mode and history, a case for each line. A regression is a failure;
// failed queries, and a lack of power that gates, are errors; one that does not gate is skipped. Missing queries are a case of
// their own.
func (g Gate) JUnit(w io.Writer) error {
	all := junitSuites{Name: "scbench gate"}
	s := g.Comparison.summary()
	for _, b := range s.blocks() {
		suite := junitSuite{Name: b.title()}
		for _, r := range g.Rulings {
			if r.Mode == b.mode && r.History == b.history {
				suite.add(r.Outcome, r.Gates, junitCase{Class: Clean(r.MethodB), Name: taskOrAll(r.Task)}, r.Why)
			}
		}
		all.add(suite)
	}
	if c := g.Comparison; c.Missing > 0 {
		suite := junitSuite{Name: "queries"}
		outcome := Passed
		if float64(c.Missing) > g.Options.MaxFailed*float64(c.Asked) {
			outcome = Infrastructure
		}
		suite.add(outcome, true, junitCase{Class: "run", Name: "has the baseline's queries"}, fmt.Sprintf("%d of %d are missing", c.Missing, c.Asked))
		all.add(suite)
	}
	out, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("outputs: cannot write JUnit: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(out)+"\n")
	return err
}

// add takes a case in.
func (s *junitSuite) add(o Outcome, gates bool, c junitCase, why string) {
	result := &junitResult{Message: why, Type: o.String()}
	s.Tests++
	switch {
	case o == Regression:
		s.Failures++
		c.Failure = result
	case o == NotEnough && !gates:
		s.Skipped++
		c.Skipped = &junitResult{Message: why}
	case o != Passed:
		s.Errors++
		c.Error = result
	}
	s.Cases = append(s.Cases, c)
}

// add takes a suite in.
func (s *junitSuites) add(of junitSuite) {
	s.Tests, s.Failures, s.Errors, s.Skipped = s.Tests+of.Tests, s.Failures+of.Failures, s.Errors+of.Errors, s.Skipped+of.Skipped
	s.Suites = append(s.Suites, of)
}
