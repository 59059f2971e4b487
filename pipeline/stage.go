package pipeline

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
)

// Stage says how a stage runs. Its zero values make one worker and no buffer.
type Stage struct {
	Name    string // for errors and Stats
	Workers int    // calls of the stage's function at the same time; 0 means 1
	Buffer  int    // results that may wait for the next stage while all workers go on
}

// Edge carries items from one stage to the next, in order. It has exactly one reader.
type Edge[T any] struct {
	from *stage
	ch   chan T
}

// From makes a source of the items of seq, which runs in a goroutine of its own and is not read ahead: one item
// waits to be taken, at most. An error in seq ends the run; the value beside it is not looked at.
func From[T any](f *Flow, name string, seq iter.Seq2[T, error]) *Edge[T] {
	s := f.add(name, 1)
	out := newEdge[T](s, 0)
	s.start(func(worker int) error {
		w := s.watch(worker)
		var item int
		defer func() { w.lap(Busy, item) }()
		return s.guard(&item, func() error {
			if f.stopped.Load() {
				f.cut.Store(true)
				return nil
			}
			for v, err := range seq {
				w.lap(Busy, item)
				if err != nil {
					return err
				}
				s.taken.Add(1)
				err = out.send(v)
				w.lap(WaitOut, item)
				if err != nil {
					return err
				}
				if f.stopped.Load() {
					f.cut.Store(true)
					return nil
				}
				item++
			}
			return nil
		})
	}, out.close)
	return out
}

// Map makes a stage that turns each item into one. At most st.Workers+st.Buffer items are inside at any time: being
// worked on, waiting for items before them, or waiting for the next stage. A result beside an error is not looked at.
func Map[A, B any](in *Edge[A], st Stage, fn func(context.Context, A) (B, error)) *Edge[B] {
	return FlatMap(in, st, func(ctx context.Context, a A, emit func(B) error) error {
		b, err := fn(ctx, a)
		if err != nil {
			return err
		}
		return emit(b)
	})
}

// FlatMap makes a stage that turns each item into any number of items: those it passes to emit, in that order. At
// most st.Workers items are being worked on, each with one result in hand, and st.Buffer results wait for the next
// stage.
//
// emit blocks until the items before this one are finished and there is room; so of several workers' calls only what
// they do before their first emit runs at the same time. It takes over its argument, also when it fails, which means
// that the run is cancelled and fn should return. Call it from fn's own goroutine, and not after fn has returned.
func FlatMap[A, B any](in *Edge[A], st Stage, fn func(ctx context.Context, a A, emit func(B) error) error) *Edge[B] {
	if st.Workers < 0 || st.Buffer < 0 {
		panic(fmt.Sprintf("pipeline: stage %q with %d workers and a buffer of %d", st.Name, st.Workers, st.Buffer))
	}
	s := in.readBy(st.Name, max(st.Workers, 1))
	out := newEdge[B](s, st.Buffer)
	run(in, s, out, fn)
	return out
}

// Each makes the sink, the end of a flow: it calls fn for each item, one at a time, in order.
func Each[A any](in *Edge[A], name string, fn func(context.Context, A) error) {
	s := in.readBy(name, 1)
	out := newEdge[struct{}](s, 0)
	s.reader = s // nobody else can
	run(in, s, out, func(ctx context.Context, a A, _ func(struct{}) error) error {
		err := fn(ctx, a)
		if err == nil {
			s.sent.Add(1)
		}
		return err
	})
}

// readBy makes the stage that reads e.
func (e *Edge[T]) readBy(name string, workers int) *stage {
	if r := e.from.reader; r != nil {
		panic(fmt.Sprintf("pipeline: %q and %q both read the output of %q", r.name, name, e.from.name))
	}
	e.from.reader = e.from.flow.add(name, workers)
	return e.from.reader
}

func newEdge[T any](s *stage, buffer int) *Edge[T] {
	e := &Edge[T]{from: s, ch: make(chan T, buffer)}
	s.drain = e.drain
	return e
}

func (e *Edge[T]) close() { close(e.ch) }

// send hands v to the next stage; if the run is cancelled first, it drops v and says why.
func (e *Edge[T]) send(v T) error {
	select {
	case e.ch <- v:
		e.from.sent.Add(1)
		return nil
	case <-e.from.flow.ctx.Done():
		drop(v)
		return e.from.flow.cancelled()
	}
}

// drain drops what is left in a closed edge. An error of an item's Release counts from the first that is left.
func (e *Edge[T]) drain() (err error) {
	var item int
	for v := range e.ch {
		lost := e.from.guard(&item, func() error { drop(v); return nil })
		if err == nil {
			err = lost
		}
		item++
	}
	return err
}

func drop(v any) {
	if r, ok := v.(interface{ Release() }); ok {
		r.Release()
	}
}

// stage is what all kinds of stages share.
type stage struct {
	flow    *Flow
	name    string
	workers int
	reader  *stage       // reads its output
	drain   func() error // drops what is left in its output when all have ended

	taken, sent atomic.Int64    // items
	spent       [3]atomic.Int64 // nanoseconds by Spending, all workers together
}

// start runs work once for each worker, and last when all of them have ended, in whatever way.
func (s *stage) start(work func(worker int) error, last func()) {
	var left atomic.Int64
	left.Store(int64(s.workers))
	for worker := range s.workers {
		s.flow.group.Go(func() error {
			defer func() {
				if left.Add(-1) == 0 {
					last()
				}
			}()
			return work(worker)
		})
	}
}
