package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"scbench/kernels"
	"scbench/outputs"
	"scbench/stages"
	"scbench/stages/drift"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// driftCommand analyses how attention changes during long generation.
type driftCommand struct {
	modelFlags

	Data     []string `help:"Prepared sets (Parquet) to take prompts from; without it sets are built." placeholder:"FILE" type:"existingfile"`
	Task     []string `help:"Tasks to build sets of; kv and qaeng by default." placeholder:"TASK"`
	Profile  string   `help:"Length of built contexts, see scbench list profiles; mini by default." placeholder:"NAME"`
	Seed     *uint64  `help:"Seed of built sets; 7 by default." placeholder:"N"`
	Examples int      `help:"Examples of a task; with --data the most to read, where 0 is all." default:"4"`
	Turns    int      `help:"Questions of an example that are asked, each with a prompt of its own; 0 is all." default:"1"`
	dialFlags

	Method []string `short:"m" help:"Methods whose reading is laid against full attention; as in scbench run." sep:" " placeholder:"SPEC" default:"streamingllm:init=16,local=240 snapkv:budget=256 h2o:budget=256 quest:budget=256"`
	Tokens int      `help:"Tokens to generate for each prompt; generation goes on where the answer ends." default:"128"`
	Heads  string   `help:"How many heads to record, spread over all layers; or which, as LAYER.HEAD,LAYER.HEAD from 0; or all." default:"16"`
	Top    int      `help:"Keys of a head that count as its top ones." default:"32"`
	Window int      `help:"Last rows of the prompt whose mean stands for prefill." default:"32"`
	Out    string   `short:"o" help:"File for the rows; a picture is put beside it." default:"outputs/drift.parquet" placeholder:"FILE"`
}

