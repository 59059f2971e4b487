package datasets

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzPrompts reads any bytes as a wording set, and words an example with what is accepted.
func FuzzPrompts(f *testing.F) {
	example, err := os.ReadFile(filepath.Join("..", "examples", "prompts.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte(`{"version": 1, "name": "x", "common": {"question": "{input}{{}}{option0}", "gold": "{answer}", "own": {"between": ""}}}`))
	f.Add([]byte(`{"version": 1, "name": "x", "tasks": {"mf": {"instruction": "{last.ask", "plain": null}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePrompts(text)
		if err != nil {
			return
		}
		e := Example{Context: "C", Turns: []Turn{{Input: "The x is", Answers: []string{"a"}, Options: []string{"o"}}, {Input: "y", Answers: []string{"b"}}}}
		for _, mode := range []string{"multi-turn", "multi-request", "single-turn"} {
			for _, set := range []*Prompts{p, Strict(p)} {
				w := set.Word(&MF, e, Setting{Mode: mode, Plain: len(text)%2 == 0, First: len(text) % 2})
				if _, err := w.Context(); err != nil {
					t.Errorf("the context cannot be worded, which check had to find: %v", err)
				}
				_ = w.Separator() + w.Between()
				for i := range e.Turns {
					_, _, _ = w.Ask(i, i > 0) // may want an option that is not there
					_, _ = w.Gold(i)
				}
			}
		}
		p.Leaks()
	})
}

// FuzzPredictions reads any bytes as the reference's predictions of any task.
func FuzzPredictions(f *testing.F) {
	f.Add(byte(0), []byte(`{"id": 0, "turn_idx": 0, "prediction": "p", "ground_truth": "v"}`+"\n"))
	f.Add(byte(6), []byte(`{"id": 0, "turn_idx": 1, "prediction": "B", "ground_truth": ["Snowfield", "B"]}`))
	f.Add(byte(11), []byte(`{"id": 0, "turn_idx": 1, "prediction": "B", "ground_truth": "v", "task": "scbench_kv", "lang": null, "repo": "a"}`))
	f.Fuzz(func(t *testing.T, which byte, text []byte) {
		task := Task{Name: publishedTasks[int(which)%len(publishedTasks)].name}
		path := filepath.Join(t.TempDir(), "p.jsonl")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		for p, err := range Predictions(path, task) {
			if err == nil && (p.ID < 0 || p.Turn < 0 || len(p.Answers) == 0 || p.Line < 1) {
				t.Errorf("%+v", p)
			}
		}
	})
}
