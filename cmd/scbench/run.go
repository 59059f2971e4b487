package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	"scbench/stages/tokenizers"
)

// runCommand runs the benchmark.
type runCommand struct {
	modelFlags

	Data     []string `help:"Prepared sets (Parquet) to run; without it sets are built." placeholder:"FILE" type:"existingfile"`
	Task     []string `help:"Tasks to build sets of; by default the paper's twelve, with four questions a context." placeholder:"TASK"`
	Profile  string   `help:"Length of built contexts, see scbench list profiles; mini by default." placeholder:"NAME"`
	Seed     *uint64  `help:"Seed of built sets; 7 by default." placeholder:"N"`
	Examples int      `help:"Examples (contexts) of a task: how many to build, or with --data the most to read, where 0 is all." default:"4"`
	Turns    int      `help:"Most questions a context; all by default." placeholder:"N"`
	MaxNew   *int     `name:"max-new" help:"Most new tokens of an answer, where its task allows more; 0: as the task has it. By default 256 in sets of the mini profiles." placeholder:"N"`
	dialFlags

	Method  []string `short:"m" help:"Methods with their settings, joined by +; several in one flag are divided by blanks. budget=256|512 is a sweep: a method for each. All that need nothing but the model by default, on about a quarter of a mini context. See scbench list methods." sep:" " placeholder:"SPEC" default:"${methods}"`
	Mode    []string `help:"How questions share their context: multi-turn, multi-request, or single-turn, the baseline in which each has a prompt of its own." enum:"multi-turn,multi-request,single-turn" default:"multi-turn,multi-request"`
	History string   `help:"Earlier answers in multi-turn prompts: gold, or the model's own." enum:"gold,own" default:"gold"`
	Shuffle *uint64  `help:"Ask the questions of each context in another order, drawn with this seed." placeholder:"SEED"`
	Repeat  bool     `help:"Ask the first question again as the last one."`
	Prompts string   `help:"Another wording of instructions and questions, see examples/prompts.json." placeholder:"FILE" type:"existingfile"`
	Strict  bool     `help:"Let prompts give away what the reference's do: Math.Find's first question stands in the context, before a method should know it."`

	MaxTokens int     `help:"Longest conversation in tokens. The model's limit, at most 131072, by default." placeholder:"N"`
	Truncate  string  `help:"What becomes of longer prompts: they lose their middle, or they are refused and count as failed." enum:"middle,refuse" default:"middle"`
	KVMemory  string  `name:"kv-memory" help:"Most memory for KV caches, such as 8GiB; half of what is free by default." placeholder:"SIZE"`
	Limit     float64 `help:"Seconds that decoding one answer may take; answers cut off so are counted as failed." placeholder:"SECONDS"`

	PrefixCache  string `name:"prefix-cache" help:"Folder that keeps what prompts computed for later runs." placeholder:"DIR"`
	PrefixLimit  string `name:"prefix-limit" help:"Most bytes of that folder; the least recently used go first; 20GiB by default." placeholder:"SIZE"`
	PrefixMemory string `name:"prefix-memory" help:"Memory that keeps what prompts computed for later examples of this run; none by default." placeholder:"SIZE"`

	NoShare bool `help:"Let every method compute its prompts itself, in every mode, to see what sharing saves. Answers are the same."`

	Report bool   `help:"Write report.html into the run's folder when it ends." negatable:"" default:"true"`
	UI     bool   `name:"ui" help:"Watch the run in the terminal: progress by stage and task, and the table so far. q goes back to plain progress."`
	Trace  string `help:"Write what the stages of the pipeline did, and the memory in use, as a Chrome trace (for ui.perfetto.dev)." placeholder:"FILE"`
	Plan   bool   `help:"Say what the run would compute and how much memory it needs, and leave."`
	Out    string `help:"Folder for runs and built sets." default:"outputs" placeholder:"DIR"`
	Force  bool   `help:"Write over what another run left in the folder, and do not go on from an interrupted one."`
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
	KVMemory  string   `json:"kv_memory"`     // if it was given: it decides what is refused
	Chat      string   `json:"chat_template"` // hash
	Tokenizer string   `json:"tokenizer"`     // hash
	Kernels   string   `json:"kernels"`
	Precision string   `json:"precision"`
	Data      []string `json:"data"` // content hashes
	Shuffle   *uint64  `json:"shuffle,omitempty"`
	Repeat    bool     `json:"repeat,omitempty"`
	Truncate  string   `json:"truncate,omitempty"` // "" is middle
	Prompts   *wording `json:"prompts,omitempty"`  // nil is the tasks' own
	MaxNew    []int    `json:"max_new,omitempty"`  // of the sets' answers; 0: as the task has it
}

// wording names a wording set.
type wording struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
}

