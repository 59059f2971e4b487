package stages

import (
	"context"
	"errors"
	"fmt"

	"scbench/stages/engine"
	"scbench/stages/kv"
)

// Branched is an example with one branch of the cache per mode and policy.
type Branched struct {
	*Filled
	Branches []*Branch // in order of script, then policy; nil if the example was refused
}

// Branch is one method in one mode: a cache that its questions go on from.
type Branch struct {
	Policy  *engine.Policy
	Script  *Script
	session *engine.Session
	prompt  *prompt
	seconds float64     // of observers, compression and index
	cost    engine.Cost // of the method's decisions: observers, and the model run again
	pending []int32     // own history: tokens of the last answer that the cache lacks
}

// Release gives back what the example holds.
func (b *Branched) Release() {
	for _, x := range b.Branches {
		x.session.Release()
	}
	b.Filled.Release()
}

// cache makes the branches: it forks the prompts, lets each method compress and index its fork, and lets go of the prompts.
func (j *Job) cache(ctx context.Context, f *Filled) (_ *Branched, err error) {
	b := &Branched{Filled: f}
	defer func() {
		if err != nil {
			b.Release()
		}
	}()
	for m := range longest(f.Scripts) {
		for i := range j.Policies {
			if f.refused != nil || m >= len(f.Scripts[i]) {
				continue
			}
			p := f.prompts[i][m]
			x := &Branch{Policy: &j.Policies[i], Script: f.Scripts[i][m], prompt: p, session: p.session.Fork(j.Policies[i])}
			b.Branches = append(b.Branches, x)
			var err error
			x.seconds, err = j.Engine.Settle(ctx, x.session)
			x.seconds, x.cost = x.seconds+p.spent.watch[i], x.session.Cost
			if errors.Is(err, kv.ErrFull) {
				b.refuse()
			} else if err != nil {
				return nil, fmt.Errorf("method %s: %w", j.Policies[i].Name, err)
			}
		}
	}
	for _, row := range f.prompts {
		for _, p := range row {
			if p.session != nil {
				p.session.Release()
				p.session = nil
			}
		}
	}
	return b, nil
}

// refuse gives up an example for want of memory.
func (b *Branched) refuse() {
	for _, x := range b.Branches {
		x.session.Release()
	}
	b.Branches = nil
	b.Filled.Release()
	b.refused = errFull
}

// longest is the length of the longest list.
func longest[T any](lists [][]T) (n int) {
	for _, l := range lists {
		n = max(n, len(l))
	}
	return n
}
