package pipeline

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// In fake time, the counters of a small flow are known to the nanosecond.
func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nap := func(s time.Duration) { time.Sleep(s * time.Second) }
		f := New(t.Context())
		src := From(f, "read", func(yield func(int, error) bool) {
			for v := range 2 {
				nap(1)
				if !yield(v, nil) {
					return
				}
			}
		})
		pairs := FlatMap(src, Stage{Name: "pair"}, func(_ context.Context, v int, emit func(int) error) error {
			nap(2)
			if err := emit(v); err != nil {
				return err
			}
			return emit(v)
		})
		Each(pairs, "write", func(context.Context, int) error { nap(3); return nil })

		time.Sleep(4 * time.Second) // read waits since 2 s; pair does since 3 s; write began at 3 s
		want := []Stat{
			{Name: "read", Workers: 1, In: 2, Out: 2, Busy: 2e9, WaitOut: 0},
			{Name: "pair", Workers: 1, In: 1, Out: 1, Busy: 2e9, WaitIn: 1e9},
			{Name: "write", Workers: 1, In: 1, Out: 0, WaitIn: 3e9},
		}
		want[0].Out = 1
		if diff := cmp.Diff(want, f.Stats()); diff != "" {
			t.Errorf("after 4 s: -want +got\n%s", diff)
		}
		if err := f.Wait(); err != nil {
			t.Fatal(err)
		}
		want = []Stat{
			{Name: "read", Workers: 1, In: 2, Out: 2, Busy: 2e9, WaitOut: 4e9},              // ends at 6 s
			{Name: "pair", Workers: 1, In: 2, Out: 4, Busy: 4e9, WaitIn: 1e9, WaitOut: 7e9}, // ends at 12 s
			{Name: "write", Workers: 1, In: 4, Out: 4, Busy: 12e9, WaitIn: 3e9, WaitOut: 0}, // ends at 15 s
		}
		if diff := cmp.Diff(want, f.Stats()); diff != "" {
			t.Errorf("at the end: -want +got\n%s", diff)
		}
	})
}

// In fake time the spans of a flow are known to the nanosecond; all of a stage's together are its Stat, and those of a worker follow one
// another without a gap.
func TestTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		spans := map[string][]Span{}
		f := New(t.Context())
		f.Trace(func(s Span) {
			mu.Lock()
			defer mu.Unlock()
			who := fmt.Sprint(s.Stage, s.Worker)
			spans[who] = append(spans[who], s)
		})
		src := From(f, "read", func(yield func(int, error) bool) {
			for v := range 2 {
				time.Sleep(time.Second)
				if !yield(v, nil) {
					return
				}
			}
		})
		twice := Map(src, Stage{Name: "map", Workers: 2}, func(_ context.Context, v int) (int, error) {
			time.Sleep(3 * time.Second)
			return v, nil
		})
		Each(twice, "write", func(context.Context, int) error { return nil })
		if err := f.Wait(); err != nil {
			t.Fatal(err)
		}
		for _, stat := range f.Stats() {
			var sum [3]time.Duration
			for w := range stat.Workers {
				at := start
				for _, s := range spans[fmt.Sprint(stat.Name, w)] {
					if !s.Start.Equal(at) {
						t.Errorf("%s, worker %d: a span begins at %v, the one before it ended at %v", stat.Name, w, s.Start.Sub(start), at.Sub(start))
					}
					sum[s.How] += s.Took
					at = at.Add(s.Took)
				}
			}
			if want := [3]time.Duration{stat.Busy, stat.WaitIn, stat.WaitOut}; sum != want {
				t.Errorf("%s: spans add up to %v, want %v", stat.Name, sum, want)
			}
		}
		var long []string
		for _, w := range []string{"read0", "map0", "map1"} {
			for _, s := range spans[w] {
				if s.Took > 0 {
					long = append(long, fmt.Sprintf("%s %s %d %v+%v", w, s.How, s.Item, s.Start.Sub(start), s.Took))
				}
			}
		}
		for i := range long[2:] { // which worker takes the first item is not said
			long[2+i] = long[2+i][len("map0 "):]
		}
		slices.Sort(long[2:])
		want := []string{"read0 busy 0 0s+1s", "read0 busy 1 1s+1s", "busy 0 1s+3s", "busy 1 2s+3s", "wait in 0 0s+1s", "wait in 1 0s+2s"}
		if diff := cmp.Diff(want, long); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}

// After a run that went well each stage has taken what the one before it sent; in any run it took no more. A worker
// spends its life in one of the three times.
func TestStatsAddUp(t *testing.T) {
	bubble(t, func(rt *rapid.T) func() error {
		r := drawRun(rt, "none", "stop", "cancel", "error")
		return func() error {
			start := time.Now()
			f, err := r.run()
			return addUp(r, f.Stats(), time.Since(start), err)
		}
	})
}

func addUp(r *randomRun, stats []Stat, life time.Duration, err error) error {
	if len(stats) != len(r.stages)+2 {
		return fmt.Errorf("%d stages, want %d", len(stats), len(r.stages)+2)
	}
	for i, s := range stats {
		if i > 0 && (s.In > stats[i-1].Out || err == nil && s.In != stats[i-1].Out) {
			return fmt.Errorf("stage %d took %d of %d: %+v", i, s.In, stats[i-1].Out, stats)
		}
		if spent := s.Busy + s.WaitIn + s.WaitOut; spent > life*time.Duration(s.Workers) {
			return fmt.Errorf("stage %d spent %v of %d × %v", i, spent, s.Workers, life)
		}
	}
	if source := stats[0]; int(source.In) != r.read {
		return fmt.Errorf("the source counts %d, but read %d", source.In, r.read)
	}
	sink := stats[len(stats)-1]
	if int(sink.Out) != len(r.seen) {
		return fmt.Errorf("the sink counts %d, but saw %d", sink.Out, len(r.seen))
	}
	if err == nil && sink.Busy+sink.WaitIn != life {
		return fmt.Errorf("the sink spent %v of %v", sink.Busy+sink.WaitIn, life)
	}
	return nil
}

// Stats may be asked for all the time, also while the flow is being built.
func TestStatsConcurrently(t *testing.T) {
	f := New(t.Context())
	quit, asked := make(chan struct{}), make(chan int64)
	go func() {
		var last int64
		for {
			select {
			case <-quit:
				asked <- last
				return
			default:
			}
			for _, s := range f.Stats() {
				last = max(last, s.In)
			}
		}
	}()
	edge := From(f, "count", count(2000))
	edge = Map(edge, Stage{Name: "same", Workers: 3}, same[int])
	collect(edge, "collect")
	err := f.Wait()
	close(quit)
	if n := <-asked; err != nil || n > 2000 {
		t.Errorf("got %v, saw up to %d", err, n)
	}
}
