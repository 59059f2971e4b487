package outputs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// world says what a method scores: the mean of a cell at a turn.
type world func(method, task string, mode Mode, history History, turn int32) float64

// worldMethods are what claims speak of.
var worldMethods = []string{"full", "ashape:init=16", "trishape:init=16", "minference:vertical=64", "streamingllm:init=16", "snapkv:budget=64", "snapkv:budget=256", "pyramidkv:budget=256", "kivi:bits=2", "kivi:bits=4", "llmlingua2:rate=0.5"}

var worldSkills = []struct{ task, skill string }{{"kv", "string retrieval"}, {"repoqa", "semantic retrieval"}, {"manyshot", "global information"}, {"summary", "global information"}}

// rows are those of a world: so many sessions of four turns, in both modes, own history too, whose scores lie so far around their mean.
func (w world) rows(sessions int, spread float64) (all []Result) {
	for mi, method := range worldMethods {
		for k, m := range []mode{{MultiTurn, GoldHistory}, {MultiTurn, OwnHistory}, {MultiRequest, NoHistory}} {
			for ti, s := range worldSkills {
				for e := range sessions {
					for turn := int32(1); turn <= 4; turn++ {
						x := w(method, s.task, m.mode, m.history, turn)
						if math.IsNaN(x) {
							continue
						}
						x = min(max(x+spread*noise(e, mi, ti, int(turn), k), 0), 1)
						r := Result{Key: Key{Task: s.task, Example: fmt.Sprint(e), Turn: turn, Mode: m.mode, History: m.history, Method: method}, Skill: s.skill,
							ScoreFixed: &x, ScoreStrict: &x, Status: OK, DataHash: "d" + s.task, KVBytesLogical: 1000, KVBytesResident: 1000, PrefillCells: 60, PrefillCellsDense: 100}
						if strings.HasPrefix(method, "snapkv") || strings.HasPrefix(method, "streaming") || strings.HasPrefix(method, "pyramid") {
							r.KVBytesResident = 250
						}
						if method == "snapkv:budget=64" {
							r.KVBytesResident = 60
						}
						all = append(all, r)
					}
				}
			}
		}
	}
	return all
}

// noise is a number in [-1, 1] that looks like chance.
func noise(of ...int) float64 {
	h := uint32(2166136261)
	for _, x := range of {
		h = (h ^ uint32(x+1)) * 16777619
		h ^= h >> 13
	}
	return float64(h%2001)/1000 - 1
}

// claimed is the world as the paper has it.
func claimed(method, task string, mode Mode, history History, turn int32) float64 {
	name, _, _ := strings.Cut(method, ":")
	later, text, apart := turn > 1, task == "kv", mode == MultiRequest
	switch {
	case history == OwnHistory && later:
		return claimed(method, task, mode, GoldHistory, turn) - 0.1
	case name == "streamingllm" || name == "snapkv" || name == "pyramidkv":
		switch {
		case method == "snapkv:budget=64":
			return 0.08
		case text && (later || apart):
			return 0.15
		case text:
			return 0.85
		case task == "summary" && name == "streamingllm":
			return 0.7
		}
		return 0.85
	case name == "ashape" && !later && !apart:
		return 0.5
	case (name == "ashape" || name == "trishape") && apart:
		return 0.75
	case task == "repoqa" && (name == "ashape" || name == "trishape" || name == "minference"):
		return 0.82
	case method == "kivi:bits=2" && text:
		return 0.5
	case name == "llmlingua2" && text:
		return 0.1
	}
	return 0.9
}

// level is the world in which nothing matters.
func level(string, string, Mode, History, int32) float64 { return 0.9 }

// otherwise is the world in which everything is the other way round.
func otherwise(method, task string, mode Mode, history History, turn int32) float64 {
	name, _, _ := strings.Cut(method, ":")
	switch {
	case name == "full":
		return 0.8
	case name == "trishape":
		return 0.6 - 0.05*float64(turn)
	case name == "ashape":
		return 0.75 - 0.05*float64(turn)
	case name == "kivi" && task != "kv" || name == "llmlingua2" && task == "manyshot":
		return 0.4
	case name == "minference" && mode == MultiRequest:
		return 0.3
	}
	return 0.85 + 0.01*float64(len(method)%11) // apart, and in the same order at all turns
}

func judge(t *testing.T, rows []Result, o FindingsOptions) map[string]Finding {
	t.Helper()
	var s Scores
	var sum Summary
	for i := range rows {
		s.Add(&rows[i])
		sum.Add(&rows[i])
	}
	all, err := Findings(&s, &sum, o)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Finding{}
	for _, f := range all {
		out[f.ID] = f
	}
	if len(out) != 14 {
		t.Fatalf("%d findings", len(out))
	}
	return out
}

// moving is a drift file whose divergence goes from one value to another.
func moving(t *testing.T, from, to float64) string {
	t.Helper()
	var rows []Drift
	for e := range 12 {
		for position := range int32(16) {
			x := from + (to-from)*float64(position)/15 + 0.02*noise(e, int(position))
			rows = append(rows, Drift{Task: "kv", Example: fmt.Sprint(e), Turn: 1, Method: DriftFull, Position: position, Prompt: 10,
				Overlap: ptr(0.5), TopMass: ptr(0.5), GeneratedMass: ptr(0.5), Entropy: ptr(1.0), Divergence: &x})
		}
	}
	return writeDrift(t, rows)
}

// spelt is a string whose parts all differ.
const spelt = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-+"

