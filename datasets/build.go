package datasets

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/zeebo/blake3"
)

// Generator is the version of the builders' bytes. It changes when any builder makes another example from the same seed.
const Generator = "4"

// Profile is a named size of built sets.
type Profile struct {
	Name   string
	Tokens int  // length of the context aimed at; 0: as long as the published rows
	Mini   bool // built with Task.Mini, in the format of the embedded reference model, where the task has one; else with Task.Build
	MaxNew int  // most new tokens of an answer, where the task allows more; 0: as the task has it
}

// build is how a task's examples of p are made; nil if they cannot be.
func (p Profile) build(t Task) func(*rand.Rand, Size) (Example, error) {
	if p.Mini && t.Mini != nil {
		return t.Mini
	}
	return t.Build
}

// miniAnswer is Profile.MaxNew of the mini profiles. No right answer to their questions has half as many; a small model whose cache was cut up goes on
// to the task's limit, and so costs more than all others together, for nothing that scores.
const miniAnswer = 256

// Profiles lists all profiles: the published size, the ladder of lengths, and the ladder for the embedded model.
var Profiles = []Profile{
	{Name: "published"},
	{Name: "1k", Tokens: 1 << 10},
	{Name: "2k", Tokens: 2 << 10},
	{Name: "4k", Tokens: 4 << 10},
	{Name: "8k", Tokens: 8 << 10},
	{Name: "16k", Tokens: 16 << 10},
	{Name: "32k", Tokens: 32 << 10},
	{Name: "64k", Tokens: 64 << 10},
	{Name: "128k", Tokens: 128 << 10},
	{Name: "256k", Tokens: 256 << 10},
	{Name: "512k", Tokens: 512 << 10},
	{Name: "1m", Tokens: 1 << 20},
	{Name: "mini", Tokens: 1 << 10, Mini: true, MaxNew: miniAnswer},
	{Name: "mini-1k", Tokens: 1 << 10, Mini: true, MaxNew: miniAnswer},
	{Name: "mini-2k", Tokens: 2 << 10, Mini: true, MaxNew: miniAnswer},
	{Name: "mini-4k", Tokens: 4 << 10, Mini: true, MaxNew: miniAnswer},
	{Name: "mini-8k", Tokens: 8 << 10, Mini: true, MaxNew: miniAnswer},
	{Name: "mini-16k", Tokens: 16 << 10, Mini: true, MaxNew: miniAnswer},
}

// Counter counts the tokens of a text; the zero Counter takes four bytes for a token.
type Counter struct {
	Hash  string                // hash of the tokenizer, recorded as provenance; "" without a tokenizer
	Count func(text string) int // safe for concurrent use; nil: four bytes a token, rounded up
}

func (c Counter) tokens(text string) int { return Size{Count: c.Count}.count(text) }

// BuildOptions says which set Build shall make.
type BuildOptions struct {
	Profile  string // name of one of Profiles
	Seed     uint64
	Examples int    // number of examples, at least 1
	Turns    int    // questions per example; 0: as many as the published rows have
	Dials           // how hard they shall be; a task turns those that it has
	Source   string // of what the builder reads, for Provenance.Source; "" if it makes everything up
	Counter  Counter
	Workers  int // examples made at the same time; 0: one per processor
}

// Build makes a set of task's examples and writes it to path as Write does. Example i is a function of seed, task, profile, turns, dials,
// counter and i alone: neither the number of workers nor the number of examples changes it. At most Workers examples are in memory.
func Build(ctx context.Context, task Task, o BuildOptions, path string) (Provenance, error) {
	rows, err := Generate(ctx, task, o)
	if err != nil {
		return Provenance{}, err
	}
	p := Provenance{Task: task.Name, Profile: o.Profile, Seed: o.Seed, Dials: o.Dials.String(), Generator: Generator, Tokenizer: o.Counter.Hash, Source: o.Source}
	return Write(ctx, path, p, rows)
}

// Generate makes the rows that Build writes, in order, without writing them. The sequence ends after its first error.
func Generate(ctx context.Context, task Task, o BuildOptions) (iter.Seq2[Row, error], error) {
	profile, err := FindProfile(o.Profile)
	if err != nil {
		return nil, err
	}
	build := profile.build(task)
	switch {
	case task.Name == "":
		return nil, errors.New("build: the task has no name")
	case build == nil:
		return nil, fmt.Errorf("build %s: the task has no builder for profile %s; import the published data or choose another profile", task.Name, o.Profile)
	case o.Examples < 1:
		return nil, fmt.Errorf("build %s: %d examples asked for; want at least 1", task.Name, o.Examples)
	case o.Turns < 0:
		return nil, fmt.Errorf("build %s: %d turns asked for; want 0 (as published) or more", task.Name, o.Turns)
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	size := Size{Tokens: profile.Tokens, Turns: o.Turns, Count: o.Counter.Count, Dials: o.Dials}
	return inOrder(ctx, o.Examples, o.Workers, func(i int) (row Row, err error) {
		id := fmt.Sprintf("%s-%06d", task.Name, i)
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("build %s: the builder panicked: %v", id, p)
			}
		}()
		e, err := build(source(o.Seed, task.Name, profile.Name, i), size)
		if err != nil {
			return Row{}, fmt.Errorf("build %s: %w", id, err)
		}
		e.ID, e.Task = id, task.Name
		return Row{Index: i, Tokens: o.Counter.tokens(e.Context), Example: e}, nil
	}), nil
}

// Buildable returns the tasks that have examples of a profile, in the order of All, and the names of those that have none.
func Buildable(profile string) (tasks []Task, without []string, err error) {
	p, err := FindProfile(profile)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range All {
		if p.build(t) == nil {
			without = append(without, t.Name)
		} else {
			tasks = append(tasks, t)
		}
	}
	return tasks, without, nil
}

// FindProfile returns the profile of that name. The error lists the names there are.
func FindProfile(name string) (Profile, error) {
	var known []string
	for _, p := range Profiles {
		if p.Name == name {
			return p, nil
		}
		known = append(known, p.Name)
	}
	return Profile{}, fmt.Errorf("there is no profile %q; profiles are %v", name, known)
}

// source is the random stream of one example: a PCG seeded by a hash of all that identifies it.
func source(seed uint64, task, profile string, index int) *rand.Rand {
	h := blake3.New()
	fmt.Fprintf(h, "scbench example\n%d\n%q\n%q\n%d\n", seed, task, profile, index)
	sum := h.Sum(nil)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum), binary.LittleEndian.Uint64(sum[8:])))
}

// inOrder yields do(0) … do(n-1) in order while up to workers of them run ahead. It stops at the first error, at a cancellation of ctx, or
// when its consumer does, and returns after its goroutines have.
func inOrder[T any](ctx context.Context, n, workers int, do func(i int) (T, error)) iter.Seq2[T, error] {
	type result struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		slots := make(chan chan result, workers-1)
		var running sync.WaitGroup
		running.Go(func() {
			defer close(slots)
			for i := range n {
				slot := make(chan result, 1)
				select {
				case slots <- slot:
				case <-ctx.Done():
					return
				}
				running.Go(func() {
					v, err := do(i)
					slot <- result{v, err}
				})
			}
		})
		defer running.Wait()
		defer cancel()

		done := 0
		for slot := range slots {
			r := <-slot
			if r.err == nil {
				r.err = ctx.Err()
			}
			if !yield(r.value, r.err) || r.err != nil {
				return
			}
			done++
		}
		if done < n {
			var none T
			yield(none, ctx.Err())
		}
	}
}
