package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// graph is a flow with one stage of each kind; a test replaces the functions that it wants to misbehave.
type graph struct {
	seq     iter.Seq2[int, error]
	mapFn   func(context.Context, int) (int, error)
	flatFn  func(context.Context, int, func(int) error) error
	sinkFn  func(context.Context, int) error
	workers int
}

func (g graph) run(ctx context.Context) error {
	f := New(ctx)
	if g.seq == nil {
		g.seq = count(20)
	}
	if g.mapFn == nil {
		g.mapFn = same[int]
	}
	if g.flatFn == nil {
		g.flatFn = func(_ context.Context, v int, emit func(int) error) error { return emit(v) }
	}
	if g.sinkFn == nil {
		g.sinkFn = func(context.Context, int) error { return nil }
	}
	mapped := Map(From(f, "from", g.seq), Stage{Name: "map", Workers: g.workers}, g.mapFn)
	Each(FlatMap(mapped, Stage{Name: "flat", Workers: g.workers, Buffer: 1}, g.flatFn), "each", g.sinkFn)
	return f.Wait()
}

// misbehaving lists a flow for each kind of stage, in which bad is called at the item with index 5.
func misbehaving(bad func() error) map[string]graph {
	at := func(v int) error {
		if v == 5 {
			return bad()
		}
		return nil
	}
	return map[string]graph{
		"from": {seq: func(yield func(int, error) bool) {
			for v := range 20 {
				if err := at(v); !yield(v, err) {
					return
				}
			}
		}},
		"map":  {mapFn: func(_ context.Context, v int) (int, error) { return v, at(v) }},
		"flat": {flatFn: func(_ context.Context, v int, emit func(int) error) error { return errors.Join(emit(v), at(v)) }},
		"each": {sinkFn: func(_ context.Context, v int) error { return at(v) }},
	}
}

func TestErrors(t *testing.T) {
	for _, workers := range []int{1, 4} {
		for kind, g := range misbehaving(func() error { return &fs.PathError{Op: "read", Path: "x", Err: fs.ErrNotExist} }) {
			g.workers = workers
			err := g.run(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), `stage "`+kind+`", item 5: `) || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s, %d workers: %v", kind, workers, err)
			}
			if typed := (*fs.PathError)(nil); !errors.As(err, &typed) {
				t.Errorf("%s, %d workers: %v lost its type", kind, workers, err)
			}
		}
	}
}

func blowUp() error { panic(fs.ErrInvalid) }

func TestPanics(t *testing.T) {
	for _, workers := range []int{1, 4} {
		for kind, g := range misbehaving(blowUp) {
			g.workers = workers
			err := g.run(t.Context())
			var p *PanicError
			if !errors.As(err, &p) || !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%s, %d workers: %v", kind, workers, err)
				continue
			}
			if !strings.HasPrefix(err.Error(), `stage "`+kind+`", item 5: panic: invalid argument`) {
				t.Errorf("%s, %d workers: %v", kind, workers, err)
			}
			if !strings.Contains(string(p.Stack), "blowUp") || !strings.Contains(err.Error(), "blowUp") {
				t.Errorf("%s, %d workers: the stack does not show who panicked:\n%v", kind, workers, err)
			}
		}
	}
}

// A function that ends its goroutine, as testing.T.FailNow does, must not hang the run.
func TestGoexit(t *testing.T) {
	for _, workers := range []int{1, 4} {
		for kind, g := range misbehaving(func() error { runtime.Goexit(); return nil }) {
			g.workers = workers
			err := g.run(t.Context())
			if !errors.Is(err, errExit) || !strings.HasPrefix(err.Error(), `stage "`+kind+`", item 5: `) {
				t.Errorf("%s, %d workers: %v", kind, workers, err)
			}
		}
	}
}

type badRelease struct{ id int }

func (badRelease) Release() { panic("released twice") }

// A panic in an item's Release is an error too, wherever the machine drops it: unsent, unread or untaken.
func TestPanicInRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := New(ctx)
		edge := FlatMap(From(f, "from", count(3)), Stage{Name: "make", Buffer: 1}, func(_ context.Context, v int, emit func(badRelease) error) error {
			return emit(badRelease{v})
		})
		Each(edge, "stuck", func(ctx context.Context, _ badRelease) error { <-ctx.Done(); return nil })
		synctest.Wait()
		cancel()
		err := f.Wait()
		var p *PanicError
		if !errors.As(err, &p) || p.Value != "released twice" || !strings.HasPrefix(err.Error(), `stage "`) {
			t.Errorf("got %v", err)
		}
	})
}