// Run runs the benchmark and prints the table.
func (r *runCommand) Run(c console) error {
	started := time.Now()
	if err := r.check(); err != nil {
		return err
	}
	o, err := r.prepare()
	if err != nil {
		return err
	}
	defer o.Close()
	r.notes(c, o)
	encoders := newEncoders(o.pool)
	defer func() { _ = encoders.Close() }() // they were only read
	policies, err := r.policies(o, encoders)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := interrupts(c.err, examplesFirst, cancel, cancel)
	sets, err := r.sets(ctx, c, o)
	stop()
	if errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	if err != nil {
		return err
	}
	defer sets.Close()
	mem := &kv.OffHeap{}
	job, store, err := r.load(o, policies, sets, mem)
	if err != nil {
		return err
	}
	if job.Prefix, err = r.prefixCache(job); err != nil {
		return err
	}
	defer func() {
		if job.Prefix != nil {
			_ = job.Prefix.Close() // all is on disk already
		}
	}()
	if r.Plan {
		return r.plan(ctx, c, o, job, sets)
	}
	out, dir, err := r.create(job, o, sets)
	if err != nil {
		return err
	}
	err = r.execute(ctx, cancel, c, dir, job, sets, out)
	if err != nil && !errors.Is(err, errInterrupted) {
		err = errors.Join(err, out.Close())
		if out.Counts().Rows == 0 { // nothing to go on from
			err = errors.Join(err, os.Remove(filepath.Join(dir, outputs.JournalFile)))
			_ = os.Remove(dir) // it and its parent stay if earlier runs left files
			_ = os.Remove(filepath.Dir(dir))
		}
		return err
	}
	if cerr := store.Close(); cerr != nil {
		return cerr
	}
	return r.report(c, dir, job, time.Since(started), err)
}

// slack is what the store may hold beyond the pages in use: slabs are larger than pages. The budget of the run, which counts
// pages, is what examples wait for.
const slack = 8 << 20

// check refuses flags that make no sense, and fills in defaults.
func (r *runCommand) check() error {
	switch {
	case len(r.Data) > 0 && (len(r.Task) > 0 || r.Profile != "" || r.Seed != nil || r.dialFlags != dialFlags{}):
		return errors.New("--data brings its own tasks, lengths, seeds and dials: leave --task, --profile, --seed, --hops, --distractors and --depth out")
	case len(r.Mode) == 0 || slices.Contains(r.Mode, ""):
		return errors.New("--mode: want multi-turn, multi-request, single-turn or several of them")
	case len(r.Mode) > len(slices.Compact(slices.Sorted(slices.Values(r.Mode)))):
		return fmt.Errorf("--mode: %s: a mode is asked for twice", strings.Join(r.Mode, ","))
	case r.Turns < 0 || r.Examples < 0 || r.MaxTokens < 0 || r.MaxNew != nil && *r.MaxNew < 0:
		return errors.New("--turns, --examples, --max-tokens and --max-new: want no negative number")
	case !(r.Limit >= 0) || math.IsInf(r.Limit, 0):
		return errors.New("--limit: want a number of seconds, or 0 for no limit")
	case r.Out == "":
		return errors.New("--out: want a folder")
	}
	if err := checkTrace(r.Trace); err != nil {
		return err
	}
	r.suite()
	return nil
}

// notes says what of the model a reader of the results should know.
func (r *runCommand) notes(c console, o *opened) {
	notes := o.Notes()
	if o.chat == nil && !r.NoChat {
		notes = append(notes, "the model has no chat template (tokenizer_config.json or chat_template.jinja): prompts are plain text")
	}
	if len(o.Config.EosIDs) == 0 {
		notes = append(notes, "config.json and generation_config.json name no eos_token_id: answers go on until their limit")
	}
	if limit := o.Shape().MaxTokens; r.MaxTokens > limit {
		notes = append(notes, fmt.Sprintf("--max-tokens %d is more than the %d tokens that the model was made for", r.MaxTokens, limit))
	}
	for _, n := range notes {
		fmt.Fprintf(c.err, "note: %s\n", n)
	}
}

// expand returns the methods that specifications and sweeps stand for.
func expand(sweeps []string) (specs []string, err error) {
	for _, s := range sweeps {
		list, err := engine.Expand(s)
		if err != nil {
			return nil, fmt.Errorf("--method %s: %w", s, err)
		}
		specs = append(specs, list...)
	}
	return specs, nil
}

