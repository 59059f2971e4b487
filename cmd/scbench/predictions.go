package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/zeebo/blake3"

	"scbench/datasets"
	"scbench/datasets/metric"
	"scbench/outputs"
)

// predictions scores what the reference implementation answered. With the imported set every answer is scored as in a run of ours. Without
// it choices and code have no fixed score, as the file tells neither the options nor all functions of a repository; strictly, code is
// compared with the functions of its repository that the file tells, as the reference does.
func (s scoreCommand) predictions(path string) (rows []outputs.Result, note string, err error) {
	name, mode, ok := datasets.PredictionFile(path)
	if s.Task != "" {
		name = s.Task
	}
	if s.Mode != "" {
		mode = s.Mode
	}
	if !ok && (name == "" || mode == "") {
		return nil, "", fmt.Errorf("%s: its name does not tell what it holds (prediction_TASK_multi_turn.jsonl or prediction_TASK_scdq.jsonl): give --task and --mode", path)
	}
	task, err := datasets.Find(name)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	set, hash, err := s.published(task)
	if err != nil {
		return nil, "", err
	}
	base, err := s.base(path, task, outputs.Mode(mode))
	if err != nil {
		return nil, "", err
	}
	base.DataHash = hash
	var unknown unknowns
	bare := 0
	all, pools, err := readPredictions(path, task)
	if err != nil {
		return nil, "", err
	}
	for _, p := range all {
		r := base
		r.Example, r.Turn, r.Question, r.Part = strconv.Itoa(p.ID), int32(p.Turn+1), int32(p.Turn+1), p.Part
		r.Prediction, r.PredictionRaw, r.Answers = p.Text, p.Text, p.Answers
		if r.Status = outputs.OK; p.Text == "" {
			r.Status = outputs.Empty
		}
		sc, fixed, why := judge(task, p, set, pools[p.Repo])
		if why != "" {
			unknown.add(&r, fmt.Sprintf("line %d: %s", p.Line, why))
			continue
		}
		r.ScoreStrict = &sc.Strict
		if r.ScoreFixed = &sc.Fixed; !fixed {
			r.ScoreFixed = nil
			bare++
		}
		rows = append(rows, r)
	}
	if err := unknown.err(path); err != nil {
		return nil, "", err
	}
	slices.SortStableFunc(rows, func(a, b outputs.Result) int {
		x, _ := strconv.Atoi(a.Example) // as they were written above
		y, _ := strconv.Atoi(b.Example)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.Turn, b.Turn))
	})
	note = fmt.Sprintf("%d answers of the reference with scorers of version %s", len(rows), metric.Version)
	if bare > 0 {
		note += fmt.Sprintf("; %d have no fixed score without what else could be answered: name the imported set with --data", bare)
	}
	return rows, note, nil
}

// readPredictions reads a file, and of each repository the functions that it asks for.
func readPredictions(path string, task datasets.Task) (all []datasets.Prediction, pools map[string]metric.Pool, err error) {
	pools = map[string]metric.Pool{}
	for p, err := range datasets.Predictions(path, task) {
		if err != nil {
			return nil, nil, err
		}
		all = append(all, p)
		if p.Repo != "" && ofCode(task, p) {
			pool := pools[p.Repo]
			pool.Lang, pool.Asked = p.Lang, append(pool.Asked, p.Answers[0])
			pools[p.Repo] = pool
		}
	}
	return all, pools, nil
}

// ofCode says whether a prediction repeats a function.
func ofCode(task datasets.Task, p datasets.Prediction) bool {
	return task.Name == "repoqa" || p.Part == "repoqa"
}

// base is what all rows of a file of predictions have.
func (s scoreCommand) base(path string, task datasets.Task, mode outputs.Mode) (r outputs.Result, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	sum := blake3.Sum256(b)
	folder, err := filepath.Abs(path)
	if err != nil {
		return r, err
	}
	folder = filepath.Base(filepath.Dir(folder))
	r.Run, r.Task, r.Mode, r.History, r.Method = fmt.Sprintf("%x", sum[:8]), task.Name, mode, outputs.NoHistory, s.Method
	if r.Method == "" {
		r.Method = folder
	}
	if mode == outputs.MultiTurn {
		r.History = outputs.GoldHistory
		if strings.Contains(folder, "_disable_golden_context") {
			r.History = outputs.OwnHistory
		}
	}
	r.Skill, r.Profile, r.Evidence = string(task.Skill), "published", outputs.EvidenceUnknown
	r.ScorerVersion, r.SchemaVersion, r.Build = metric.Version, outputs.SchemaVersion, build
	return r, nil
}

// published reads the turns of the set of --data, if there is one; its examples are numbered as the predictions are.
func (s scoreCommand) published(task datasets.Task) (turns map[string][]datasets.Turn, hash string, err error) {
	if len(s.Data) == 0 {
		return nil, "", nil
	}
	if len(s.Data) > 1 {
		return nil, "", errors.New("--data: predictions are of one set")
	}
	set, err := datasets.Open(s.Data[0])
	if err != nil {
		return nil, "", err
	}
	p := set.Provenance
	if err := set.Close(); err != nil {
		return nil, "", err
	}
	if p.Task != task.Name || p.Source == "" {
		return nil, "", fmt.Errorf("--data %s: want the imported set of %s, have %s (%s)", s.Data[0], task.Name, outputs.Clean(p.Task), outputs.Clean(p.Profile))
	}
	a := asked{}
	err = a.read(s.Data[0], map[string]bool{p.Content: true}, datasets.Variant{})
	return a[p.Content], p.Content, err
}

// judge scores one prediction. fixed says whether the fixed score means anything; why says what keeps it from being scored. The strict score is
// the reference's own, from what its file tells, whether there is a set or not.
func judge(task datasets.Task, p datasets.Prediction, set map[string][]datasets.Turn, pool metric.Pool) (sc metric.Scores, fixed bool, why string) {
	t := datasets.Turn{Answers: p.Answers, Part: p.Part}
	if task.Name == "choiceeng" {
		t.Answers = t.Answers[:1] // the letter stands after the text
	}
	fixed = !task.NeedsOptions(p.Part)
	if set != nil {
		turns := set[strconv.Itoa(p.ID)]
		if p.Turn >= len(turns) {
			return sc, false, "the set of --data has no such turn"
		}
		asked := turns[p.Turn]
		if strings.Join(asked.Answers, "\x00") != strings.Join(t.Answers, "\x00") || asked.Part != t.Part {
			return sc, false, "the set of --data has other gold answers there"
		}
		t, fixed = asked, true
	}
	if fixed {
		sc = task.Score(p.Text, t)
	}
	switch {
	case ofCode(task, p):
		if !slices.Contains(metric.Languages, p.Lang) || p.Repo == "" {
			return sc, false, fmt.Sprintf("it needs a repo, and as lang one of %s", strings.Join(metric.Languages, ", "))
		}
		sc.Strict = metric.RepoQA(p.Text, t.Answers[0], pool).Strict
	case task.Name == "choiceeng":
		right := strings.Index("ABCD", p.Answers[1])
		if right < 0 || len(p.Answers[1]) != 1 {
			return sc, false, fmt.Sprintf("%q is none of the letters A to D", p.Answers[1])
		}
		options := make([]string, 4)
		options[right] = t.Answers[0] // strict looks at no other
		sc.Strict = metric.Choice(p.Text, options, right).Strict
	case p.Number && p.Part == "passkey":
		sc.Strict = 0 // the reference compares the digits it finds with the number, and no text equals a number
	}
	return sc, fixed, ""
}
