package outputs

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// budgetRows are two tasks of two skills, so many sessions of two turns: a method of three settings, one whose settings cost the same,
// and full attention.
func budgetRows(sessions int) (rows []Result) {
	for _, task := range []struct{ name, skill string }{{"kv", "a"}, {"mf", "b"}} {
		for e := range sessions {
			for turn := int32(1); turn <= 2; turn++ {
				for _, m := range []struct {
					method string
					held   int64
					score  float64
				}{{"full", 1000, 0.8}, {"snapkv:budget=1", 125, 0.2}, {"snapkv:budget=4", 500, 0.6}, {"snapkv:budget=2", 250, 0.4}, {"quest:budget=1", 1010, 0.3}, {"quest:budget=2", 1010, 0.5}, {"full+x", 1, 1}} {
					x := m.score
					if task.name == "mf" {
						x /= 2
					}
					rows = append(rows, Result{Key: Key{Task: task.name, Example: fmt.Sprint(e), Turn: turn, Mode: MultiTurn, History: GoldHistory, Method: m.method}, Skill: task.skill,
						ScoreFixed: &x, Status: OK, KVBytesResident: m.held, KVBytesLogical: 1000, ReadBytesPerToken: float64(m.held) / 2})
				}
			}
		}
	}
	return rows
}

func curvesOf(rows []Result, by Bytes, at ...float64) []BudgetCurve {
	b := NewBudgets(by)
	for i := range rows {
		b.Add(&rows[i])
	}
	return b.Curves(at)
}

func TestBudgetsAreMatched(t *testing.T) {
	curves := curvesOf(budgetRows(5), BytesHeld, 0.0625, 0.125, 0.25*math.Sqrt2, 0.5, math.Sqrt(0.5), 1)
	if len(curves) != 1 {
		t.Fatalf("curves %+v; Quest's settings hold the same bytes, and full attention is no sweep", curves)
	}
	c := curves[0]
	if c.Method != "snapkv" || c.Settings != 3 || math.Abs(c.Least-0.125) > 1e-12 || math.Abs(c.From-0.125) > 1e-12 {
		t.Errorf("curve %+v", c)
	}
	want := []float64{math.NaN(), 0.15, 0.375, 0.45, 0.525, 0.6} // skills are .2 to .8 and half of that
	for i, iv := range c.At {
		if math.IsNaN(want[i]) != (iv.N == 0) || iv.N > 0 && math.Abs(iv.Value-want[i]) > 1e-9 {
			t.Errorf("at budget %d: %+v, want %v", i, iv, want[i])
		}
	}
	if want := (0.15 + 0.6) / 2; math.Abs(c.Area.Value-want) > 1e-9 || !c.Area.OK { // the curve is a line over the logarithm
		t.Errorf("area %+v, want %v", c.Area, want)
	}
	if diff := cmp.Diff(curves, curvesOf(budgetRows(5), BytesHeld, 0.0625, 0.125, 0.25*math.Sqrt2, 0.5, math.Sqrt(0.5), 1)); diff != "" {
		t.Errorf("the same rows give other curves:\n%s", diff)
	}
	if read := curvesOf(budgetRows(5), BytesRead, 0.25); math.Abs(read[0].Least-0.0625) > 1e-12 {
		t.Errorf("by bytes read: %+v", read)
	}
}

// TestBudgetsAreOfCommonSessions wants a session that one setting lacks to count in none.
func TestBudgetsAreOfCommonSessions(t *testing.T) {
	rows := budgetRows(4)
	for i := range rows {
		if r := &rows[i]; r.Example == "3" {
			if r.Method == "snapkv:budget=2" {
				r.Method = "snapkv:budget=3" // a setting of one session
			}
			*r.ScoreFixed = 1
		}
	}
	for _, c := range curvesOf(rows, BytesHeld, 0.5) {
		if c.Method == "snapkv" {
			t.Errorf("settings that share no session have a curve: %+v", c)
		}
	}
	var kept []Result
	for _, r := range rows {
		if r.Method != "snapkv:budget=3" {
			kept = append(kept, r)
		}
	}
	if c := curvesOf(kept, BytesHeld, 0.5)[0]; math.Abs(c.At[0].Value-0.45) > 1e-9 {
		t.Errorf("a session that one setting lacks counts: %+v", c.At[0])
	}
}

func TestArea(t *testing.T) {
	p := []budgetPoint{{0.25, 0.2}, {0.5, 0.6}, {1, 0.6}}
	for _, c := range []struct {
		from, to, want float64
		ok             bool
	}{{0.25, 1, 0.5, true}, {0.5, 1, 0.6, true}, {0.25, 0.5, 0.4, true}, {0.1, 0.5, 0.4, true}, {2, 3, 0, false}} {
		if got, ok := area(p, c.from, c.to); ok != c.ok || math.Abs(got-c.want) > 1e-12 {
			t.Errorf("from %v to %v: %v, %v; want %v", c.from, c.to, got, ok, c.want)
		}
	}
}

func TestBudgetTable(t *testing.T) {
	var b bytes.Buffer
	at := []float64{0.0625, 0.25}
	if err := BudgetTable(&b, curvesOf(budgetRows(5), BytesHeld, at...), BytesHeld, at, TableOptions{Color: Never}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"multi-turn, gold history", "snapkv         3  12.5%", "at 25.0%", "area from 12.5%", "37.5"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, b.String())
		}
	}
}
