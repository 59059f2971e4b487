package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"time"

	"scbench/datasets"
	"scbench/datasets/metric"
	"scbench/kernels"
	"scbench/outputs"
	"scbench/pipeline"
	"scbench/stages"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/methods"
)

// runCommand runs the benchmark.
type runCommand struct {
	modelFlags

	Data     []string `help:"Prepared sets (Parquet) to run; without it sets are built." placeholder:"FILE" type:"existingfile"`
	Task     []string `help:"Tasks to build sets of." default:"kv,prefixsuffix,vt"`
	Profile  string   `help:"Length of built contexts; see scbench list profiles." default:"mini"`
	Seed     uint64   `help:"Seed of built sets." default:"7"`
	Examples int      `help:"Examples (contexts) of a task: how many to build, or with --data the most to read, where 0 is all." default:"8"`
	Turns    int      `help:"Most questions a context; all by default." placeholder:"N"`

	Method  []string `short:"m" help:"Methods with their settings, joined by +; several in one flag are divided by blanks. See scbench list methods." sep:" " placeholder:"SPEC" default:"full ashape:init=16,local=240 streamingllm:init=16,local=240 snapkv:budget=256 quest:budget=256"`
	Mode    []string `help:"Shared-context modes." enum:"multi-turn,multi-request" default:"multi-turn,multi-request"`
	History string   `help:"Earlier answers in multi-turn prompts: gold, or the model's own." enum:"gold,own" default:"gold"`

	MaxTokens int     `help:"Longest conversation in tokens; contexts are cut in the middle to fit. The model's limit, at most 131072, by default." placeholder:"N"`
	KVMemory  string  `name:"kv-memory" help:"Most memory for KV caches, such as 8GiB; half of what is free by default." placeholder:"SIZE"`
	Limit     float64 `help:"Seconds that decoding one answer may take; answers cut off so are counted as failed." placeholder:"SECONDS"`

	Out   string `help:"Folder for runs and built sets." default:"outputs" placeholder:"DIR"`
	Force bool   `help:"Write over what another run left in the folder, and do not go on from an interrupted one."`
}

// resolved is all that the results of a run depend on besides data and weights; it names the run.
type resolved struct {
	Model     string   `json:"model"`
	Methods   []string `json:"methods"`
	Modes     []string `json:"modes"`
	History   string   `json:"history"`
	Turns     int      `json:"turns"`
	Examples  int      `json:"examples"`
	MaxTokens int      `json:"max_tokens"`
	Limit     float64  `json:"limit_s"`
	Chat      string   `json:"chat_template"` // hash
	Tokenizer string   `json:"tokenizer"`     // hash
	Kernels   string   `json:"kernels"`
	Precision string   `json:"precision"`
	Data      []string `json:"data"` // content hashes
}