// spellings are answers of a model of which so many letters of spelt are right, or one more.
func spellings(model string, letters int) *Spelling {
	var s Spelling
	for e := range 12 {
		for turn := int32(1); turn <= 3; turn++ {
			n := letters
			if noise(len(model), e, int(turn)) > 0 {
				n++
			}
			s.Add(&Result{Model: model, DataHash: "d", Key: Key{Task: "prefixsuffix", Example: fmt.Sprint(e), Turn: turn, Mode: MultiTurn, Method: "full"},
				Prediction: spelt[:n] + "\n", Answers: []string{spelt}})
		}
	}
	return &s
}

// all are verdicts that are alike, but for some.
func all(v Verdict, but map[string]Verdict) map[string]Verdict {
	out := map[string]Verdict{}
	for _, c := range Claims {
		out[c.ID] = v
	}
	for id, other := range but {
		out[id] = other
	}
	return out
}

func TestFindings(t *testing.T) {
	for _, c := range []struct {
		name string
		rows []Result
		o    FindingsOptions
		want map[string]Verdict
	}{
		{"as the paper has it", world(claimed).rows(24, 0.04), FindingsOptions{Drift: moving(t, 0.1, 0.4), Spelling: []*Spelling{spellings("Jamba-1.5", 56), spellings("Llama-3", 32)}}, all(Holds, nil)},
		{"nothing matters", world(level).rows(24, 0.04), FindingsOptions{Drift: moving(t, 0.2, 0.2), Spelling: []*Spelling{spellings("Jamba-1.5", 32), spellings("Llama-3", 32)}},
			all(Fails, map[string]Verdict{"T2": NotPower, "T13": NotMeasured})}, // more than nothing cannot be excluded, and equals have no ranks
		{"the other way round", world(otherwise).rows(24, 0.04), FindingsOptions{Drift: moving(t, 0.4, 0.1), Spelling: []*Spelling{spellings("Llama-3", 56), spellings("Jamba-1.5", 32)}}, all(Fails, nil)},
		{"few sessions of any score", world(claimed).rows(3, 0.5), FindingsOptions{}, map[string]Verdict{"T1": NotPower, "T3": NotPower, "T5": NotPower, "T9": NotMeasured, "T10": NotMeasured}},
		{"full attention alone", onlyFull(world(claimed).rows(6, 0.1)), FindingsOptions{}, all(NotMeasured, nil)},
	} {
		for id, f := range judge(t, c.rows, c.o) {
			if want, asked := c.want[id]; asked && f.Verdict != want {
				t.Errorf("%s: %s %s, want %s: %s", c.name, id, f.Verdict, want, f.Why)
			}
			if f.Why == "" || f.Claim == "" || f.Needs == "" || len(f.Parts) == 0 || f.Verdict != NotMeasured && (f.Effect.N == 0 || f.Measure == "") {
				t.Errorf("%s: %s lacks something: %+v", c.name, id, f)
			}
		}
	}
}

func onlyFull(rows []Result) (out []Result) {
	for _, r := range rows {
		if r.Method == "full" && r.History != OwnHistory {
			out = append(out, r)
		}
	}
	return out
}

// TestFindingsAreWritten wants every claim in the table and in JSON, and no text of a run to reach the terminal as it is.
func TestFindingsAreWritten(t *testing.T) {
	rows := world(claimed).rows(6, 0.1)
	for i := range rows {
		rows[i].Method = strings.Replace(rows[i].Method, "ashape:init=16", "ashape:init=\x1b[31m16", 1)
	}
	var s Scores
	var sum Summary
	for i := range rows {
		s.Add(&rows[i])
		sum.Add(&rows[i])
	}
	found, err := Findings(&s, &sum, FindingsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var table, js bytes.Buffer
	if err := FindingsTable(&table, found, TableOptions{Width: 100, Color: Never}); err != nil {
		t.Fatal(err)
	}
	if err := FindingsJSON(&js, found); err != nil {
		t.Fatal(err)
	}
	var back []Finding
	if err := json.Unmarshal(js.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(found, back); diff != "" {
		t.Errorf("JSON says otherwise:\n%s", diff)
	}
	for _, f := range found {
		if !strings.Contains(table.String(), fmt.Sprintf("%-4s%s", f.ID, f.Verdict)) {
			t.Errorf("%s is not in the table:\n%s", f.ID, table.String())
		}
	}
	if strings.Contains(table.String(), "\x1b") {
		t.Error("an escape sequence of a method's name reaches the terminal")
	}
	if _, err := Findings(&s, &sum, FindingsOptions{Drift: "nowhere.parquet"}); err == nil {
		t.Error("a file of drift that is not there is no error")
	}
}

// TestCommonSpan compares with looking at every part.
func TestCommonSpan(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "x", 0}, {"abc", "abc", 3}, {"xabcy", "zabcw", 3}, {"abab", "baba", 3}, {"ab", "cd", 0}} {
		if got := commonSpan(c.a, c.b); got != c.want {
			t.Errorf("%q and %q have %d bytes in common, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestSpearman(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64
		ok   bool
	}{
		{[]float64{1, 2, 3}, []float64{10, 20, 30}, 1, true},
		{[]float64{1, 2, 3}, []float64{3, 2, 1}, -1, true},
		{[]float64{1, 2, 2, 3}, []float64{1, 2, 2, 3}, 1, true},
		{[]float64{1, 2, 3, 4}, []float64{2, 1, 4, 3}, 0.6, true},
		{[]float64{1, 1, 1}, []float64{1, 2, 3}, 0, false},
	} {
		if got, ok := spearman(c.a, c.b); ok != c.ok || math.Abs(got-c.want) > 1e-12 {
			t.Errorf("of %v and %v: %v, %v", c.a, c.b, got, ok)
		}
	}
}
