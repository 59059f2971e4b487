package outputs

import (
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// answered is a run of tasks × examples × 5 turns of full attention; right says which answers are.
func answered(tasks []string, examples int, right func(task, example int, turn int32) bool) []Result {
	var rows []Result
	for ti, task := range tasks {
		for e := range examples {
			for turn := int32(1); turn <= 5; turn++ {
				r := sampleRow(ti, task, e, MultiTurn, full, turn).Result
				score := 0.0
				if right(ti, e, turn) {
					score = 1
				}
				r.ScoreFixed, r.ScoreStrict, r.Prediction = ptr(score), ptr(score), fmt.Sprint(score)
				rows = append(rows, r)
			}
		}
	}
	return rows
}

func scoresFrom(rows []Result) *Scores {
	s := &Scores{}
	for i := range rows {
		s.Add(&rows[i])
	}
	return s
}

var options = CompareOptions{Alpha: 0.05, Level: 0.95}

func mostly(_, e int, turn int32) bool { return (e+int(turn))%5 != 0 }

func TestEstimatesAreTheSummaryAndAnInterval(t *testing.T) {
	rows := results(sampleRows([]string{"kv", "vt", "mf"}, 20, 4))
	cells := Summarize(rows)
	all := scoresFrom(rows).Estimates()
	seen := 0
	for _, e := range all {
		want, ok := 0.0, false
		var decay float64
		for _, b := range cells.blocks() {
			if b.mode != e.Mode || b.history != e.History {
				continue
			}
			var of []Cell
			for _, c := range b.of(e.Method) {
				if e.Task == "" || e.Task == c.Task {
					of = append(of, c)
				}
			}
			want, ok = overSkills(of, Cell.Fixed)
			decay, _ = overSkills(of, Cell.Decay)
		}
		if !ok || math.Abs(e.Fixed.Value-want) > 1e-12 || math.Abs(e.Decay.Value-decay) > 1e-12 {
			t.Errorf("%s %s %s: %v, decay %v; the summary has %v, %v", e.Mode, e.Task, e.Method, e.Fixed.Value, e.Decay.Value, want, decay)
		}
		if !(e.Fixed.OK && e.Fixed.Low <= want && want <= e.Fixed.High && e.Fixed.High-e.Fixed.Low < 1) {
			t.Errorf("interval %+v", e.Fixed)
		}
		seen++
	}
	if seen != 2*4*4 { // modes × methods × (three tasks and all)
		t.Errorf("%d estimates", seen)
	}
	if a, b := fmt.Sprint(all), fmt.Sprint(scoresFrom(rows).Estimates()); a != b {
		t.Error("the same rows give other intervals")
	}
}

func TestEstimatesOfFailures(t *testing.T) {
	rows := answered([]string{"kv"}, 20, mostly)
	for i := range 10 {
		rows[i].Status, *rows[i].ScoreFixed = Failed, 0
	}
	e := scoresFrom(rows).Estimates()[0]
	if e.Failed != 10 || e.N != 100 || !e.Withheld() || math.Abs(e.Most-e.Fixed.Value-0.1) > 1e-12 {
		t.Errorf("%+v", e)
	}
	var out strings.Builder
	if err := EstimatesTable(&out, []Estimate{e}, TableOptions{}); err != nil {
		t.Fatal(err)
	}
	if line := strings.Split(out.String(), "\n")[2]; !strings.Contains(line, "10 ") || !strings.Contains(line, oneDecimal(100*e.Most)) || strings.Contains(line, "[") {
		t.Errorf("a headline in spite of failures, or no bounds: %q", line)
	}
}

func TestNoHeadlineAboveAShareOfFailures(t *testing.T) {
	for failed, want := range map[int]string{5: "full   80.0", 6: "full      –"} { // of 100; the columns are method and strict
		rows := answered([]string{"kv"}, 20, mostly)
		for i := 0; failed > 0; i++ {
			if *rows[i].ScoreFixed == 0 { // so that the mean stays
				rows[i].Status = Failed
				failed--
			}
		}
		s := Summarize(rows)
		col := (&s.blocks()[0]).headlineColumns()[0]
		if got := "full " + fmt.Sprintf("%6s", col.fields[0].plain()); col.head != "strict" || got != want {
			t.Errorf("column %s has %q, want %q", col.head, got, want)
		}
	}
}

func TestCompareFindsAndDoesNot(t *testing.T) {
	tasks := []string{"kv", "vt"}
	a := answered(tasks, 40, mostly)
	b := answered(tasks, 40, func(task, e int, turn int32) bool { return mostly(task, e, turn) && (task == 0 || e%3 != 0) })
	c, err := Compare(scoresFrom(a), scoresFrom(b), options)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Lines) != 3 {
		t.Fatalf("%d lines", len(c.Lines))
	}
	same, worse, all := c.Lines[0], c.Lines[1], c.Lines[2]
	if c.Verdict(same) != "–" || same.P != 1 || same.Changed != 0 || !math.IsNaN(same.Smallest) || same.McNemar != 1 {
		t.Errorf("same answers: %+v", same)
	}
	if c.Verdict(worse) != "worse" || worse.Worse != 56 || worse.Better != 0 || worse.N != 200 || worse.Sessions != 40 || !(worse.Diff.High < 0) || !(worse.Smallest < 0.28) {
		t.Errorf("a third lost: %+v", worse)
	}
	if math.Abs(worse.Diff.Value-(worse.B-worse.A)) > 1e-12 || math.Abs(all.Diff.Value-worse.Diff.Value/2) > 1e-12 || c.Verdict(all) != "worse" || all.N != 400 {
		t.Errorf("all: %+v", all)
	}
	if !(worse.Holm >= worse.P && all.HolmLess <= 0.05) {
		t.Errorf("p %v, Holm %v", worse.P, worse.Holm)
	}
	back, err := Compare(scoresFrom(b), scoresFrom(a), options)
	if err != nil || back.Verdict(back.Lines[1]) != "better" || back.Lines[1].Diff.Value != -worse.Diff.Value {
		t.Errorf("the other way round: %+v, %v", back.Lines[1], err)
	}
}