// Run runs the benchmark and prints the table.
func (r *runCommand) Run(c console) error {
	started := time.Now()
	o, err := r.open()
	if err != nil {
		return err
	}
	defer o.Close()
	for _, note := range o.Notes() {
		fmt.Fprintf(c.err, "note: %s\n", note)
	}
	policies, err := r.policies(o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sets, err := r.sets(ctx, c, o)
	if err != nil {
		return err
	}
	defer sets.Close()
	limit, err := kvMemory(r.KVMemory)
	if err != nil {
		return err
	}
	mem := &kv.OffHeap{}
	store := kv.NewStore(mem, o.Shape().Dim, limit+slack)
	job := r.job(o, policies, store, limit)
	out, dir, err := r.create(job, o, sets)
	if err != nil {
		return err
	}
	err = r.execute(ctx, cancel, c, job, sets, out)
	if err != nil && !errors.Is(err, errInterrupted) {
		return errors.Join(err, out.Close())
	}
	if cerr := store.Close(); cerr != nil {
		return cerr
	}
	return r.report(c, dir, job, time.Since(started), err)
}

// slack is what the store may hold beyond the pages in use: slabs are larger than pages. The budget of the run, which counts
// pages, is what examples wait for.
const slack = 8 << 20

// policies parses the methods.
func (r *runCommand) policies(o *opened) ([]engine.Policy, error) {
	var out []engine.Policy
	seen := map[string]bool{}
	for _, spec := range r.Method {
		p, err := methods.Parse(spec, o.Shape())
		if err != nil {
			return nil, err
		}
		if seen[p.Name] {
			return nil, fmt.Errorf("--method: %s is asked for twice", p.Name)
		}
		seen[p.Name] = true
		out = append(out, p)
	}
	return out, nil
}

// job resolves the run.
func (r *runCommand) job(o *opened, policies []engine.Policy, store *kv.Store, limit int64) *stages.Job {
	if r.MaxTokens <= 0 {
		r.MaxTokens = min(131072, o.Shape().MaxTokens)
	}
	j := &stages.Job{
		Engine:   &engine.Engine{Model: o.Model, Store: store, Pool: o.pool},
		Prompter: stages.Prompter{Tokenizer: o.tokenizer, Chat: o.chat, MaxTokens: r.MaxTokens},
		Policies: policies,
		History:  outputs.History(r.History),
		Stop:     o.Config.EosIDs,
		Limit:    r.Limit,
		Budget:   pipeline.NewBudget(limit),
		Base: outputs.Result{
			TokenizerHash: o.tokenizer.Hash(), WeightsHash: o.weights, ScorerVersion: metric.Version,
			Build: build, KernelTier: kernels.Tier(), Precision: precision,
		},
	}
	if o.chat != nil {
		j.Base.ChatTemplateHash = o.chat.Hash()
	}
	for _, m := range r.Mode {
		j.Modes = append(j.Modes, outputs.Mode(m))
	}
	return j
}

// precision is the number format of activations and cache. Weights are widened from the checkpoint's format.
const precision = "f32"

// create opens the run's folder.
func (r *runCommand) create(j *stages.Job, o *opened, sets sources) (run *outputs.Run, dir string, err error) {
	model := r.Model
	if model == "" {
		model = "reference"
	}
	cfg := resolved{
		Model: filepath.Base(model), Modes: r.Mode, History: r.History, Turns: r.Turns, Examples: r.Examples, MaxTokens: r.MaxTokens,
		Limit: r.Limit, Chat: j.Base.ChatTemplateHash, Tokenizer: j.Base.TokenizerHash, Kernels: j.Base.KernelTier, Precision: precision,
	}
	m := outputs.Manifest{
		Build: build, Hashes: map[string]string{"weights": o.weights, "tokenizer": cfg.Tokenizer, "chat_template": cfg.Chat},
		Versions: map[string]string{"scorer": metric.Version, "kernels": cfg.Kernels},
		Order:    outputs.Order{Modes: j.Modes, Histories: []outputs.History{j.History, outputs.NoHistory}},
	}
	for _, p := range j.Policies {
		cfg.Methods, m.Order.Methods = append(cfg.Methods, p.Name), append(m.Order.Methods, p.Name)
	}
	for _, s := range sets {
		cfg.Data, m.Order.Tasks = append(cfg.Data, s.set.Provenance.Content), append(m.Order.Tasks, s.task.Name)
		m.Hashes["data "+s.task.Name] = s.set.Provenance.Content
		m.Counts.Planned += s.queries * len(j.Policies) * len(j.Modes)
	}
	if m.Config, err = json.Marshal(cfg); err != nil {
		return nil, "", err
	}
	if m.Run, err = outputs.RunID(m.Config, o.weights); err != nil {
		return nil, "", err
	}
	dir = filepath.Join(r.Out, "runs", m.Run)
	run, err = outputs.Create(dir, m, r.Force)
	return run, dir, err
}

// execute runs the flow and finishes the folder, whatever the user does meanwhile.
func (r *runCommand) execute(ctx context.Context, cancel context.CancelFunc, c console, j *stages.Job, sets sources, out *outputs.Run) error {
	p := newProgress(c.err, out)
	flow := j.Flow(ctx, sets.work(r, j, out), func(_ context.Context, rows []outputs.Row) error {
		for _, row := range rows {
			if out.Has(row.Result.Key) {
				continue // an interrupted run had this row already
			}
			if err := out.Append(row.Result, row.Timing); err != nil {
				return err
			}
		}
		p.add(rows)
		return out.Sync()
	})
	stop := interrupts(c.err, flow.Stop, cancel)
	err := flow.Wait()
	stop()
	p.close()
	if errors.Is(err, pipeline.ErrStopped) || errors.Is(err, context.Canceled) {
		return errors.Join(errInterrupted, out.FinishPartial())
	}
	if err != nil {
		return err
	}
	return out.Finish()
}

// report prints the table and what the run cost.
func (r *runCommand) report(c console, dir string, j *stages.Job, took time.Duration, ended error) error {
	rows, err := outputs.ReadResults(filepath.Join(dir, outputs.ResultsFile))
	if err != nil {
		return err
	}
	summary := outputs.Summarize(rows)
	if err := summary.Table(c.out, outputs.TableOptions{}); err != nil {
		return err
	}
	picture, err := summary.WriteCurves(dir)
	if err != nil {
		return err
	}
	computed, alone := j.Prefilled()
	fmt.Fprintf(c.out, "\nprefill  %d tokens computed for prompts of %d: shared beginnings were computed once\n", computed, alone)
	fmt.Fprintf(c.out, "time     %.1f s on %d threads, kernels %s\n", took.Seconds(), j.Engine.Pool.Threads(), kernels.Tier())
	fmt.Fprintf(c.out, "memory   %s peak, of it %s KV cache\n", bytesText(stages.PeakRSS()), bytesText(j.Engine.Store.Peak()))
	fmt.Fprintf(c.out, "results  %s\n", filepath.Join(dir, outputs.ResultsFile))
	fmt.Fprintf(c.out, "picture  %s\n", picture)
	fmt.Fprintf(c.out, "next     duckdb -c \"select method, turn, avg(score_fixed) from '%s' group by all order by all\"\n", filepath.Join(dir, outputs.ResultsFile))
	if ended != nil {
		fmt.Fprintln(c.err, "the finished rows are kept; the same command goes on from here")
	}
	return ended
}

// source is one set of a run.
type source struct {
	task    datasets.Task
	set     *datasets.Set
	queries int // turns that are asked
}

type sources []source

// Close closes all sets.
func (s sources) Close() {
	for _, x := range s {
		x.set.Close()
	}
}

// work yields the examples of all sets, but for those whose rows an interrupted run has left.
func (s sources) work(r *runCommand, j *stages.Job, out *outputs.Run) iter.Seq2[stages.Work, error] {
	return func(yield func(stages.Work, error) bool) {
		for i := range s {
			p := s[i].set.Provenance
			from := stages.Source{DataHash: p.Content, Profile: p.Profile, Seed: int64(p.Seed)}
			for e, err := range s[i].examples(r) {
				w := stages.Work{Task: &s[i].task, Example: e, Source: from}
				if err == nil && done(w, j, out) {
					continue
				}
				if !yield(w, err) || err != nil {
					return
				}
			}
		}
	}
}

// done reports whether all rows of an example are there.
func done(w stages.Work, j *stages.Job, out *outputs.Run) bool {
	for _, k := range j.Keys(w) {
		if !out.Has(k) {
			return false
		}
	}
	return true
}

// sets opens the sets of --data, or builds those of --task.
func (r *runCommand) sets(ctx context.Context, c console, o *opened) (_ sources, err error) {
	var out sources
	defer func() {
		if err != nil {
			out.Close()
		}
	}()
	files := r.Data
	if len(files) == 0 {
		if files, err = r.build(ctx, o); err != nil {
			return nil, err
		}
	}
	seen := map[string]string{}
	for _, f := range files {
		set, err := datasets.Open(f)
		if err != nil {
			return nil, err
		}
		s := source{set: set}
		out = append(out, s)
		if s.task, err = datasets.Find(set.Provenance.Task); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		if other, twice := seen[s.task.Name]; twice {
			return nil, fmt.Errorf("%s and %s are both sets of %s: a run has one set a task", other, f, s.task.Name)
		}
		seen[s.task.Name] = f
		if s.queries, err = s.count(r); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		out[len(out)-1] = s
	}
	return out, nil
}

// count is the number of questions that are asked. Ids name rows, and so must differ.
func (s source) count(r *runCommand) (queries int, err error) {
	ids := map[string]bool{}
	for e, err := range s.examples(r) {
		if err != nil {
			return 0, err
		}
		if ids[e.ID] {
			return 0, fmt.Errorf("two examples have the id %q; prepare the set again", e.ID)
		}
		ids[e.ID] = true
		queries += len(e.Turns)
	}
	return queries, nil
}

// build makes the sets of --task, or finds those that an earlier run has made.
func (r *runCommand) build(ctx context.Context, o *opened) (files []string, err error) {
	for _, name := range r.Task {
		task, err := datasets.Find(name)
		if err != nil {
			return nil, err
		}
		path := setPath(filepath.Join(r.Out, "data"), task.Name, r.Profile, r.Seed, r.Examples, r.Turns)
		opt := datasets.BuildOptions{Profile: r.Profile, Seed: r.Seed, Examples: r.Examples, Turns: r.Turns, Counter: counter(o.tokenizer)}
		if rep, err := datasets.Verify(path); err != nil || rep.Tokenizer != opt.Counter.Hash || rep.Generator != datasets.Generator {
			if _, err := buildSet(ctx, task, path, opt); err != nil {
				return nil, err
			}
		}
		files = append(files, path)
	}
	return files, nil
}

// examples yields those that are run, with the turns that are asked.
func (s source) examples(r *runCommand) func(yield func(datasets.Example, error) bool) {
	return func(yield func(datasets.Example, error) bool) {
		n := 0
		for e, err := range s.set.Examples() {
			if r.Examples > 0 && n == r.Examples {
				return
			}
			n++
			if r.Turns > 0 && len(e.Turns) > r.Turns {
				e.Turns = e.Turns[:r.Turns]
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}
