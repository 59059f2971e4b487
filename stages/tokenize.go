package stages

import (
	"context"
	"fmt"
	"slices"
)

// Asked is an example with its prompts.
type Asked struct {
	Work
	Scripts [][]*Script // per policy and mode; policies that leave the text alone share theirs
}

// tokenize makes the prompts of an example.
func (j *Job) tokenize(ctx context.Context, w Work) (*Asked, error) {
	a := &Asked{Work: w, Scripts: make([][]*Script, len(j.Policies))}
	var plain []*Script
	for i, p := range j.Policies {
		if p.Rewrite == nil && plain != nil {
			a.Scripts[i] = plain
			continue
		}
		e := w.Example
		if p.Rewrite != nil {
			text, err := p.Rewrite(ctx, e.Context)
			if err != nil {
				return nil, fmt.Errorf("%s %s: method %s: %w", w.Task.Name, e.ID, p.Name, err)
			}
			e.Context, e.Turns = text, slices.Clone(e.Turns)
			for t := range e.Turns {
				e.Turns[t].Evidence = nil // it spoke of another text
			}
		}
		for _, mode := range j.Modes {
			s, err := j.Prompter.Script(w.Task, e, mode, j.History)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", w.Task.Name, e.ID, err)
			}
			a.Scripts[i] = append(a.Scripts[i], s)
		}
		if p.Rewrite == nil {
			plain = a.Scripts[i]
		}
	}
	return a, nil
}
