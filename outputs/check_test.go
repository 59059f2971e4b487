package outputs

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestAppendRefuses(t *testing.T) {
	good := sampleRow(0, "kv", 0, MultiTurn, full, 1)
	for name, spoil := range map[string]func(*Row){
		"turns count from 1":       func(r *Row) { r.Result.Turn = 0 },
		"lacks a task":             func(r *Row) { r.Result.Task = "" },
		"unknown mode":             func(r *Row) { r.Result.Mode = "both" },
		"unknown history":          func(r *Row) { r.Result.History = "" },
		"unknown status":           func(r *Row) { r.Result.Status = "" },
		"unknown finish":           func(r *Row) { r.Result.Finish = "eos" },
		"unknown evidence":         func(r *Row) { r.Result.Evidence = "" },
		"score 1.5":                func(r *Row) { r.Result.ScoreFixed = ptr(1.5) },
		"score_strict holds NaN":   func(r *Row) { r.Result.ScoreStrict = ptr(nan()) },
		"status failed must carry": func(r *Row) { r.Result.Status = Failed },
		"status timed_out must":    func(r *Row) { r.Result.Status, r.Result.ScoreFixed, r.Result.ScoreStrict = TimedOut, nil, nil },
		"exceeds prompt_tokens":    func(r *Row) { r.Result.CachedTokens = 1 << 20 },
		"exceeds kv_bytes_resid":   func(r *Row) { r.Result.KVBytesShared = 1 << 40 },
		"not in order":             func(r *Row) { r.Result.KeptMean = 1 },
		"new_tokens holds -1":      func(r *Row) { r.Result.NewTokens = -1 },
		"decode_s holds":           func(r *Row) { r.Timing.Decode = -1 },
		"token_s[1]":               func(r *Row) { r.Timing.Token = []float64{0, nan()} },
		"is there already":         func(*Row) {},
	} {
		t.Run(name, func(t *testing.T) {
			r := create(t, filepath.Join(t.TempDir(), "r"), 0)
			appendRows(t, r, []Row{good})
			bad := good
			if name != "is there already" {
				bad.Result.Turn++
			}
			spoil(&bad)
			wantError(t, r.Append(bad.Result, bad.Timing), name, "outputs: row ")
			if r.Counts().Rows != 1 {
				t.Error("a refused row was counted")
			}
			finish(t, r)
		})
	}
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}

func TestRunID(t *testing.T) {
	a, err := RunID([]byte(`{"a": 1, "b": [2, 1e3]}`), "data", "weights")
	if err != nil || len(a) != 16 {
		t.Fatal(a, err)
	}
	if b, _ := RunID([]byte(`{"b":[2,1e3],"a":1}`), "data", "weights"); b != a {
		t.Error("white space or the order of keys changed the id")
	}
	for _, other := range [][]string{{"dataweights"}, {"weights", "data"}, {"data", "weights", ""}} {
		if b, _ := RunID([]byte(`{"a":1,"b":[2,1e3]}`), other...); b == a {
			t.Errorf("hashes %q gave the same id", other)
		}
	}
	_, err = RunID([]byte(`{} {}`))
	wantError(t, err, "not valid JSON")
}

func TestOrderOfExamples(t *testing.T) {
	ids := []string{"kv-000010", "10", "9", "kv-000009", "010", "100000000000000000000", "", "a"}
	slices.SortFunc(ids, byNumber)
	if want := []string{"9", "010", "10", "100000000000000000000", "", "a", "kv-000009", "kv-000010"}; !slices.Equal(ids, want) {
		t.Errorf("order %q, want %q", ids, want)
	}
}
