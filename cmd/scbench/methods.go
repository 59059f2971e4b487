package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"

	"scbench/datasets"
	"scbench/outputs"
	"scbench/stages"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/methods"
)

// methodsCommand groups what concerns methods.
type methodsCommand struct {
	List   methodsListCommand `cmd:"" help:"List methods: the same as scbench list methods."`
	Search searchCommand      `cmd:"" help:"Search the pattern of each head for MInference, on one long prompt of a model; minference:config=FILE reads what is found."`
}

// methodsListCommand lists methods.
type methodsListCommand struct{}

// Run prints the list.
func (methodsListCommand) Run(c console) error { return listCommand{What: "methods"}.Run(c) }

// searchCommand searches patterns.
type searchCommand struct {
	modelFlags

	Task      string   `help:"Task that the prompt is an example of: in its published format, or for the embedded model in the one that it knows." default:"kv"`
	Seed      uint64   `help:"Seed of the example." default:"7"`
	Data      string   `help:"Prepared set (Parquet) whose first example is the prompt, instead." placeholder:"FILE" type:"existingfile"`
	Tokens    int      `help:"Tokens of the prompt, about; as many as in the paper, 30000, or as the model was made for, by default." placeholder:"N"`
	Candidate []string `help:"Patterns to try, divided by blanks: vertical_and_slash:COLUMNS,DIAGONALS, stream_llm:SINKS,WINDOW or block_sparse:ONE_OUT_OF; those of the published search by default." sep:" " placeholder:"PATTERN"`
	Scale     float64  `help:"What the sizes of candidates are multiplied by; by default the prompt's share of the paper's 30000 tokens, at most 1." placeholder:"FACTOR"`
	From      *int     `help:"First row whose attention is measured; by default 2500 of 30000 tokens, and of a shorter prompt the same share." placeholder:"ROW"`
	Out       string   `short:"o" help:"File to write; standard output by default." placeholder:"FILE"`
}

// Run searches.
func (s searchCommand) Run(c console) error {
	search, err := s.check()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o, err := s.prepare()
	if err != nil {
		return err
	}
	defer o.Close()
	tokens, err := s.prompt(o)
	if err != nil {
		return err
	}
	store := kv.NewStore(&kv.OffHeap{}, o.PageFormat(), o.Shape().Dim, 0)
	if err := o.load(stages.Room{Shape: o.Shape(), Store: store}.Prompt(&engine.Policy{}, len(tokens)), len(tokens)); err != nil {
		return err
	}
	s.fit(&search, len(tokens))
	if search.From >= len(tokens) {
		return fmt.Errorf("--from %d: the prompt has %d tokens; measure from an earlier row, or ask for more --tokens", search.From, len(tokens))
	}
	write, drop, err := s.create(c)
	if err != nil {
		return err
	}
	defer drop()
	fmt.Fprintf(c.err, "%d tokens, sizes times %.3g, rows measured from %d on\n", len(tokens), search.Scale, search.From)
	var p *progress
	search.Progress = func(done, total int) {
		if p == nil {
			p = startProgress(c.err, "parts", 0, total)
		}
		p.reach(done)
	}
	found, err := search.Run(ctx, &engine.Engine{Model: o.Model, Store: store, Pool: o.pool}, tokens)
	if p != nil {
		p.close()
	}
	if err = errors.Join(err, store.Close()); errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	if err != nil {
		return err
	}
	if err := table(c.err, func(w io.Writer) { searchTable(w, found) }); err != nil {
		return err
	}
	return write(found)
}

// check refuses flags that make no sense, and reads the candidates.
func (s searchCommand) check() (methods.Search, error) {
	var search methods.Search
	switch {
	case s.Tokens < 0:
		return search, fmt.Errorf("--tokens %d: want a number from 1", s.Tokens)
	case !(s.Scale >= 0 && s.Scale <= 1000):
		return search, fmt.Errorf("--scale %g: want a number above 0 and at most 1000", s.Scale)
	case s.From != nil && *s.From < 0:
		return search, fmt.Errorf("--from %d: want a row from 0", *s.From)
	case s.Data != "" && s.Tokens > 0:
		return search, errors.New("--data brings its own length: leave --tokens out")
	}
	for _, text := range s.Candidate {
		c, err := methods.ParseCandidate(text)
		if err != nil {
			return search, fmt.Errorf("--candidate: %w", err)
		}
		search.Candidates = append(search.Candidates, c)
	}
	return search, nil
}

// fit gives what was not asked for the value that a prompt of n tokens calls for.
func (s searchCommand) fit(search *methods.Search, n int) {
	share := min(1, float64(n)/methods.PublishedTokens)
	if search.Scale = s.Scale; s.Scale == 0 {
		search.Scale = share
	}
	search.From = int(math.Round(methods.PublishedFrom * share))
	if s.From != nil {
		search.From = *s.From
	}
}

// prompt is the tokens that the model is shown: a context and its first question.
func (s searchCommand) prompt(o *opened) ([]int32, error) {
	task, e, err := s.example(o)
	if err != nil {
		return nil, err
	}
	if len(e.Turns) > 1 {
		e.Turns = e.Turns[:1]
	}
	p := stages.Prompter{Tokenizer: o.tokenizer, Chat: o.chat, MaxTokens: o.Shape().MaxTokens}
	script, err := p.Script(&task, e, outputs.MultiTurn, outputs.GoldHistory)
	if err != nil {
		return nil, err
	}
	return script.First, nil
}

// example builds the example, or reads it.
func (s searchCommand) example(o *opened) (datasets.Task, datasets.Example, error) {
	if s.Data != "" {
		return firstExample(s.Data)
	}
	task, err := datasets.Find(s.Task)
	if err != nil {
		return task, datasets.Example{}, err
	}
	build := task.Build
	if s.Model == "" {
		build = task.Mini
	}
	if build == nil {
		return task, datasets.Example{}, fmt.Errorf("--task %s cannot be built for this model: name another, or a set with --data", task.Name)
	}
	size := datasets.Size{Tokens: s.Tokens, Turns: 1, Count: counter(o.tokenizer).Count}
	if size.Tokens == 0 {
		size.Tokens = min(methods.PublishedTokens, o.Shape().MaxTokens)
	}
	e, err := build(rand.New(rand.NewPCG(s.Seed, 0)), size)
	return task, e, err
}

// firstExample reads the first example of a set.
func firstExample(file string) (task datasets.Task, first datasets.Example, err error) {
	set, err := datasets.Open(file)
	if err != nil {
		return task, first, err
	}
	defer set.Close()
	if task, err = datasets.Find(set.Provenance.Task); err != nil {
		return task, first, fmt.Errorf("%s: %w", file, err)
	}
	for e, err := range set.Examples() {
		return task, e, err
	}
	return task, first, fmt.Errorf("%s: there is no example in it", file)
}

// create finds out, before anything is computed, whether the file can be written. write puts what was found in its place, drop
// leaves nothing behind if that did not happen.
func (s searchCommand) create(c console) (write func(*methods.Found) error, drop func(), err error) {
	if s.Out == "" {
		return func(f *methods.Found) error { return f.Write(c.out) }, func() {}, nil
	}
	file, err := os.CreateTemp(filepath.Dir(s.Out), filepath.Base(s.Out)+".*")
	if err != nil {
		return nil, nil, fmt.Errorf("--out %s: %w; choose a folder that exists and that you can write to", s.Out, err)
	}
	write = func(f *methods.Found) error {
		if err := errors.Join(f.Write(file), file.Chmod(0o644), file.Close()); err != nil {
			return fmt.Errorf("--out %s: %w", s.Out, err)
		}
		if err := os.Rename(file.Name(), s.Out); err != nil {
			return fmt.Errorf("--out %s: %w", s.Out, err)
		}
		fmt.Fprintf(c.out, "%s  use it with -m minference:config=%s\n", s.Out, s.Out)
		return nil
	}
	return write, func() {
		_ = file.Close()           // it is closed already if all went well
		_ = os.Remove(file.Name()) // and has another name
	}, nil
}

// searchTable prints of each candidate how many heads it has won, and its recall.
func searchTable(w io.Writer, f *methods.Found) {
	won, mean, heads := make([]int, len(f.Candidates)), make([]float64, len(f.Candidates)), 0
	for l, layer := range f.Recall {
		for h, recall := range layer {
			won[f.Best(l, h)]++
			heads++
			for c, r := range recall {
				mean[c] += r
			}
		}
	}
	fmt.Fprintln(w, "candidate\theads won\tmean recall")
	for c, x := range f.Candidates {
		fmt.Fprintf(w, "%s\t%d of %d\t%.4f\n", x, won[c], heads, mean[c]/float64(heads))
	}
}