func TestCompareMethodsOfARun(t *testing.T) {
	s := scoresFrom(results(sampleRows([]string{"kv"}, 40, 4)))
	o := options
	o.Baseline = "full"
	c, err := Compare(s, s, o)
	if err != nil || len(c.Lines) != 6 { // three methods in two modes
		t.Fatalf("%d lines, %v", len(c.Lines), err)
	}
	for _, l := range c.Lines {
		if l.MethodA != full || l.MethodB == full || l.N != 160 {
			t.Errorf("line %+v", l)
		}
		if want := map[bool]string{true: "worse", false: c.Verdict(l)}[l.MethodB != quest]; c.Verdict(l) != want {
			t.Errorf("%s in %s is %s", l.MethodB, l.Mode, c.Verdict(l))
		}
	}
	few := scoresFrom(results(sampleRows([]string{"kv"}, 7, 4)))
	if c, err = Compare(few, few, o); err != nil {
		t.Fatal(err)
	}
	for _, l := range c.Lines { // 2/2^7 is not significant among six
		if got := c.Verdict(l); got != "too few" {
			t.Errorf("of 7 sessions %s is %s", l.MethodB, got)
		}
	}
	o.Baseline = "nobody"
	if _, err := Compare(s, s, o); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("a method that is not there: %v", err)
	}
}

