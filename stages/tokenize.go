package stages

import (
	"context"
	"fmt"
	"slices"

	"scbench/datasets"
	"scbench/stages/engine"
)

// Asked is an example with its prompts.
type Asked struct {
	Work
	Scripts [][]*Script // per policy, in order of mode; policies that rewrite the context alike, or leave it alone, share theirs
	Refused [][]*Script // per policy: those that are not asked
}

// tokenize makes the prompts of an example.
func (j *Job) tokenize(ctx context.Context, w Work) (*Asked, error) {
	a := &Asked{Work: w, Scripts: make([][]*Script, len(j.Policies)), Refused: make([][]*Script, len(j.Policies))}
	made := map[string][]*Script{} // by what rewrote the context, which may take long
	for i := range j.Policies {
		p := &j.Policies[i]
		if made[p.Rewriting()] == nil {
			e, err := rewritten(ctx, w, p)
			if err != nil {
				return nil, err
			}
			if made[p.Rewriting()], err = j.scripts(w.Task, e); err != nil {
				return nil, fmt.Errorf("%s %s: %w", w.Task.Name, e.ID, err)
			}
		}
		for _, s := range made[p.Rewriting()] {
			if s.Refused == "" {
				a.Scripts[i] = append(a.Scripts[i], s)
			} else {
				a.Refused[i] = append(a.Refused[i], s)
			}
		}
	}
	return a, nil
}

// rewritten is the example of w with its context, and nothing else, rewritten by p.
func rewritten(ctx context.Context, w Work, p *engine.Policy) (datasets.Example, error) {
	e := w.Example
	if p.Rewrite == nil {
		return e, nil
	}
	text, err := p.Rewrite(ctx, e.Context)
	if err != nil {
		return e, fmt.Errorf("%s %s: method %s: %w", w.Task.Name, e.ID, p.Name, err)
	}
	e.Context, e.Turns = text, slices.Clone(e.Turns)
	for t := range e.Turns {
		e.Turns[t].Evidence = nil // it spoke of another text
	}
	return e, nil
}

// scripts are the prompts of an example, mode by mode.
func (j *Job) scripts(t *datasets.Task, e datasets.Example) (scripts []*Script, err error) {
	for _, mode := range j.Modes {
		list, err := j.Prompter.Scripts(t, e, mode, j.History)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, list...)
	}
	return scripts, nil
}
