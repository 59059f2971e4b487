package datasets

import (
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Prediction is an answer as the reference implementation writes it: a line of prediction_<task>_<mode>.jsonl.
type Prediction struct {
	Line     int      // from 1
	ID       int      // the row of the published data, from 0; an imported example has it as its ID
	Turn     int      // from 0
	Text     string   // the answer
	Answers  []string // the gold answers; of En.MultiChoice the option's text and its letter
	Number   bool     // the gold answer is a number and not a text
	Part     string   // mixed tasks: the subtask, as Turn.Part; else ""
	Repo     string   // code tasks: the repository, the language and the function's name; else ""
	Lang     string
	Function string
}

// maxAnswer bounds what is judged, in bytes. The longest answers that are asked for have 1,024 tokens. Some scores take the product of
// two lengths.
const maxAnswer = 256 << 10

var predictionName = regexp.MustCompile(`^prediction_(.+)_(multi_turn|scdq)(_lingua)?\.jsonl$`)

// PredictionFile tells from its name what a file of the reference holds: the task, and the mode as multi-turn or multi-request. ok is
// false for other names.
func PredictionFile(path string) (task, mode string, ok bool) {
	m := predictionName.FindStringSubmatch(filepath.Base(path))
	if m == nil {
		return "", "", false
	}
	return m[1], map[string]string{"multi_turn": "multi-turn", "scdq": "multi-request"}[m[2]], true
}

// Predictions yields the answers of a file that the reference implementation wrote for task, with the fields id, turn_idx, prediction,
// ground_truth and, where they belong, task, lang, repo and func_name. Any other field, a missing one, one of another type, a label that the task
// does not have, an answer of more than 256 KiB, and one that is there twice are errors that name file, line and field; the sequence ends after one.
func Predictions(path string, task Task) iter.Seq2[Prediction, error] {
	return func(yield func(Prediction, error) bool) {
		kind, err := publishedKind(task.Name)
		if err == nil {
			err = wantFormat(path, formatJSONL, "the reference's predictions are JSON lines")
		}
		if err != nil {
			yield(Prediction{}, err)
			return
		}
		type key struct{ id, turn int }
		seen := map[key]int{}
		for l, err := range jsonLines(path) {
			var p Prediction
			if err == nil {
				at := place{file: path, row: l.number}
				p, err = predictionOf(at, l.rec, kind)
				if first, twice := seen[key{p.ID, p.Turn}]; err == nil && twice {
					err = at.field("turn_idx").errorf("turn %d of id %d stands in line %d already", p.Turn, p.ID, first)
				}
				seen[key{p.ID, p.Turn}] = l.number
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
		if len(seen) == 0 {
			yield(Prediction{}, fmt.Errorf("%s: there is no prediction in it", path))
		}
	}
}

func predictionOf(at place, rec record, kind publishedTask) (p Prediction, err error) {
	known := []string{"id", "turn_idx", "prediction", "ground_truth", "task", "lang", "repo", "func_name"}
	for _, f := range rec {
		if !slices.Contains(known, f.name) {
			return p, at.field(f.name).errorf("the field is not known; predictions have %s", strings.Join(known, ", "))
		}
	}
	f := fields{at: at, rec: rec}
	p = Prediction{Line: at.row, ID: f.integer("id"), Turn: f.integer("turn_idx"), Text: f.text("prediction")}
	gold := f.value("ground_truth")
	for _, o := range []struct {
		name string
		to   *string
	}{{"lang", &p.Lang}, {"repo", &p.Repo}, {"func_name", &p.Function}} {
		if _, has := rec.get(o.name); has {
			*o.to = f.text(o.name)
		}
	}
	if f.err != nil {
		return p, f.err
	}
	if p.ID < 0 || p.Turn < 0 {
		return p, at.field("id").errorf("id and turn_idx count from 0, have %d and %d", p.ID, p.Turn)
	}
	if p.Answers, err = (normaliser{kind: kind}).answers(at.field("ground_truth"), gold); err != nil {
		return p, err
	}
	if len(p.Text) > maxAnswer {
		return p, at.field("prediction").errorf("an answer of %d bytes cannot be one; at most %d are judged", len(p.Text), maxAnswer)
	}
	for _, a := range p.Answers {
		if len(a) > maxAnswer {
			return p, at.field("ground_truth").errorf("an answer of %d bytes cannot be one; at most %d are judged", len(a), maxAnswer)
		}
	}
	_, p.Number = gold.(json.Number)
	if kind.options && len(p.Answers) != 2 {
		return p, at.field("ground_truth").errorf("want the option's text and its letter, have %d texts", len(p.Answers))
	}
	label, labelled := rec.get("task")
	switch {
	case kind.parts != nil:
		p.Part, err = (normaliser{kind: kind}).part(at.field("task"), label)
	case labelled:
		err = at.field("task").errorf("%s has no subtasks", kind.name)
	}
	return p, err
}

// NeedsOptions reports whether the task's Score looks at a turn's options, so that the gold answers alone cannot judge an answer.
func (t Task) NeedsOptions(part string) bool {
	kind := t.Name
	if part != "" {
		kind = part
	}
	return kind == "choiceeng" || kind == "repoqa"
}
