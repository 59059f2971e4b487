package stages

import (
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"scbench/datasets"
	"scbench/stages/engine"
)

// Asked is an example with its prompts.
type Asked struct {
	Work
	Scripts [][]*Script // per policy, in order of mode; policies that rewrite the context alike, or leave it alone, share theirs
	Refused [][]*Script // per policy: those that are not asked

	deflated *float64 // of the context that the data have; nil if that is empty
}

// tokenize makes the prompts of an example.
func (j *Job) tokenize(ctx context.Context, w Work) (*Asked, error) {
	a := &Asked{Work: w, Scripts: make([][]*Script, len(j.Policies)), Refused: make([][]*Script, len(j.Policies)), deflated: deflated(w.Example.Context)}
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

// deflated is how many bytes DEFLATE leaves of each byte of a text; nil of no text.
func deflated(text string) *float64 {
	if text == "" {
		return nil
	}
	var n counter
	w, err := flate.NewWriter(&n, flate.DefaultCompression)
	if err != nil {
		panic(err) // of a level that there is not
	}
	_, err = io.WriteString(w, text)
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // counter returns none
	}
	share := float64(n) / float64(len(text))
	return &share
}

// counter counts the bytes that are written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// depth is where in the context a turn's evidence stands, from 0 to 1: the mean of the middles of its spans; nil where it is not known.
func depth(e datasets.Example, turn int) *float64 {
	spans := e.Turns[turn].Evidence
	if len(spans) == 0 || e.Context == "" {
		return nil
	}
	sum := 0.0
	for _, s := range spans {
		sum += float64(s.Lo+s.Hi) / 2
	}
	at := sum / float64(len(spans)) / float64(len(e.Context))
	return &at
}
