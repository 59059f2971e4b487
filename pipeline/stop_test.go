package pipeline

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestStop(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration // items take a second each, in three places
		want  int           // items that reach the sink
		err   error
	}{
		"before the first":  {0, 1, ErrStopped}, // it is being read
		"in the middle":     {3500 * time.Millisecond, 4, ErrStopped},
		"after the last":    {11 * time.Second, 10, nil},
		"long after it all": {time.Minute, 10, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := New(t.Context())
				second := func(_ context.Context, v int) (int, error) { time.Sleep(time.Second); return v, nil }
				src := From(f, "read", func(yield func(int, error) bool) {
					for v := range 10 {
						time.Sleep(time.Second)
						if !yield(v, nil) {
							return
						}
					}
				})
				got := collect(Map(Map(src, Stage{Name: "a"}, second), Stage{Name: "b", Workers: 2, Buffer: 1}, second), "c")
				synctest.Wait() // the first item is being read
				stop := time.AfterFunc(c.after, func() { f.Stop(); f.Stop() })
				err := f.Wait()
				stop.Stop()
				if err != c.err || !slices.Equal(*got, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}[:c.want]) {
					t.Errorf("got %v, %v; want %d items, %v", *got, err, c.want, c.err)
				}
			})
		})
	}
}

// A source that starts after Stop reads nothing.
func TestStopBeforeStart(t *testing.T) {
	f := New(t.Context())
	f.Stop()
	read := false
	got := collect(From(f, "read", func(yield func(int, error) bool) { read = true; yield(1, nil) }), "collect")
	if err := f.Wait(); err != ErrStopped || read || len(*got) != 0 {
		t.Errorf("got %v, %v, read: %v", *got, err, read)
	}
}

// A run that is stopped can still fail, and be cancelled by a second Ctrl-C.
func TestStopThenFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := New(ctx)
		Each(From(f, "count", count(9)), "stuck", func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() })
		synctest.Wait()
		f.Stop()
		synctest.Wait()
		cancel()
		if err := f.Wait(); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
