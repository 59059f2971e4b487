package datasets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// predictionsOf reads text as predictions of a task.
func predictionsOf(t *testing.T, task, text string) (all []Prediction, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p.jsonl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for p, err := range Predictions(path, Task{Name: task}) {
		if err != nil {
			return all, err
		}
		all = append(all, p)
	}
	return all, nil
}

// TestPredictions reads a line of each shape that the reference writes.
func TestPredictions(t *testing.T) {
	for _, c := range []struct {
		task, line string
		want       Prediction
	}{
		{"kv", `{"id": 3, "turn_idx": 2, "prediction": "v.", "ground_truth": "v"}`, Prediction{Line: 1, ID: 3, Turn: 2, Text: "v.", Answers: []string{"v"}}},
		{"vt", `{"id": 0, "turn_idx": 0, "prediction": "", "ground_truth": ["A", "B"]}`, Prediction{Line: 1, Answers: []string{"A", "B"}}},
		{"qaeng", `{"id": 0, "turn_idx": 0, "prediction": "x", "ground_truth": ["nobody"]}`, Prediction{Line: 1, Text: "x", Answers: []string{"nobody"}}},
		{"choiceeng", `{"id": 0, "turn_idx": 0, "prediction": "B", "ground_truth": ["Snowfield", "B"]}`, Prediction{Line: 1, Text: "B", Answers: []string{"Snowfield", "B"}}},
		{"mf", `{"id": 0, "turn_idx": 0, "prediction": "1", "ground_truth": 999}`, Prediction{Line: 1, Text: "1", Answers: []string{"999"}, Number: true}},
		{"summarywithneedles", `{"id": 0, "turn_idx": 1, "prediction": "1", "ground_truth": 12, "task": "scbench_passkey"}`, Prediction{Line: 1, Turn: 1, Text: "1", Answers: []string{"12"}, Part: "passkey", Number: true}},
		{"repoqa", `{"id": 0, "turn_idx": 0, "prediction": "f", "ground_truth": "def f()", "lang": "python", "repo": "a/b", "func_name": "f"}`,
			Prediction{Line: 1, Text: "f", Answers: []string{"def f()"}, Lang: "python", Repo: "a/b", Function: "f"}},
		{"repoqaandkv", `{"id": 0, "turn_idx": 0, "prediction": "f", "ground_truth": "v", "task": "scbench_kv", "lang": null}`, Prediction{Line: 1, Text: "f", Answers: []string{"v"}, Part: "kv"}},
	} {
		got, err := predictionsOf(t, c.task, c.line)
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		if d := cmp.Diff(c.want, got[0], cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: %s", c.line, d)
		}
	}
}

