package main

import (
	"os"
	"path/filepath"
	"testing"

	"scbench/datasets"
	"scbench/datasets/metric"
)

// TestJudgeCode scores repeated functions by those of their repository that the file tells, whatever else stands in it.
func TestJudgeCode(t *testing.T) {
	const (
		load = `"def load(path):\n    with open(path) as f:\n        return f.read().strip().split(',')"`
		dump = `"def dump(path, rows):\n    with open(path, 'w') as f:\n        f.write(','.join(rows) + '!')"`
	)
	line := func(turn, prediction, gold, repo string) string {
		return `{"id": 0, "turn_idx": ` + turn + `, "prediction": ` + prediction + `, "ground_truth": ` + gold + `, "lang": "python", "repo": "` + repo + `", "func_name": "f"}` + "\n"
	}
	path := filepath.Join(t.TempDir(), "prediction_scbench_repoqa_scdq.jsonl")
	text := line("0", load, load, "a/b") + line("1", load, dump, "a/b") + line("2", `"no idea"`, load, "a/b") + line("3", dump, dump, "c/d")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	task := datasets.Task{Name: "repoqa"}
	all, pools, err := readPredictions(path, task)
	if err != nil || len(all) != 4 || len(pools["a/b"].Asked) != 3 || len(pools["c/d"].Asked) != 1 || pools["a/b"].Lang != "python" {
		t.Fatalf("%d predictions, pools %v, %v", len(all), pools, err)
	}
	for i, want := range []float64{1, 0, 0, 1} {
		sc, fixed, why := judge(task, all[i], nil, pools[all[i].Repo])
		if why != "" || fixed || sc.Strict != want {
			t.Errorf("line %d: %v, %v, %q, want %g", i+1, sc, fixed, why, want)
		}
	}
	bad := all[0]
	bad.Lang = "cobol"
	if _, _, why := judge(task, bad, nil, metric.Pool{}); why == "" {
		t.Error("cobol is judged")
	}
}