func TestCompareRefusesAndSaysWhy(t *testing.T) {
	base := func() []Result { return answered([]string{"kv"}, 10, mostly) }
	for _, c := range []struct {
		name, why string
		change    func(*Result)
	}{
		{"another task", "kv multi-turn/gold of full; B has vt", func(r *Result) { r.Task = "vt" }},
		{"another mode", "single-turn", func(r *Result) { r.Mode, r.History = SingleTurn, NoHistory }},
		{"other data", "data_hash", func(r *Result) { r.DataHash, r.PromptHash = "e", "p" }},
		{"another order", "--shuffle", func(r *Result) { r.Answers, r.PromptHash = []string{strconv.Itoa(int(r.Turn))}, "p" }},
		{"other examples", "50 of A's 50 queries are not in B", func(r *Result) { r.Example += "x" }},
		{"no scores", "none has a score", func(r *Result) { r.ScoreFixed, r.ScoreStrict = nil, nil }},
	} {
		b := base()
		for i := range b {
			c.change(&b[i])
		}
		if _, err := Compare(scoresFrom(base()), scoresFrom(b), options); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	b := base()
	for i := range b {
		b[i].DataHash = "another number of examples" // but every prompt is the same
	}
	if c, err := Compare(scoresFrom(base()), scoresFrom(b), options); err != nil || c.Lines[0].N != 50 {
		t.Errorf("the same prompts: %v", err)
	}
	if _, err := Compare(scoresFrom(base()), &Scores{}, options); err == nil {
		t.Error("a run without rows is compared")
	}
}

func TestGateOutcomes(t *testing.T) {
	tasks := []string{"kv", "vt"}
	worse := func(task, e int, turn int32) bool { return mostly(task, e, turn) && e%4 != 0 }
	moved := func(_, e int, turn int32) bool { return (e*7+int(turn)*3)%5 != 0 }
	little := func(task, e int, turn int32) bool {
		return mostly(task, e, turn) && !(task == 0 && e%50 == 1 && turn == 1)
	}
	for _, c := range []struct {
		name     string
		examples int
		run      func(int, int, int32) bool
		fail     int
		drop     int
		want     Outcome
	}{
		{"the same", 40, mostly, 0, 0, Passed},
		{"a small loss", 200, little, 0, 0, Passed},
		{"a fourth lost", 40, worse, 0, 0, Regression},
		{"other answers, few sessions", 6, moved, 0, 0, NotEnough},
		{"failures", 40, worse, 60, 0, Infrastructure},
		{"missing rows", 40, mostly, 0, 60, Infrastructure},
		{"few missing rows", 40, mostly, 0, 10, Passed},
	} {
		rows := answered(tasks, c.examples, c.run)
		for i := range c.fail {
			rows[i].Status, *rows[i].ScoreFixed = TimedOut, 0
		}
		g, err := Judge(scoresFrom(answered(tasks, c.examples, mostly)), scoresFrom(rows[c.drop:]), GateOptions{Drop: 0.02, Alpha: 0.05, MaxFailed: 0.05})
		if err != nil {
			t.Fatal(err)
		}
		if g.Outcome != c.want {
			t.Errorf("%s: %s, want %s: %+v", c.name, g.Outcome, c.want, g.Rulings)
		}
		var junit strings.Builder
		if err := g.JUnit(&junit); err != nil {
			t.Fatal(err)
		}
		var is junitSuites
		if err := xml.Unmarshal([]byte(junit.String()), &is); err != nil {
			t.Fatal(err)
		}
		if bad := is.Failures > 0; bad != (c.want == Regression) && c.want != Infrastructure {
			t.Errorf("%s: JUnit has %d failures", c.name, is.Failures)
		}
		if (is.Failures+is.Errors > 0) != (c.want != Passed) {
			t.Errorf("%s: JUnit has %d failures and %d errors", c.name, is.Failures, is.Errors)
		}
	}
}

func TestStatisticsAreInert(t *testing.T) {
	rows := answered([]string{"kv"}, 10, mostly)
	other := answered([]string{"kv"}, 10, func(task, e int, turn int32) bool { return !mostly(task, e, turn) })
	for i := range rows {
		for _, r := range []*Result{&rows[i], &other[i]} {
			r.Task, r.Method = "=evil\x1b[2J\u202e|</testcase>", "m\x1b]0;t\x07<b>"
		}
	}
	a, b := scoresFrom(rows), scoresFrom(other)
	c, err := Compare(a, b, options)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Judge(a, b, GateOptions{Drop: 0.02, Alpha: 0.05, MaxFailed: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	var all, sheet strings.Builder
	for _, err := range []error{EstimatesTable(&all, a.Estimates(), TableOptions{}), c.Table(&all, TableOptions{}), c.Markdown(&all), c.CSV(&sheet),
		g.Table(&all, TableOptions{}), g.Markdown(&all), g.JUnit(&all)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if strings.ContainsAny(all.String()+sheet.String(), "\x1b\x07\u202e") {
		t.Error("control characters come through")
	}
	if strings.Contains(all.String()[strings.Index(all.String(), "<?xml"):], "|</testcase>") {
		t.Error("a name ends an element of JUnit")
	}
	lines, err := csv.NewReader(strings.NewReader(sheet.String())).ReadAll()
	if err != nil || len(lines) != 2 || lines[1][2] != "'=evil|</testcase>" {
		t.Errorf("CSV %q, %v", lines, err)
	}
}

// TestCompareSimulated draws pairs of runs of three tasks that do not differ. Some line of the table is found to in at most 5.5 % of
// them (SCBENCH_SIMULATIONS=2000; fewer runs, with room for their noise, by default).
func TestCompareSimulated(t *testing.T) {
	runs, noise := 150, 4*math.Sqrt(0.05*0.95/150)
	if s := os.Getenv("SCBENCH_SIMULATIONS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		runs, noise = n, 0
	}
	draw := uint64(1)
	random := func() float64 { // xorshift64*
		draw ^= draw >> 12
		draw ^= draw << 25
		draw ^= draw >> 27
		return float64(draw*0x2545f4914f6cdd1d>>11) / (1 << 53)
	}
	found := 0
	for range runs {
		var ease [3][20]float64
		for i := range ease {
			for k := range ease[i] {
				ease[i][k] = random() // what the turns of a session have in common
			}
		}
		own := func() func(int, int, int32) bool {
			var shift [3][20]float64
			for i := range shift {
				for k := range shift[i] {
					shift[i][k] = 0.3 * (random() - 0.5) // and what those of one run have
				}
			}
			return func(task, e int, _ int32) bool { return random() < ease[task][e]+shift[task][e] }
		}
		tasks := []string{"kv", "vt", "mf"}
		c, err := Compare(scoresFrom(answered(tasks, 20, own())), scoresFrom(answered(tasks, 20, own())), options)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range c.Lines {
			if v := c.Verdict(l); v == "better" || v == "worse" {
				found++
				break
			}
		}
	}
	share := float64(found) / float64(runs)
	t.Logf("a difference that is none is found in %.2f %% of %d tables", 100*share, runs)
	if share > 0.055+noise {
		t.Errorf("%.2f %% of tables find a difference that is none", 100*share)
	}
}