// TestPredictionErrors spoils the second line.
func TestPredictionErrors(t *testing.T) {
	good := `{"id": 0, "turn_idx": 0, "prediction": "p", "ground_truth": "v"}`
	for _, c := range []struct{ task, line, want string }{
		{"kv", good, "field turn_idx: turn 0 of id 0 stands in line 1 already"},
		{"kv", `{"id": "0", "turn_idx": 1, "prediction": "p", "ground_truth": "v"}`, `field id: want integer, have string "0"`},
		{"kv", `{"id": 0, "prediction": "p", "ground_truth": "v"}`, "field turn_idx: want integer, have nothing"},
		{"kv", `{"id": 0, "turn_idx": 1, "ground_truth": "v"}`, "field prediction: want string, have nothing"},
		{"kv", `{"id": 0, "turn_idx": 1, "prediction": ["p"], "ground_truth": "v"}`, "field prediction: want string, have list of 1"},
		{"kv", `{"id": 0, "turn_idx": 1, "prediction": "p"}`, "field ground_truth: want string or list of strings, have nothing"},
		{"kv", `{"id": 0, "turn_idx": 1, "prediction": "p", "ground_truth": ""}`, "field ground_truth: the answer is empty, which every answer would match"},
		{"kv", `{"id": -1, "turn_idx": 1, "prediction": "p", "ground_truth": "v"}`, "field id: id and turn_idx count from 0, have -1 and 1"},
		{"kv", `{"id": 0, "turn_idx": 1, "prediction": "p", "ground_truth": "v", "task": "scbench_kv"}`, "field task: kv has no subtasks"},
		{"kv", `{"id": 0, "turn_idx": 1, "prediction": "p", "ground_truth": "v", "note": 1}`, "field note: the field is not known; predictions have id, turn_idx, prediction"},
		{"kv", "{\"id\": 0, \"turn_idx\": 1, \"prediction\": \"p\", \"ground_truth\": \"v\", \"\\u001b[2J\\u202e\": 1}", `field \u001b[2J\u202e: the field is not known`},
		{"kv", `{"id": 0, "turn_idx": 1, "prediction": "` + strings.Repeat("a ", maxAnswer/2+1) + `", "ground_truth": "v"}`, "field prediction: an answer of 262146 bytes cannot be one; at most 262144 are judged"},
		{"kv", `{"id": 0, "turn_idx": 1, "prediction": "p", "ground_truth": ["v", "` + strings.Repeat("a", maxAnswer+1) + `"]}`, "field ground_truth: an answer of 262145 bytes cannot be one"},
		{"kv", `{"id": 0, "id": 0}`, `field "id" is there twice`},
		{"kv", `{"id": 0`, "is not JSON"},
	} {
		_, err := predictionsOf(t, c.task, good+"\n"+c.line)
		if err == nil || !strings.Contains(err.Error(), "p.jsonl: row 2: "+c.want) && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, have %v", c.line, c.want, err)
		}
	}
	for task, c := range map[string][2]string{
		"choiceeng":   {`{"id": 0, "turn_idx": 0, "prediction": "p", "ground_truth": ["Snowfield"]}`, "field ground_truth: want the option's text and its letter, have 1 texts"},
		"mf":          {`{"id": 0, "turn_idx": 0, "prediction": "p", "ground_truth": "x"}`, `field ground_truth: want integer, have string "x"`},
		"repoqaandkv": {`{"id": 0, "turn_idx": 0, "prediction": "p", "ground_truth": "x"}`, "field task: want string, have nothing"},
		"unheard":     {good, "there is no published data"},
	} {
		if _, err := predictionsOf(t, task, c[0]); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: want %q, have %v", task, c[1], err)
		}
	}
	if _, err := predictionsOf(t, "kv", "\n"); err == nil {
		t.Error("an empty file has predictions")
	}
}

func TestPredictionFile(t *testing.T) {
	for path, want := range map[string][2]string{
		"out/llama/prediction_scbench_kv_multi_turn.jsonl":          {"scbench_kv", "multi-turn"},
		"prediction_scbench_summary_with_needles_scdq_lingua.jsonl": {"scbench_summary_with_needles", "multi-request"},
		"prediction_scbench_kv.jsonl":                               {},
		"predictions.jsonl":                                         {},
	} {
		task, mode, ok := PredictionFile(path)
		if task != want[0] || mode != want[1] || ok != (want[0] != "") {
			t.Errorf("%s: %q, %q, %v", path, task, mode, ok)
		}
	}
}

// TestNeedsOptions scores answers with and without a turn's options: only tasks that say so may judge otherwise.
func TestNeedsOptions(t *testing.T) {
	tasks, _, err := Buildable("1k")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		rows, err := Generate(t.Context(), task, BuildOptions{Profile: "1k", Seed: 3, Examples: 2})
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range rows {
			if err != nil {
				t.Fatal(err)
			}
			for _, turn := range row.Example.Turns {
				if task.NeedsOptions(turn.Part) {
					continue
				}
				bare := Turn{Answers: turn.Answers, Part: turn.Part}
				for _, answer := range []string{"", task.Gold(turn), "A", strings.Join(turn.Options, " "), row.Example.Turns[0].Answers[0]} {
					if a, b := task.Score(answer, turn), task.Score(answer, bare); a != b {
						t.Errorf("%s: %q scores %v, and %v by the gold answers alone", task.Name, answer, a, b)
					}
				}
			}
		}
	}
}