// policies parses the methods.
func (r *runCommand) policies(o *opened, e *encoders) ([]engine.Policy, error) {
	var out []engine.Policy
	seen := map[string]bool{}
	if len(r.Method) == 0 {
		return nil, errors.New("--method: name at least one, such as full")
	}
	specs, err := expand(r.Method)
	if err != nil {
		return nil, err
	}
	for _, spec := range specs {
		p, err := methods.ParseWith(spec, o.Shape(), e.methods())
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

// job resolves the run as far as that goes without the weights.
func (r *runCommand) job(o *opened, policies []engine.Policy) (*stages.Job, error) {
	prompts, err := r.prompts()
	if err != nil {
		return nil, err
	}
	if r.MaxTokens <= 0 {
		r.MaxTokens = min(131072, o.Shape().MaxTokens)
	}
	j := &stages.Job{
		Engine: &engine.Engine{Model: o.Model, Store: kv.NewStore(nil, o.PageFormat(), o.Shape().Dim, 0), Pool: o.pool, Encode: func(text string) ([]int32, error) {
			return o.tokenizer.Encode(text, false)
		}},
		Prompter: stages.Prompter{Tokenizer: o.tokenizer, Chat: o.chat, MaxTokens: r.MaxTokens, Prompts: prompts, Refuse: r.Truncate == "refuse"},
		Policies: policies,
		History:  outputs.History(r.History),
		Stop:     o.Config.EosIDs,
		Limit:    r.Limit,
		NoShare:  r.NoShare,
		Base: outputs.Result{
			Model: r.modelName(), TokenizerHash: o.tokenizer.Hash(), ScorerVersion: metric.Version,
			Build: build, KernelTier: kernels.Tier(), Precision: o.Precision.String(),
		},
	}
	if o.chat != nil {
		j.Base.ChatTemplateHash = o.chat.Hash()
	}
	for _, m := range r.Mode {
		j.Modes = append(j.Modes, outputs.Mode(m))
	}
	return j, nil
}

// modelName is what results call the model.
func (r *runCommand) modelName() string {
	if r.Model == "" {
		return "reference"
	}
	return filepath.Base(r.Model)
}

// variant is how the turns of examples are asked.
func (r *runCommand) variant() datasets.Variant {
	return datasets.Variant{Turns: r.Turns, Shuffle: r.Shuffle, Repeat: r.Repeat}
}

// create opens the run's folder.
func (r *runCommand) create(j *stages.Job, o *opened, sets sources) (run *outputs.Run, dir string, err error) {
	cfg := resolved{
		Model: r.modelName(), Modes: r.Mode, History: r.History, Turns: r.Turns, Examples: r.Examples, MaxTokens: r.MaxTokens,
		Limit: r.Limit, KVMemory: r.KVMemory, Chat: j.Base.ChatTemplateHash, Tokenizer: j.Base.TokenizerHash, Kernels: j.Base.KernelTier, Precision: j.Base.Precision,
		Shuffle: r.Shuffle, Repeat: r.Repeat,
	}
	if r.Truncate == "refuse" {
		cfg.Truncate = r.Truncate
	}
	m := outputs.Manifest{
		Build: build, Hashes: map[string]string{"weights": o.weights, "tokenizer": cfg.Tokenizer, "chat_template": cfg.Chat},
		Versions: map[string]string{"scorer": metric.Version, "kernels": cfg.Kernels, "template_clock": tokenizers.TemplateDate.Format(time.RFC3339)},
		Order:    outputs.Order{Modes: j.Modes, Histories: []outputs.History{j.History, outputs.NoHistory}},
	}
	if p := j.Prompter.Prompts; p != nil {
		cfg.Prompts = &wording{p.Name, p.Hash}
		m.Hashes["prompts"] = p.Hash
	}
	for _, p := range j.Policies {
		cfg.Methods, m.Order.Methods = append(cfg.Methods, p.Name), append(m.Order.Methods, p.Name)
	}
	for _, s := range sets {
		cfg.Data, m.Order.Tasks = append(cfg.Data, s.set.Provenance.Content), append(m.Order.Tasks, s.task.Name)
		cfg.MaxNew = append(cfg.MaxNew, s.maxNew)
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
func (r *runCommand) execute(ctx context.Context, cancel context.CancelFunc, c console, dir string, j *stages.Job, sets sources, out *outputs.Run) error {
	trace, err := startTrace(r.Trace, j.Budget)
	if err != nil {
		return err
	}
	if trace != nil {
		j.Trace = trace.observe
	}
	p, unseen, err := r.progress(c, dir, out)
	if err != nil {
		return err
	}
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
	quiet := heartbeat(dir, r.state(j, sets, out, flow))
	stop := interrupts(c.err, examplesFirst, flow.Stop, cancel)
	err = flow.Wait()
	stop()
	quiet()
	p.close()
	out.Spent(spent(j))
	unseen()
	if lost := trace.finish(); lost != nil {
		fmt.Fprintf(c.err, "note: %v\n", lost)
	}
	if errors.Is(err, pipeline.ErrStopped) || errors.Is(err, context.Canceled) {
		return errors.Join(errInterrupted, out.FinishPartial())
	}
	if err != nil {
		return err
	}
	return out.Finish()
}