// Run analyses, and prints the means.
func (d driftCommand) Run(c console) error {
	if err := d.check(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(d.Out), 0o755); err != nil {
		return fmt.Errorf("--out %s: %w", d.Out, err)
	}
	file, err := os.CreateTemp(filepath.Dir(d.Out), filepath.Base(d.Out)+".*")
	if err != nil {
		return fmt.Errorf("--out %s: %w; choose a folder that you can write to", d.Out, err)
	}
	defer func() {
		_ = file.Close()           // it is closed already if all went well
		_ = os.Remove(file.Name()) // and has another name
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	rows, ended := d.analyse(ctx, c, file)
	if errors.Is(ended, context.Canceled) {
		ended = errInterrupted
	}
	if ended != nil && (ended != errInterrupted || rows == 0) {
		return ended
	}
	if err := errors.Join(file.Chmod(0o644), file.Close()); err != nil {
		return fmt.Errorf("--out %s: %w", d.Out, err)
	}
	if err := os.Rename(file.Name(), d.Out); err != nil {
		return fmt.Errorf("--out %s: %w", d.Out, err)
	}
	return errors.Join(ended, d.show(c))
}

// check refuses flags that make no sense.
func (d *driftCommand) check() error {
	switch {
	case d.Tokens < 1 || d.Tokens > 1<<20:
		return fmt.Errorf("--tokens %d: want a number from 1 to %d", d.Tokens, 1<<20)
	case d.Top < 1:
		return fmt.Errorf("--top %d: want a number from 1", d.Top)
	case d.Window < 1:
		return fmt.Errorf("--window %d: want a number from 1", d.Window)
	case d.Out == "":
		return errors.New("--out: want a file")
	}
	if info, err := os.Stat(d.Out); err == nil && info.IsDir() {
		return fmt.Errorf("--out %s: it is a folder; name a file in it", d.Out)
	}
	return nil
}

// heads are those that --heads names.
func (d *driftCommand) heads(s engine.Shape) ([]drift.Head, error) {
	if d.Heads == "all" {
		return drift.Spread(s, s.Layers*s.Heads), nil
	}
	if n, err := strconv.Atoi(d.Heads); err == nil && n > 0 {
		return drift.Spread(s, n), nil
	}
	var heads []drift.Head
	for _, name := range strings.Split(d.Heads, ",") {
		layer, head, two := strings.Cut(name, ".")
		l, err := strconv.Atoi(layer)
		h, err2 := strconv.Atoi(head)
		if !two || err != nil || err2 != nil {
			return nil, fmt.Errorf("--heads %s: want a number from 1, all, or heads such as 0.3,2.1", d.Heads)
		}
		if slices.Contains(heads, drift.Head{Layer: l, Head: h}) {
			return nil, fmt.Errorf("--heads %s: %s is named twice", d.Heads, name)
		}
		heads = append(heads, drift.Head{Layer: l, Head: h})
	}
	return heads, nil
}

// run is the run whose sets and methods the analysis takes.
func (d *driftCommand) run() *runCommand {
	r := &runCommand{modelFlags: d.modelFlags, Data: d.Data, Task: d.Task, Profile: d.Profile, Seed: d.Seed, Examples: d.Examples, Turns: d.Turns,
		dialFlags: d.dialFlags, Method: d.Method, Mode: []string{string(outputs.SingleTurn)}, Out: filepath.Dir(d.Out)}
	if len(r.Task) == 0 && len(r.Data) == 0 {
		r.Task = []string{"kv", "qaeng"}
	}
	return r
}

// analyse writes the rows to file, and returns how many there are: also when it is interrupted, and the file is whole then, too.
func (d *driftCommand) analyse(ctx context.Context, c console, file *os.File) (rows int, err error) {
	r := d.run()
	if err := r.check(); err != nil {
		return 0, err
	}
	o, err := d.open()
	if err != nil {
		return 0, err
	}
	defer o.Close()
	encoders := newEncoders(o.pool)
	defer func() { _ = encoders.Close() }() // they were only read
	policies, err := r.policies(o, encoders)
	if err != nil {
		return 0, err
	}
	policies = slices.DeleteFunc(policies, func(p engine.Policy) bool { return p.Full() }) // it is what all are laid against
	heads, err := d.heads(o.Shape())
	if err != nil {
		return 0, err
	}
	store := kv.NewStore(&kv.OffHeap{}, o.PageFormat(), o.Shape().Dim, 0)
	a := drift.Analysis{Engine: &engine.Engine{Model: o.Model, Store: store, Pool: o.pool, Encode: func(text string) ([]int32, error) {
		return o.tokenizer.Encode(text, false)
	}}, Methods: policies, Heads: heads, Tokens: d.Tokens, Top: d.Top, Window: d.Window, Stop: o.Config.EosIDs}
	if err := a.Check(); err != nil {
		return 0, err
	}
	sets, err := r.sets(ctx, c, o)
	if err != nil {
		return 0, err
	}
	defer sets.Close()
	w := outputs.NewDriftWriter(file)
	for _, is := range [][2]string{
		{"scbench.weights", o.weights}, {"scbench.kernels", kernels.Tier()}, {"scbench.precision", o.Precision.String()}, {"scbench.build", build},
		{"scbench.drift.top", strconv.Itoa(d.Top)}, {"scbench.drift.window", strconv.Itoa(d.Window)}, {"scbench.drift.heads", d.Heads},
	} {
		w.Describe(is[0], is[1])
	}
	p := stages.Prompter{Tokenizer: o.tokenizer, Chat: o.chat, MaxTokens: o.Shape().MaxTokens - d.Tokens}
	if p.MaxTokens < 1 {
		return 0, fmt.Errorf("--tokens %d: the model was made for %d tokens, prompt and answer together", d.Tokens, o.Shape().MaxTokens)
	}
	total := 0
	for _, s := range sets {
		total += s.queries * d.Tokens
	}
	bar := startProgress(c.err, "tokens", 0, total)
	defer bar.close()
	err = ask(ctx, r, &a, p, sets, bar, func(row outputs.Drift) error {
		rows++
		return w.Write(row)
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		return rows, err
	}
	return rows, errors.Join(err, w.Close(), store.Close())
}

// ask runs the analysis of every question, each with a prompt of its own.
func ask(ctx context.Context, r *runCommand, a *drift.Analysis, p stages.Prompter, sets sources, bar *progress, write func(outputs.Drift) error) error {
	done := 0
	a.Generated = func(n int) { bar.reach(done + n) }
	for i := range sets {
		for e, err := range sets[i].examples(r) {
			if err != nil {
				return err
			}
			scripts, err := p.Scripts(&sets[i].task, e, outputs.SingleTurn, outputs.GoldHistory)
			if err != nil {
				return err
			}
			for _, script := range scripts {
				if err := a.Run(ctx, script.First, func(row outputs.Drift) error {
					row.Task, row.Example, row.Turn = sets[i].task.Name, e.ID, int32(script.Turns[0]+1)
					return write(row)
				}); err != nil {
					return fmt.Errorf("%s, example %s, question %d: %w", sets[i].task.Name, e.ID, script.Turns[0]+1, err)
				}
				done += a.Tokens
			}
		}
	}
	return nil
}

// show prints the means of the file, and draws them.
func (d *driftCommand) show(c console) error {
	s, err := outputs.SummariseDrift(d.Out)
	if err != nil {
		return err
	}
	if err := s.Table(c.out, outputs.TableOptions{}); err != nil {
		return err
	}
	picture := strings.TrimSuffix(d.Out, ".parquet") + ".svg"
	f, err := os.Create(picture)
	if err != nil {
		return err
	}
	if err := errors.Join(s.Picture(f), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", picture, err)
	}
	fmt.Fprintf(c.out, "%s  one row a head, token and method\n%s  a picture\nnext: scbench report RUN --drift %s puts it into the report of a run\n", d.Out, picture, d.Out)
	return nil
}
