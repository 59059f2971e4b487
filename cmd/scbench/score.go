package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"scbench/datasets"
	"scbench/datasets/metric"
	"scbench/outputs"
)

// scoreCommand scores answers again.
type scoreCommand struct {
	From   string   `arg:"" help:"Folder of a run, a results file, or prediction_TASK_MODE.jsonl of the reference implementation."`
	Data   []string `help:"Prepared sets that were asked. Those of a run are looked for in its folder of sets; only choices and code cannot be scored without." placeholder:"FILE" type:"existingfile"`
	Out    string   `help:"File to write; beside the one read by default." placeholder:"FILE"`
	Task   string   `help:"Predictions: the task, if the file's name does not tell." placeholder:"TASK"`
	Mode   string   `help:"Predictions: the mode, if the file's name does not tell: multi-turn or multi-request." enum:",multi-turn,multi-request" default:""`
	Method string   `help:"Predictions: what to call the method; as the folder by default." placeholder:"NAME"`
}

// Run scores the answers, writes them beside what was read, and prints the table. What it does not know it refuses, all of it.
func (s scoreCommand) Run(c console) error {
	info, err := os.Stat(s.From)
	if err != nil {
		return err
	}
	path := s.From
	if info.IsDir() {
		path = filepath.Join(s.From, outputs.ResultsFile)
	}
	predictions := strings.EqualFold(filepath.Ext(path), ".jsonl")
	if !predictions && (s.Task != "" || s.Mode != "" || s.Method != "") {
		return errors.New("--task, --mode and --method are for predictions of the reference: a run knows its own")
	}
	out := s.Out
	if out == "" {
		out = strings.TrimSuffix(path, filepath.Ext(path)) + ".rescored.parquet"
	}
	if err := rewritable(out, path); err != nil {
		return err
	}
	var rows []outputs.Result
	var note string
	if predictions {
		rows, note, err = s.predictions(path)
	} else {
		rows, note, err = s.results(path)
	}
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := outputs.WriteResults(&file, rows); err != nil {
		return err
	}
	if err := writeWhole(out, file.Bytes()); err != nil {
		return err
	}
	if err := outputs.Summarize(rows).Table(c.out, outputs.TableOptions{}); err != nil {
		return err
	}
	for _, n := range caveats(rows) {
		fmt.Fprintf(c.out, "\nnote     %s\n", n)
	}
	fmt.Fprintf(c.out, "\nscored   %s\nresults  %s\n", note, out)
	return nil
}

// rewritable refuses to write over anything but results, and over those that are read.
func rewritable(out, from string) error {
	info, err := os.Stat(out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if read, err := os.Stat(from); err == nil && os.SameFile(info, read) {
		return fmt.Errorf("%s is the file to be scored: choose another with --out", out)
	}
	if _, err := outputs.ReadResults(out); err != nil {
		return fmt.Errorf("%s is there and is no results file: choose another with --out", out)
	}
	return nil
}

// writeWhole writes a file under another name and renames it, so that it is there whole or not at all.
func writeWhole(path string, b []byte) error {
	draft := path + ".tmp"
	err := os.WriteFile(draft, b, 0o644)
	if err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		_ = os.Remove(draft)
		return fmt.Errorf("%w; choose a file that you can write with --out", err)
	}
	return nil
}

// results scores the rows of a run again. Failures keep their score of 0.
func (s scoreCommand) results(path string) (rows []outputs.Result, note string, err error) {
	if rows, err = outputs.ReadResults(path); err != nil {
		return nil, "", err
	}
	turns, err := s.askedIn(path, rows)
	if err != nil {
		return nil, "", err
	}
	var unknown unknowns
	strict, fixed, was := 0, 0, map[string]bool{}
	for i := range rows {
		r := &rows[i]
		task, err := datasets.Find(r.Task)
		if err != nil {
			unknown.add(r, "there is no such task")
			continue
		}
		turn, why := turns.of(task, r)
		if why != "" {
			unknown.add(r, why)
			continue
		}
		was[r.ScorerVersion] = true
		r.ScorerVersion = metric.Version
		if r.Status.Failure() {
			continue
		}
		sc := task.Score(r.Prediction, turn)
		if r.ScoreStrict == nil || *r.ScoreStrict != sc.Strict {
			strict++
		}
		if r.ScoreFixed == nil || *r.ScoreFixed != sc.Fixed {
			fixed++
		}
		r.ScoreStrict, r.ScoreFixed = &sc.Strict, &sc.Fixed
	}
	if err := unknown.err(path); err != nil {
		return nil, "", err
	}
	from := "the same version"
	if len(was) > 1 || !was[metric.Version] {
		from = "other versions"
	}
	note = fmt.Sprintf("%d rows with scorers of version %s, before with %s: %d strict and %d fixed scores changed", len(rows), metric.Version, from, strict, fixed)
	return rows, note, nil
}

// unknowns are the rows that cannot be scored.
type unknowns struct {
	n     int
	names []string
}

// shown is how many of them a message names.
const shown = 5

func (u *unknowns) add(r *outputs.Result, why string) {
	if u.n++; u.n <= shown {
		u.names = append(u.names, outputs.Clean(fmt.Sprintf("%s %s turn %d (%s, %s): %s", r.Task, r.Example, r.Turn, r.Mode, r.Method, why)))
	}
}

func (u *unknowns) err(path string) error {
	if u.n == 0 {
		return nil
	}
	more := ""
	if u.n > shown {
		more = fmt.Sprintf("; and %d more", u.n-shown)
	}
	return fmt.Errorf("%s: %d rows cannot be scored, and nothing was written: %s%s", path, u.n, strings.Join(u.names, "; "), more)
}

// asked are the turns of sets, by hash of the set and id of the example, in the order of asking.
type asked map[string]map[string][]datasets.Turn

// askedIn finds the sets that rows were made from: those of --data, and those in the folder where runs keep them.
func (s scoreCommand) askedIn(path string, rows []outputs.Result) (asked, error) {
	var cfg resolved
	dir := filepath.Dir(path)
	b, err := os.ReadFile(filepath.Join(dir, outputs.ConfigFile))
	if err == nil {
		err = json.Unmarshal(b, &cfg)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, outputs.ConfigFile), err)
	}
	wanted := map[string]bool{}
	for _, r := range rows {
		wanted[r.DataHash] = true
	}
	beside, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(dir)), "data", "*.parquet"))
	if err != nil {
		return nil, err
	}
	out := asked{}
	v := datasets.Variant{Turns: cfg.Turns, Shuffle: cfg.Shuffle, Repeat: cfg.Repeat}
	for i, f := range append(s.Data[:len(s.Data):len(s.Data)], beside...) {
		err := out.read(f, wanted, v)
		if err != nil && i < len(s.Data) { // what lies in the folder of sets is not this command's to judge
			return nil, err
		}
	}
	return out, nil
}

// read takes in the turns of a set that is wanted.
func (a asked) read(path string, wanted map[string]bool, v datasets.Variant) error {
	set, err := datasets.Open(path)
	if err != nil {
		return err
	}
	defer set.Close()
	hash := set.Provenance.Content
	if _, have := a[hash]; have || !wanted[hash] {
		return nil
	}
	if _, err := datasets.Verify(path); err != nil {
		return err
	}
	turns := map[string][]datasets.Turn{}
	for e, err := range set.Examples() {
		if err != nil {
			return err
		}
		turns[e.ID] = v.Of(e).Turns
	}
	a[hash] = turns
	return nil
}

// of is the turn that a row answers, or why there is none.
func (a asked) of(task datasets.Task, r *outputs.Result) (t datasets.Turn, why string) {
	set, have := a[r.DataHash]
	if !have {
		if task.NeedsOptions(r.Part) {
			return t, "its answers cannot be scored without the set; name it with --data"
		}
		if len(r.Answers) == 0 {
			return t, "it has no gold answer; name its set with --data"
		}
		return datasets.Turn{Answers: r.Answers, Part: r.Part}, ""
	}
	turns, have := set[r.Example]
	switch {
	case !have:
		return t, "the set has no such example"
	case int(r.Turn) > len(turns) || r.Turn < 1:
		return t, fmt.Sprintf("the set has %d turns there", len(turns))
	}
	if t = turns[r.Turn-1]; strings.Join(t.Answers, "\x00") != strings.Join(r.Answers, "\x00") || t.Part != r.Part {
		return t, "the set has other gold answers there"
	}
	return t, ""
}