// Of several items that fail in one stage, the lowest is reported, though it fails last.
func TestLowestItemWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := graph{workers: 4, mapFn: func(_ context.Context, v int) (int, error) {
			time.Sleep(time.Duration(10 - v))
			if v > 0 {
				return 0, errors.New("bad")
			}
			return v, nil
		}}.run(t.Context())
		if err == nil || err.Error() != `stage "map", item 1: bad` {
			t.Errorf("got %v", err)
		}
	})
}

// An error waits until the results of all items before it were taken, as a result would; no result overtakes it.
func TestErrorComesInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		taken := make(chan int, 20)
		err := graph{
			workers: 4,
			flatFn: func(_ context.Context, v int, emit func(int) error) error {
				if v == 3 {
					return errors.New("bad")
				}
				time.Sleep(time.Second)
				err := emit(v)
				if err == nil {
					taken <- v
				}
				return err
			},
		}.run(t.Context())
		if err == nil || err.Error() != `stage "flat", item 3: bad` || len(taken) != 3 {
			t.Errorf("got %v after %d results", err, len(taken))
		}
	})
}

func TestParentCancelled(t *testing.T) {
	cause := errors.New("interrupted by the user")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		start := time.Now()
		err := graph{seq: count(1000), sinkFn: func(context.Context, int) error { time.Sleep(time.Second / 8); return nil }}.run(ctx)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), `stage "`) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("ended %v after the start", took)
		}
	})
}

// Once the run is cancelled no function is called any more, though items wait for it; and a sink that has finished all
// items has finished, though the run is cancelled.
func TestCancelledInSink(t *testing.T) {
	for range 20 { // select is fair; a wrong one would be right half of the time
		for items, want := range map[int]error{1: nil, 9: context.Canceled} {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				f, calls := New(ctx), 0
				Each(Map(From(f, "from", count(items)), Stage{Name: "map", Buffer: 4}, same[int]), "each", func(context.Context, int) error {
					time.Sleep(time.Second) // the buffer fills
					cancel()
					calls++
					return nil
				})
				if err := f.Wait(); !errors.Is(err, want) || calls != 1 {
					t.Errorf("%d items: %d calls, then %v; want %v", items, calls, err, want)
				}
			})
		}
	}
}

// Functions see the failure of another stage in their context.
func TestFailureReachesFunctions(t *testing.T) {
	err := graph{
		mapFn: func(ctx context.Context, v int) (int, error) {
			if v == 2 {
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return v, nil
		},
		sinkFn: func(_ context.Context, v int) error {
			if v == 1 {
				return errors.New("disk full")
			}
			return nil
		},
	}.run(t.Context())
	if err == nil || err.Error() != `stage "each", item 1: disk full` {
		t.Errorf("got %v", err)
	}
}

// A result cannot vanish because fn ignores that emit failed, even when it is the last.
func TestIgnoredEmitError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := New(ctx)
		edge := FlatMap(From(f, "from", count(1)), Stage{Name: "deaf"}, func(_ context.Context, v int, emit func(int) error) error {
			emit(v)
			emit(v)
			return nil
		})
		Each(edge, "stuck", func(ctx context.Context, _ int) error { <-ctx.Done(); return nil })
		synctest.Wait()
		cancel()
		if err := f.Wait(); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestUnreadOutput(t *testing.T) {
	n := newNursery()
	f := New(t.Context())
	Map(From(f, "from", count(5)), Stage{Name: "made", Buffer: 2}, func(_ context.Context, v int) (*item, error) {
		return n.item(v), nil
	})
	if err := f.Wait(); err == nil || !strings.HasPrefix(err.Error(), `stage "made": nothing reads its output`) {
		t.Errorf("got %v", err)
	}
	if err := n.check(); err != nil {
		t.Error(err)
	}
}

func TestMisuse(t *testing.T) {
	for want, build := range map[string]func(*Flow, *Edge[int]){
		`"first" and "second" both read the output of "from"`: func(_ *Flow, e *Edge[int]) {
			collect(e, "first")
			collect(e, "second")
		},
		`stage "x" with -1 workers and a buffer of 0`: func(_ *Flow, e *Edge[int]) { Map(e, Stage{Name: "x", Workers: -1}, same[int]) },
		`stage "x" with 0 workers and a buffer of -2`: func(_ *Flow, e *Edge[int]) { Map(e, Stage{Name: "x", Buffer: -2}, same[int]) },
	} {
		f := New(t.Context())
		func() {
			defer func() {
				if got, _ := recover().(string); got != "pipeline: "+want {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			build(f, From(f, "from", count(3)))
		}()
		f.Wait()
	}
}

func TestEmptyFlow(t *testing.T) {
	f := New(t.Context())
	if err := f.Wait(); err != nil || len(f.Stats()) != 0 {
		t.Errorf("got %v, %v", err, f.Stats())
	}
}
