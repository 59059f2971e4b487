// Package stages has the operators of the dataflow, one file each, and the run that joins them:
//
//	read ──▶ tokenize ──▶ prefill ──▶ cache ──▶ decode ──▶ score ──▶ write
//	Work     Asked        Filled      Branched  Answered   []Row
//
//	tokenize  the prompts of an example in each mode, as token segments; truncation
//	prefill   each distinct beginning of a prompt, once for all methods and modes that share it
//	cache     one branch a method and mode; its compression and its index
//	decode    turn after turn, the questions and answers of all branches in one ragged batch
//	score     one row a query
//
// What is asked comes from package datasets, what is measured goes to package outputs. Prefill, cache and decode have
// one worker each and share one engine; their parallelism is inside the kernels. The others overlap with them.
package stages

import (
	"context"
	"iter"
	"sync/atomic"

	"scbench/datasets"
	"scbench/outputs"
	"scbench/pipeline"
	"scbench/stages/engine"
	"scbench/stages/prefix"
)

// Work is one example with the task that asks it.
type Work struct {
	Task    *datasets.Task
	Example datasets.Example
	Source  Source
}

// Source is where an example comes from, as results record it.
type Source struct {
	DataHash string
	Profile  string
	Seed     int64
}

// Job is a run, resolved: everything that its results depend on.
type Job struct {
	Engine   *engine.Engine
	Prompter Prompter
	Policies []engine.Policy
	Modes    []outputs.Mode
	History  outputs.History // of the multi-turn mode: gold or own
	Stop     []int32         // tokens that end an answer
	Limit    float64         // seconds of decoding an answer may take; 0: no limit
	Budget   *pipeline.Budget
	Prefix   *prefix.Cache       // what earlier prompts computed; or nil
	NoShare  bool                // every method computes its prompts itself, in every mode: to see what sharing saves
	Base     outputs.Result      // hashes and versions that every row carries
	Trace    func(pipeline.Span) // sees what the stages' workers do; or nil

	computed, alone, apart, bound atomic.Int64
}

// Prefilled says how many tokens of first prompts were computed so far, and how many there would have been had every
// method computed its own prompt in every mode.
func (j *Job) Prefilled() (computed, alone int64) { return j.computed.Load(), j.alone.Load() }

// Bound is the least number of tokens that would have done for Prefilled, see Plan.
func (j *Job) Bound() int64 { return j.bound.Load() }

// Apart says how many tokens were computed so far in chunks, apart from the prompts that were put together from them; those that the prefix
// cache had are not among them.
func (j *Job) Apart() int64 { return j.apart.Load() }

// Flow starts the run: it reads work, and hands the rows of each example, in order of mode, method and turn, to write.
// The caller waits for the flow.
func (j *Job) Flow(ctx context.Context, work iter.Seq2[Work, error], write func(context.Context, []outputs.Row) error) *pipeline.Flow {
	f := pipeline.New(ctx)
	if j.Trace != nil {
		f.Trace(j.Trace)
	}
	read := pipeline.From(f, "read", work)
	asked := pipeline.Map(read, pipeline.Stage{Name: "tokenize", Workers: 2}, j.tokenize)
	filled := pipeline.Map(asked, pipeline.Stage{Name: "prefill"}, j.prefill)
	branched := pipeline.Map(filled, pipeline.Stage{Name: "cache"}, j.cache)
	answered := pipeline.Map(branched, pipeline.Stage{Name: "decode"}, j.decode)
	rows := pipeline.Map(answered, pipeline.Stage{Name: "score", Buffer: 2}, j.score)
	pipeline.Each(rows, "write", write)
	return f
}
