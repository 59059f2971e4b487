package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"

	"scbench/datasets"
	"scbench/outputs"
	"scbench/stages/tokenizers"
)

// datasetsCommand groups what concerns prepared sets.
type datasetsCommand struct {
	Build  buildCommand  `cmd:"" help:"Build sets from a seed: one Parquet file a task."`
	Import importCommand `cmd:"" help:"Import the published files of a task (JSON lines or Parquet)."`
	Verify verifyCommand `cmd:"" help:"Hash sets again and compare with what they say of themselves."`
	Show   showCommand   `cmd:"" help:"Show where a set comes from and one of its examples."`
}

// buildCommand builds sets.
type buildCommand struct {
	Task      []string `arg:"" optional:"" help:"Tasks; all by default."`
	All       bool     `help:"All tasks that have examples of the profile, as without names."`
	Profile   string   `help:"Length of contexts; see scbench list profiles." default:"mini"`
	Seed      uint64   `help:"Seed: the same seed gives the same bytes." default:"7"`
	Examples  int      `help:"Examples (contexts) a task." default:"10"`
	Turns     int      `help:"Questions a context; as many as published by default." placeholder:"N"`
	Repos     string   `help:"Folder with source code of yours, of which repoqa is built; its functions are described by their comments." placeholder:"DIR"`
	Docs      string   `help:"Folder with documents of yours, of which summary, qaeng, qachn or choiceeng is built." placeholder:"DIR"`
	Questions string   `help:"Questions about the documents of --docs, one a line: {\"doc\": \"a.txt\", \"question\": …, \"answer\": …}, and options for choiceeng, evidence if known; of summary the answer is the reference summary." placeholder:"FILE"`
	dialFlags
	Out     string `help:"Folder for the sets." default:"outputs/data" placeholder:"DIR"`
	Model   string `help:"Checkpoint whose tokenizer counts the tokens; the embedded model's by default." placeholder:"DIR"`
	Workers int    `help:"Examples made at the same time; the bytes are the same for any number. One per processor by default." placeholder:"N"`
}

// Run builds the sets.
func (b buildCommand) Run(c console) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch {
	case b.Turns < 0 || b.Workers < 0:
		return errors.New("--turns and --workers: want no negative number")
	case b.All && len(b.Task) > 0:
		return errors.New("--all: leave the names of tasks out")
	}
	dials, err := b.dials()
	if err != nil {
		return err
	}
	tok, err := modelFlags{Model: b.Model}.tokenizer()
	if err != nil {
		return err
	}
	opt := datasets.BuildOptions{
		Profile: b.Profile, Seed: b.Seed, Examples: b.Examples, Turns: b.Turns, Dials: dials, Counter: counter(tok), Workers: b.Workers,
	}
	tasks, err := b.tasks(c)
	if err != nil {
		return err
	}
	name := ""
	if b.Repos != "" {
		if name, opt.Source, err = b.openRepos(c, tasks); err != nil {
			return err
		}
	}
	if b.Docs != "" || b.Questions != "" {
		if name, opt.Source, err = b.openDocs(c, tasks); err != nil {
			return err
		}
	}
	for _, task := range tasks {
		path := setPath(b.Out, task.Name+name, opt)
		p, err := buildSet(ctx, task, path, opt)
		if errors.Is(err, context.Canceled) {
			return errInterrupted
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s  %d examples  %s\n", path, p.Rows, p.Content)
	}
	return nil
}

// openRepos makes repoqa, which has to be the only task, one of the folder of --repos, and says what was found there. name goes into the set's.
func (b buildCommand) openRepos(c console, tasks []datasets.Task) (name, source string, err error) {
	if len(tasks) != 1 || tasks[0].Name != datasets.RepoQA.Name {
		return "", "", errors.New("--repos: only repoqa is built from source code; name that task alone")
	}
	p, err := datasets.OpenRepos(b.Repos)
	if err != nil {
		return "", "", err
	}
	for _, l := range p.Found {
		if l.Files > 0 {
			fmt.Fprintf(c.err, "%s: %d files, %d functions, %d with a comment to be asked for by\n", l.Name, l.Files, l.Functions, l.Documented)
		}
	}
	tasks[0] = p.Task()
	folder, _, _ := strings.Cut(p.Source, " ")
	return "-" + folder, p.Source, nil
}

