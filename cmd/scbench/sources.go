package main

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"

	"scbench/datasets"
	"scbench/outputs"
	"scbench/stages"
)

// source is one set of a run.
type source struct {
	task     datasets.Task
	set      *datasets.Set
	contexts int // examples
	queries  int // turns that are asked
	maxNew   int // tokens of an answer at most; 0: as the task has it
}

type sources []source

// Close closes all sets.
func (s sources) Close() {
	for _, x := range s {
		x.set.Close()
	}
}

// work yields the examples of all sets, but for those whose rows an interrupted run has left in out, if there is one.
func (s sources) work(r *runCommand, j *stages.Job, out *outputs.Run) iter.Seq2[stages.Work, error] {
	return func(yield func(stages.Work, error) bool) {
		for i := range s {
			p := s[i].set.Provenance
			from := stages.Source{DataHash: p.Content, Profile: p.Profile, Seed: int64(p.Seed)}
			for e, err := range s[i].examples(r) {
				w := stages.Work{Task: &s[i].task, Example: e, Source: from}
				if err == nil && out != nil && done(w, j, out) {
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
		if files, err = r.build(ctx, c, o); err != nil {
			return nil, err
		}
	}
	seen := map[string]string{}
	for _, f := range files {
		if _, err := datasets.Verify(f); err != nil { // results name the data by the hash that the file states
			return nil, err
		}
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
		s.maxNew = r.maxNew(set.Provenance.Profile)
		s.task = s.task.AtMost(s.maxNew)
		if s.contexts, s.queries, err = s.count(r); err != nil {
			return nil, err
		}
		if s.queries == 0 {
			return nil, fmt.Errorf("%s: there is no question to ask", f)
		}
		out[len(out)-1] = s
	}
	return out, nil
}

// maxNew is the most new tokens of an answer: those asked for, or of the profile that a set was built for.
func (r *runCommand) maxNew(profile string) int {
	if r.MaxNew != nil {
		return *r.MaxNew
	}
	p, err := datasets.FindProfile(profile)
	if err != nil { // an imported set, or one that another version built
		return 0
	}
	return p.MaxNew
}

// count is the number of examples and of questions that are asked. Ids name rows, and so must differ.
func (s source) count(r *runCommand) (contexts, queries int, err error) {
	ids := map[string]bool{}
	for e, err := range s.examples(r) {
		if err != nil {
			return 0, 0, err
		}
		if ids[e.ID] {
			return 0, 0, fmt.Errorf("%s: two examples have the id %q; prepare the set again", s.task.Name, e.ID)
		}
		ids[e.ID] = true
		queries += len(e.Turns)
	}
	return len(ids), queries, nil
}

// slow is the number of examples that take a while to build.
const slow = 100

// build makes the sets of --task, or finds those that an earlier run has made.
func (r *runCommand) build(ctx context.Context, c console, o *opened) (files []string, err error) {
	dials, err := r.dials()
	if err != nil {
		return nil, err
	}
	for _, name := range r.Task {
		task, err := datasets.Find(name)
		if err != nil {
			return nil, err
		}
		opt := datasets.BuildOptions{Profile: r.Profile, Seed: *r.Seed, Examples: r.Examples, Turns: r.Turns, Dials: dials, Counter: counter(o.tokenizer)}
		path := setPath(filepath.Join(r.Out, "data"), task.Name, opt)
		if rep, err := datasets.Verify(path); err != nil || rep.Tokenizer != opt.Counter.Hash || rep.Generator != datasets.Generator {
			if r.Examples >= slow {
				fmt.Fprintf(c.err, "building %s\n", path)
			}
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
			if !yield(r.variant().Of(e), err) || err != nil {
				return
			}
		}
	}
}
