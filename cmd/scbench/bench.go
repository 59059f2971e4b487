package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/methods"
	"scbench/stages/models"
)

// benchCommand measures speed: of prefill, of decoding at depth, of what methods save, and of branches that share a context.
type benchCommand struct {
	Model       string   `help:"Checkpoint to measure (a folder or a .gguf file), or a size with random weights: tiny, 1b, llama-3.2-1b, llama-3.2-3b, llama-3.1-8b, tiny-mamba2, mamba2-1.3b, codestral-mamba-7b, tiny-jamba; the embedded model by default." placeholder:"DIR|SIZE"`
	Precision   string   `help:"f32 or bf16; as in run by default." enum:"auto,f32,bf16" default:"auto"`
	PackCache   string   `help:"Folder where the weights of large checkpoints, packed for AMX, are kept for the next start; in the user's cache folder by default. Random weights are never kept." placeholder:"DIR"`
	NoPackCache bool     `help:"Keep no packed weights."`
	Threads     []int    `short:"t" help:"Threads; several measure scaling. All processors by default." placeholder:"N"`
	Prompt      []int    `short:"p" help:"Lengths of prompts to prefill." default:"512,4096"`
	Gen         int      `short:"n" help:"Tokens to decode; 0: no decoding." default:"32"`
	Depth       []int    `short:"d" help:"Lengths of the context that is there when decoding starts." default:"0,4096"`
	Branches    []int    `help:"Branches of one context that are decoded together." default:"1"`
	Method      []string `short:"m" help:"Methods, as in run." sep:" " default:"full" placeholder:"SPEC"`
	Reps        int      `short:"r" help:"Repetitions." default:"3"`
	Output      string   `short:"o" help:"Form: a table, or csv with the columns of llama-bench and ours after them." enum:"table,csv" default:"table"`
	Parquet     string   `help:"Also write the rows to this Parquet file." placeholder:"FILE"`
}

// Bounds of what is asked for, far beyond what can be measured in a day.
const (
	mostThreads  = 4096
	mostTokens   = 1 << 24
	mostBranches = 4096
	mostReps     = 1 << 20
)

// check refuses flags that make no sense, and resolves sweeps.
func (b *benchCommand) check() (err error) {
	for _, list := range []struct {
		flag        string
		values      []int
		least, most int
	}{
		{"--threads", b.Threads, 1, mostThreads}, {"--prompt", b.Prompt, 1, mostTokens}, {"--gen", []int{b.Gen}, 0, mostTokens},
		{"--depth", b.Depth, 0, mostTokens}, {"--branches", b.Branches, 1, mostBranches}, {"--reps", []int{b.Reps}, 1, mostReps},
	} {
		for _, v := range list.values {
			if v < list.least || v > list.most {
				return fmt.Errorf("%s %d: want %d to %d", list.flag, v, list.least, list.most)
			}
		}
	}
	if b.Method, err = expand(b.Method); err == nil && len(b.Method) == 0 {
		err = errors.New("--method: name at least one, such as full")
	}
	return err
}

// Run measures. What was measured is written even if it is interrupted, or fails, later.
func (b benchCommand) Run(c console) error {
	if err := b.check(); err != nil {
		return err
	}
	if len(b.Threads) == 0 {
		b.Threads = []int{runtime.GOMAXPROCS(0)}
	}
	file, err := openBenchFile(b.Parquet)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stopped := make(chan struct{})
	done := interrupts(c.err, "the test in work is finished first, and all rows are written", func() { close(stopped) }, cancel)
	x := &bench{benchCommand: b, ctx: ctx, stopped: stopped, err: c.err}
	for _, n := range b.Threads {
		if err = x.onThreads(n); err != nil {
			break
		}
	}
	done()
	if errors.Is(err, context.Canceled) {
		err = errInterrupted
	}
	if len(x.rows) > 0 {
		x.probe()
	}
	rows := make([]benchRow, len(x.rows))
	for i, m := range x.rows {
		m.Share = m.share(x.limits)
		rows[i] = m.benchRow
	}
	return errors.Join(err, file.finish(rows), b.print(c.out, rows))
}

// print writes the rows in the form asked for.
func (b benchCommand) print(w io.Writer, rows []benchRow) error {
	if len(rows) == 0 {
		return nil
	}
	if b.Output == "csv" {
		return benchCSV(w, rows)
	}
	return table(w, func(w io.Writer) { benchTable(w, rows) })
}

// open loads the model for a number of threads, if its weights fit.
func (b benchCommand) open(pool *kernels.Pool) (*models.Loaded, error) {
	flags := modelFlags{Precision: b.Precision, PackCache: b.PackCache, NoPackCache: b.NoPackCache}
	choice, err := flags.choice()
	if err != nil {
		return nil, err
	}
	for _, s := range models.RandomShapes {
		if s.Name == b.Model {
			return models.Random(s, pool, choice)
		}
	}
	if b.Model == "" {
		return models.LoadReference(pool, choice)
	}
	flags.Model = b.Model
	o, err := flags.look()
	if err != nil {
		return nil, err
	}
	defer o.Close()
	if err := o.fits(0, engine.BlockRows); err != nil {
		return nil, err
	}
	return models.Load(b.Model, pool, choice)
}

// policies parses the methods for a model.
func (b benchCommand) policies(s engine.Shape) (list []engine.Policy, err error) {
	for _, spec := range b.Method {
		p, err := methods.Parse(spec, s)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// fits refuses tests for whose caches memory is too small, and returns a note on each that is longer than the model was made for.
func (b benchCommand) fits(m *models.Loaded, free int64) (notes []string, err error) {
	s := m.Shape()
	test := func(name string, tokens, branches int) error {
		if tokens > s.MaxTokens {
			notes = append(notes, fmt.Sprintf("%s: the model was made for %d tokens; what lies beyond is measured all the same, and is as fast, but its answers would mean nothing", name, s.MaxTokens))
		}
		need := int64(tokens) * (s.TokenBytes + 4*int64(s.Hidden)) // the cache, and the residual stream of the pass that fills it
		need += int64(branches) * (int64(b.Gen+1)*s.TokenBytes + s.StateBytes() + 4*int64(s.Vocab))
		if free > 0 && need > free {
			return fmt.Errorf("%s takes %s of memory, of which %s are free: ask for fewer tokens or branches", name, bytesText(need), bytesText(free))
		}
		return nil
	}
	for _, p := range b.Prompt {
		err = errors.Join(err, test(fmt.Sprintf("--prompt %d", p), p, 0))
	}
	if b.Gen == 0 {
		return notes, err
	}
	for _, d := range b.Depth {
		for i, n := range b.Branches {
			noted := len(notes)
			err = errors.Join(err, test(fmt.Sprintf("--depth %d --gen %d --branches %d", d, b.Gen, n), d+b.Gen, n))
			if i > 0 {
				notes = notes[:noted] // one is enough
			}
		}
	}
	return notes, err
}