// openDocs makes the task, which has to be the only one, one of the folder of --docs, and says what was found there. name goes into the set's.
func (b buildCommand) openDocs(c console, tasks []datasets.Task) (name, source string, err error) {
	switch {
	case b.Docs == "" || b.Questions == "":
		return "", "", errors.New("--docs and --questions: both are needed, a folder and a file of questions about what is in it")
	case b.Repos != "":
		return "", "", errors.New("--docs and --repos: a set is built of one of them")
	case len(tasks) != 1:
		return "", "", errors.New("--docs: name one task, such as summary or qaeng")
	case b.dialFlags != dialFlags{}:
		return "", "", errors.New("--docs: documents of your own have no dials; leave --hops, --distractors and --depth out")
	}
	d, err := datasets.OpenDocs(b.Docs, b.Questions, tasks[0])
	if err != nil {
		return "", "", err
	}
	fmt.Fprintf(c.err, "%d documents, %d questions\n", d.Documents, d.Questions)
	tasks[0] = d.Task()
	folder, _, _ := strings.Cut(d.Source, " ")
	return "-" + folder, d.Source, nil
}

// dialFlags say how hard built examples shall be.
type dialFlags struct {
	Hops        int    `help:"Facts that an answer joins, in tasks that have such questions." placeholder:"N"`
	Distractors *int   `help:"Contradicting or similar facts for each fact that an answer rests on." placeholder:"N"`
	Depth       string `help:"Where in the context the evidence stands, such as 0.4-0.6; anywhere by default." placeholder:"LO-HI"`
}

// dials reads the flags.
func (f dialFlags) dials() (d datasets.Dials, err error) {
	d.Hops = f.Hops
	if f.Distractors != nil {
		if d.Distractors = *f.Distractors; d.Distractors < 0 {
			return d, errors.New("--distractors: want no negative number")
		} else if d.Distractors == 0 {
			d.Distractors = -1 // none, where 0 is what is usual
		}
	}
	if f.Depth == "" {
		return d, nil
	}
	lo, hi, ok := strings.Cut(f.Depth, "-")
	for i, text := range []string{lo, hi} {
		share, err := strconv.ParseFloat(text, 64)
		if ok = ok && err == nil; ok {
			d.Depth[i] = share
		}
	}
	if !ok || !(0 <= d.Depth[0] && d.Depth[0] < d.Depth[1] && d.Depth[1] <= 1) {
		return d, fmt.Errorf("--depth %s: want two rising shares of the context, such as 0.4-0.6", f.Depth)
	}
	return d, nil
}

// tasks are those named; without names those that have examples of the profile, and a note names the others.
func (b buildCommand) tasks(c console) (tasks []datasets.Task, err error) {
	if len(b.Task) == 0 {
		tasks, without, err := datasets.Buildable(b.Profile)
		if len(without) > 0 {
			fmt.Fprintf(c.err, "note: %s: no examples of profile %s\n", strings.Join(without, ", "), b.Profile)
		}
		return tasks, err
	}
	for _, name := range b.Task {
		t, err := datasets.Find(name)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, t)
	}
	return tasks, nil
}

// setPath names the file of a built set after all that it depends on but the tokenizer.
func setPath(dir, task string, o datasets.BuildOptions) string {
	name := fmt.Sprintf("%s-%s-seed%d-n%d", task, o.Profile, o.Seed, o.Examples)
	if o.Turns > 0 {
		name += fmt.Sprintf("-turns%d", o.Turns)
	}
	if d := o.Dials.String(); d != "" {
		name += "-" + strings.NewReplacer("=", "", ",", "-").Replace(d)
	}
	return filepath.Join(dir, name+".parquet")
}

// buildSet builds a set into the folder of path, which it makes.
func buildSet(ctx context.Context, t datasets.Task, path string, o datasets.BuildOptions) (datasets.Provenance, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return datasets.Provenance{}, fmt.Errorf("%w; choose a folder that you can write with --out", err)
	}
	return datasets.Build(ctx, t, o, path)
}

