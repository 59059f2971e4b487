package report

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"scbench/outputs"
)

const (
	full   = "full"
	snapkv = "snapkv:budget=256,window=32"
	quest  = "quest:budget=256,page=16"
)

func ptr[T any](x T) *T { return &x }

// sample says what a made run is like.
type sample struct {
	tasks, methods []string
	examples       int
	turns          int32
	text           func(i int) string // prediction of row i that is wrong
	id             string
}

var small = sample{tasks: []string{"kv", "mf"}, methods: []string{full, snapkv, quest}, examples: 9, turns: 3, id: "small",
	text: func(i int) string { return fmt.Sprint("wrong ", i) }}

// rows are those of the run, in the order of its plan.
func (s sample) rows(each func(outputs.Row)) {
	i := 0
	for ti, task := range s.tasks {
		for e := range s.examples {
			for _, mode := range []outputs.Mode{outputs.MultiTurn, outputs.MultiRequest} {
				for mi, method := range s.methods {
					for turn := int32(1); turn <= s.turns; turn++ {
						each(s.row(i, ti, task, e, mode, mi, method, turn))
						i++
					}
				}
			}
		}
	}
}

func (s sample) row(i, ti int, task string, e int, mode outputs.Mode, mi int, method string, turn int32) outputs.Row {
	k := outputs.Key{Run: s.id, Task: task, Example: fmt.Sprintf("%s-%06d", task, e), Turn: turn, Mode: mode, History: outputs.GoldHistory, Method: method}
	if mode == outputs.MultiRequest {
		k.History = outputs.NoHistory
	}
	right := mi == 0 || (e*7+mi*3+int(turn)*5)%(mi+2) == 0
	answer, got := fmt.Sprintf("answer %d of %s", turn, k.Example), 0.0
	prediction := s.text(i)
	if right {
		prediction, got = answer, 1
	}
	r := outputs.Result{Key: k, Skill: []string{"string retrieval", "global information"}[ti%2], DataHash: "d" + task, PromptHash: fmt.Sprint(task, e, turn, mode), Build: "test", KernelTier: "go",
		Prediction: prediction, PredictionRaw: prediction, Answers: []string{answer}, ScoreStrict: ptr(got), ScoreFixed: ptr(got), Status: outputs.OK, Finish: outputs.Stopped,
		Question: turn, Evidence: outputs.EvidenceKept, EvidenceDepth: ptr(float64(e%10)/10 + 0.05), PromptTokens: 1000, ComputedTokens: 1000, NewTokens: 8, KeptMin: 1000, KeptMean: 1000, KeptMax: 1000,
		KVBytesLogical: 1 << 20, KVBytesResident: 1<<20 + int64(e), ReadBytesPerToken: 1 << 18, PrefillCells: 100, PrefillCellsDense: 100, DecodeCells: 10, DecodeCellsDense: 10}
	if method != full && mi%2 == 1 {
		r.KeptMin, r.KeptMean, r.KeptMax, r.KVBytesResident, r.BudgetTokens = 256, 256, 256, 1<<18, ptr(int32(256))
		if turn == 1 {
			r.KeptHeads, r.KeptPlaces = []int32{256, 256, 200, 312}, make([]int32, 2*outputs.KeptParts)
			for layer := range 2 {
				r.KeptPlaces[layer*outputs.KeptParts] = 64
				r.KeptPlaces[(layer+1)*outputs.KeptParts-1] = 448
			}
		}
	}
	return outputs.Row{Result: r, Timing: outputs.Timing{Key: k, TTFT: 0.1 * float64(turn), Decode: 0.08, Token: []float64{0.01}}}
}

// write makes the run's folder and returns its results file.
func (s sample) write(t testing.TB, dir string, change func(*outputs.Row)) string {
	t.Helper()
	n := len(s.tasks) * s.examples * 2 * len(s.methods) * int(s.turns)
	m := outputs.Manifest{Run: s.id, Build: "test", Config: json.RawMessage(`{}`), Hashes: map[string]string{"weights": "w"}, Counts: outputs.Counts{Planned: n},
		Order: outputs.Order{Tasks: s.tasks, Modes: []outputs.Mode{outputs.MultiTurn, outputs.MultiRequest}, Histories: []outputs.History{outputs.GoldHistory, outputs.NoHistory}, Methods: s.methods}}
	dir = filepath.Join(dir, s.id)
	run, err := outputs.Create(dir, m, false)
	if err != nil {
		t.Fatal(err)
	}
	s.rows(func(row outputs.Row) {
		if change != nil {
			change(&row)
		}
		if err := run.Append(row.Result, row.Timing); err != nil {
			t.Fatal(err)
		}
	})
	run.Spent(outputs.Cost{Machine: "a machine", Threads: 2, Kernels: "go", Alone: 600, Computed: 120, Bound: 100})
	if err := run.Finish(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, outputs.ResultsFile)
}

func read(t testing.TB, paths ...string) *Report {
	t.Helper()
	r, err := Read(paths, Options{Tasks: []Entry{{"kv", "Retr.KV", "string retrieval", "Look up values."}}, Methods: []Entry{{"snapkv", "", "compression", "Keeps some."}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func page(t testing.TB, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }
