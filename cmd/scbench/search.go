package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"text/tabwriter"

	"scbench/datasets"
	"scbench/outputs"
	"scbench/stages"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/methods"
)

// methodsCommand prepares what methods need beforehand.
type methodsCommand struct {
	Search searchCommand `cmd:"" help:"Find MInference's pattern for each head on one long prompt, and write them for minference:config=FILE."`
}

// publishedTokens is the length of the sample that the published sizes were made for.
const publishedTokens = 30000

// searchCommand is MInference's offline search.
type searchCommand struct {
	modelFlags

	Out       string   `arg:"" help:"File to write." placeholder:"FILE"`
	Task      string   `help:"Task whose context is the sample." default:"kv" placeholder:"TASK"`
	Tokens    int      `help:"Length of the sample." default:"4096" placeholder:"N"`
	Seed      uint64   `help:"Seed of the sample." default:"7" placeholder:"N"`
	From      int      `help:"First row that counts; two thirds of the sample, at most 2500, by default." default:"-1" placeholder:"ROW"`
	Scale     float64  `help:"What the published sizes are multiplied by; by default the sample's length over 30000, at most 1." placeholder:"X"`
	Candidate []string `help:"Pattern to try instead of the published ones, such as vertical_and_slash:100,750, stream_llm:100,800 or block_sparse:8." sep:" " placeholder:"PATTERN"`
}

// Run searches and prints how often each pattern was best.
func (s *searchCommand) Run(c console) error {
	task, err := datasets.Find(s.Task)
	switch {
	case err != nil:
		return fmt.Errorf("--task: %w", err)
	case s.Tokens < 64:
		return errors.New("--tokens: want at least 64")
	case s.Scale < 0:
		return errors.New("--scale: want a number above 0")
	}
	o, err := s.open()
	if err != nil {
		return err
	}
	defer o.Close()
	prompt, err := s.prompt(o, &task)
	if err != nil {
		return err
	}
	search := &methods.Search{From: s.From}
	if search.Candidates, err = s.candidates(len(prompt)); err != nil {
		return err
	}
	if search.From < 0 {
		search.From = min(2500, len(prompt)*2/3)
	}
	if search.From >= len(prompt) {
		return fmt.Errorf("--from %d: the sample has %d tokens", search.From, len(prompt))
	}
	layers := o.Shape().Layers
	search.Done = func(l int) { fmt.Fprintf(c.err, "layer %d of %d\n", l+1, layers) }
	e := &engine.Engine{Model: o.Model, Store: kv.NewStore(&kv.OffHeap{}, o.PageFormat(), o.Shape().Dim, 0), Pool: o.pool}
	ses := e.Open(search.Policy())
	defer ses.Release()
	if _, err := e.Forward(context.Background(), []engine.Chunk{{Session: ses, Tokens: prompt}}); err != nil {
		return err
	}
	if err := s.report(c, search, o.Shape()); err != nil {
		return err
	}
	data, err := search.JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.Out, append(data, '\n'), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "\nwritten  %s\nnext     scbench run -m 'full minference:config=%s'\n", s.Out, s.Out)
	return nil
}

// prompt is the sample, as the benchmark would put it to the model.
func (s *searchCommand) prompt(o *opened, task *datasets.Task) ([]int32, error) {
	count := func(text string) int {
		ids, err := o.tokenizer.Encode(text, false)
		if err != nil {
			return len(text) / 4
		}
		return len(ids)
	}
	build := task.Build
	if s.Model == "" && task.Mini != nil {
		build = task.Mini
	}
	if build == nil {
		return nil, fmt.Errorf("--task %s: its examples cannot be built", task.Name)
	}
	e, err := build(rand.New(rand.NewPCG(s.Seed, 0)), datasets.Size{Tokens: s.Tokens, Turns: 1, Count: count})
	if err != nil {
		return nil, err
	}
	p := stages.Prompter{Tokenizer: o.tokenizer, Chat: o.chat, MaxTokens: o.Shape().MaxTokens}
	script, err := p.Script(task, e, outputs.MultiTurn, outputs.GoldHistory)
	if err != nil {
		return nil, err
	}
	return script.First, nil
}

// candidates are the patterns to try on a sample of n tokens.
func (s *searchCommand) candidates(n int) (list []methods.Candidate, err error) {
	for _, text := range s.Candidate {
		c := methods.Candidate{}
		kind, sizes, _ := strings.Cut(text, ":")
		c.Kind = kind
		if kind == "block_sparse" {
			_, err = fmt.Sscanf(sizes+";", "%d;", &c.Vertical)
		} else {
			_, err = fmt.Sscanf(sizes+";", "%d,%d;", &c.Vertical, &c.Slash)
		}
		known := kind == "block_sparse" || kind == "vertical_and_slash" || kind == "stream_llm"
		if err != nil || !known || c.Vertical < 1 || c.Slash < 0 {
			return nil, fmt.Errorf("--candidate %q: want vertical_and_slash:COLUMNS,DIAGONALS, stream_llm:SINKS,WINDOW or block_sparse:PARTS", text)
		}
		list = append(list, c)
	}
	if len(list) > 0 {
		return list, nil
	}
	scale := s.Scale
	if scale == 0 {
		scale = min(1, float64(n)/publishedTokens)
	}
	for _, c := range methods.SearchCandidates {
		if c.Kind != "block_sparse" {
			c.Vertical, c.Slash = max(int(float64(c.Vertical)*scale), 30), max(int(float64(c.Slash)*scale), 30)
		}
		list = append(list, c)
	}
	return list, nil
}

// report prints, per candidate, for how many heads it is the best and the mean of what it keeps.
func (s *searchCommand) report(c console, search *methods.Search, shape engine.Shape) error {
	best, mean := make([]int, len(search.Candidates)), make([]float64, len(search.Candidates))
	for l := range shape.Layers {
		for h := range shape.Heads {
			top := 0
			recall := search.Recall(l, h)
			for i, r := range recall {
				mean[i] += r / float64(shape.Layers*shape.Heads)
				if r > recall[top] {
					top = i
				}
			}
			best[top]++
		}
	}
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "pattern\tcolumns\tdiagonals\tattention kept\tbest of heads")
	for i, x := range search.Candidates {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.1f%%\t%d of %d\n", x.Kind, x.Vertical, x.Slash, 100*mean[i], best[i], shape.Layers*shape.Heads)
	}
	return t.Flush()
}