// counter counts tokens with a tokenizer.
func counter(tok tokenizers.Tokenizer) datasets.Counter {
	return datasets.Counter{Hash: tok.Hash(), Count: func(text string) int {
		ids, err := tok.Encode(text, false)
		if err != nil { // a split pattern that gave up: no count is better than none
			return (len(text) + 3) / 4
		}
		return len(ids)
	}}
}

// importCommand imports published files.
type importCommand struct {
	Task  string   `arg:"" help:"Task, as in scbench list tasks."`
	File  []string `arg:"" help:"Published files, in order." type:"existingfile"`
	Out   string   `help:"File to write." placeholder:"FILE"`
	Model string   `help:"Checkpoint whose tokenizer counts the tokens; the embedded model's by default." placeholder:"DIR"`
}

// Run imports the files.
func (i importCommand) Run(c console) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	task, err := datasets.Find(i.Task)
	if err != nil {
		return err
	}
	tok, err := modelFlags{Model: i.Model}.tokenizer()
	if err != nil {
		return err
	}
	out := i.Out
	if out == "" {
		out = filepath.Join("outputs", "data", task.Name+"-published.parquet")
	}
	if err := replaceable(out); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return fmt.Errorf("%w; choose a file that you can write with --out", err)
	}
	got, err := datasets.Import(ctx, task, i.File, out, counter(tok))
	if errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s  %d examples  %s\n", out, got.Rows, got.Content)
	if n, turns := datasets.PublishedCounts(task.Name); got.Rows != n || got.Turns != turns {
		fmt.Fprintf(c.err, "note: the published %s has %d examples and %d turns; these files have %d and %d\n", task.Name, n, turns, got.Rows, got.Turns)
	}
	var unused []string
	for _, u := range got.Unused {
		if u.Path == "id" {
			continue // rows are numbered anew
		}
		unused = append(unused, fmt.Sprintf("%s (%d times)", u.Path, u.Count))
	}
	if len(unused) > 0 {
		fmt.Fprintf(c.err, "fields without a place in an example were dropped: %s\n", strings.Join(unused, ", "))
	}
	return nil
}

// replaceable refuses to write over anything but a prepared set.
func replaceable(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	set, err := datasets.Open(path)
	if err != nil {
		return fmt.Errorf("--out %s is there and is no prepared set: choose another file", path)
	}
	return set.Close()
}

// verifyCommand verifies sets.
type verifyCommand struct {
	File []string `arg:"" help:"Prepared sets." type:"existingfile"`
}

// Run verifies the sets and stops at the first that is not what it says.
func (v verifyCommand) Run(c console) error {
	for _, f := range v.File {
		r, err := datasets.Verify(f)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s  ok  %s %s  %d examples  %s\n", f, r.Task, r.Profile, r.HaveRows, r.HaveContent)
	}
	return nil
}

// showCommand shows a set.
type showCommand struct {
	File    string `arg:"" help:"Prepared set." type:"existingfile"`
	Example int    `help:"Example to show, from 0." default:"0"`
	Chars   int    `help:"Characters of each text." default:"300"`
	Prompts string `help:"Show also how a wording set puts the example, see examples/prompts.json." placeholder:"FILE" type:"existingfile"`
}

// Run prints the summary.
func (s showCommand) Run(c console) error {
	sum, err := datasets.Summarize(s.File, s.Example)
	if err != nil {
		return err
	}
	prompts, err := readPrompts(s.Prompts)
	if err != nil {
		return err
	}
	if err := sum.Print(c.out, s.Chars); err != nil || prompts == nil {
		return err
	}
	task, err := datasets.Find(sum.Provenance.Task)
	if err != nil {
		return fmt.Errorf("%s: %w", s.File, err)
	}
	fmt.Fprintf(c.out, "\nprompts    %s %s\n", outputs.Clean(prompts.Name), prompts.Hash)
	return printWorded(c.out, prompts, task, sum.Sample.Example, s.Chars)
}
