// Package pipeline is the dataflow machine: a run is a chain of stages joined by typed edges. Stages work at the
// same time, each on its own items; what comes out of a stage is in the order of what went in, for any number of
// workers, and never more than a stated number of items is inside. It knows nothing of what the items are.
//
//	f := pipeline.New(ctx)
//	lines := pipeline.From(f, "read", seq)
//	rows := pipeline.Map(lines, pipeline.Stage{Name: "parse", Workers: 4}, parse)
//	pipeline.Each(rows, "write", write)
//	err := f.Wait()
//
// Ownership. A function owns the item it is given, from its call on, whether it then succeeds, fails or panics.
// What it returns or emits belongs to the machine until the next function gets it. Items that the machine has to
// drop, because the run was cancelled or a stage failed, are released by it: if an item has a method Release(), it
// is called exactly once. Only the item itself is asked, never what it holds: a slice of things with a Release
// method, or a struct value whose pointer has one, is just forgotten.
//
// Ending. A run ends in one of four ways: the sources are used up; Stop ends the sources early and what was read
// runs to its end; a stage fails, which cancels the others; or the context given to New is done.
//
// How it works. An edge is a channel that its writer closes. Workers of a stage pass a turn from hand to hand: who
// has it takes the next item and makes the turn of the item after it. An item's results are sent when the items
// before it are finished. Nobody who sends waits once the run is cancelled, and who receives is told of the end by
// the writer; so a cancelled run comes to rest from the sources down, and Wait releases what the channels still hold.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// ErrStopped is what Wait returns when Stop ended a source before its sequence ended by itself: all that was read
// went through all stages, but there may have been more to read.
var ErrStopped = errors.New("stopped before the end of the input")

// Flow is one run: its stages, their counters and the context they share. Build it from one goroutine with From,
// Map, FlatMap and Each, which start their stages at once; then call Wait, always, even if building was given up.
type Flow struct {
	ctx   context.Context
	group *errgroup.Group

	stopped atomic.Bool // Stop was called
	cut     atomic.Bool // a source ended because of it
	trace   func(Span)  // or nil

	mu     sync.Mutex
	stages []*stage // in order of creation
}

// New returns a flow without stages. It is cancelled when ctx is done.
func New(ctx context.Context) *Flow {
	f := &Flow{}
	f.group, f.ctx = errgroup.WithContext(ctx)
	return f
}

// Context is the context that the stages' functions get: done as soon as a stage fails or the context given to New
// is done, and after Wait. Functions and sequences that can block should watch it; nothing else can wake them.
func (f *Flow) Context() context.Context { return f.ctx }

// Stop ends the run gracefully: sources are not asked for another item, everything read so far (the item that is
// being read included) runs to its end. It returns at once, may be called at any time, from anywhere, and again.
func (f *Flow) Stop() { f.stopped.Store(true) }

// Wait returns when all stages have ended: no goroutine of the flow is left and everything in flight was released.
//
// It returns nil if every item went through; ErrStopped after Stop (see there); else the error that ended the run,
// as `stage "name", item 12: ...` around the error of the function, counted from 0 in the items that the stage took.
// Of the errors of one stage the one with the lowest item wins, for any number of workers. If the context given to New
// was done, the error wraps its Err, and its Cause too unless a function saw the end first and returned without it. A
// stage whose output nothing reads is an error.
func (f *Flow) Wait() error {
	f.mu.Lock()
	stages := f.stages
	f.mu.Unlock()
	for _, s := range stages {
		if s.reader == nil {
			f.fail(fmt.Errorf("stage %q: nothing reads its output; end the flow with Each", s.name))
		}
	}
	err := f.group.Wait()
	for _, s := range stages {
		if lost := s.drain(); err == nil {
			err = lost
		}
	}
	if err == nil && f.cut.Load() {
		return ErrStopped
	}
	return err
}

// fail ends the run with err, unless it has an error already.
func (f *Flow) fail(err error) { f.group.Go(func() error { return err }) }

// cancelled says why the run is to end at once; nil while it goes on.
func (f *Flow) cancelled() error {
	err, cause := f.ctx.Err(), context.Cause(f.ctx)
	if err == nil || err == cause {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// add makes a stage known to the flow.
func (f *Flow) add(name string, workers int) *stage {
	s := &stage{flow: f, name: name, workers: workers}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stages = append(f.stages, s)
	return s
}
