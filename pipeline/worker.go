package pipeline

import "context"

// turn is the right to take the next item of a stage. The item that is taken with it may send its results, and count
// as finished, when before is closed.
type turn struct {
	item   int
	before <-chan struct{}
}

// worker is one of a stage's goroutines.
type worker[A, B any] struct {
	*stage
	in    *Edge[A]
	out   *Edge[B]
	turns chan turn // holds the turn while no worker does
	fn    func(context.Context, A, func(B) error) error
	clock watch
}

// run starts the workers of s, which read in, call fn and write out.
func run[A, B any](in *Edge[A], s *stage, out *Edge[B], fn func(context.Context, A, func(B) error) error) {
	turns := make(chan turn, 1)
	none := make(chan struct{})
	close(none)
	turns <- turn{0, none}
	s.start(func(number int) error {
		w := &worker[A, B]{stage: s, in: in, out: out, turns: turns, fn: fn, clock: s.watch(number)}
		return w.loop()
	}, out.close)
}

// loop works on item after item until the input is at its end or something went wrong.
func (w *worker[A, B]) loop() error {
	for {
		t := <-w.turns
		a, ok := <-w.in.ch
		w.clock.lap(WaitIn, t.item)
		if !ok {
			w.turns <- t // the other workers have to see the end, too
			return nil
		}
		finished := make(chan struct{})
		w.turns <- turn{t.item + 1, finished}

		err := w.guard(&t.item, func() error { return w.call(t, a) })
		// An error waits for its turn like a result: so the first item that fails is the one that is reported.
		late := w.await(t)
		w.clock.lap(WaitOut, t.item)
		if err == nil && late != nil {
			err = w.named(t.item, late)
		}
		if err != nil {
			return err
		}
		close(finished)
	}
}

// call runs fn on an item, unless the run is cancelled.
func (w *worker[A, B]) call(t turn, a A) error {
	if err := w.flow.cancelled(); err != nil {
		drop(a)
		return err
	}
	w.taken.Add(1)
	defer w.clock.lap(Busy, t.item)
	var lost error // kept, so that a fn that ignores it cannot make a result vanish
	err := w.fn(w.flow.ctx, a, func(b B) error {
		w.clock.lap(Busy, t.item)
		defer w.clock.lap(WaitOut, t.item)
		err := w.await(t)
		if err != nil {
			drop(b)
		} else {
			err = w.out.send(b)
		}
		if err != nil {
			lost = err
		}
		return err
	})
	if err == nil {
		err = lost
	}
	return err
}

// await blocks until all items before t's are finished.
func (w *worker[A, B]) await(t turn) error {
	select {
	case <-t.before: // asked first, so that what is finished stays so when the run is cancelled
		return nil
	default:
	}
	select {
	case <-t.before:
		return nil
	case <-w.flow.ctx.Done():
		return w.flow.cancelled()
	}
}
