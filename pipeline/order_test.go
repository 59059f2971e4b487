package pipeline

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func stageGen(name string) *rapid.Generator[Stage] {
	return rapid.Custom(func(rt *rapid.T) Stage {
		return Stage{Name: name, Workers: rapid.IntRange(0, 5).Draw(rt, "workers"), Buffer: rapid.IntRange(0, 4).Draw(rt, "buffer")}
	})
}

// Any workers, buffers and delays: the output is that of a plain loop.
func TestOrder(t *testing.T) {
	bubble(t, func(rt *rapid.T) func() error {
		n := rapid.IntRange(0, 40).Draw(rt, "items")
		double, spread := stageGen("double").Draw(rt, "double"), stageGen("spread").Draw(rt, "spread")
		delays := rapid.SliceOfN(rapid.IntRange(0, 9), 16, 16).Draw(rt, "delays")
		return func() error { return order(n, double, spread, delays) }
	})
}

func order(n int, double, spread Stage, delays []int) error {
	nap := func(v int) { time.Sleep(time.Duration(delays[v%len(delays)])) }
	fan := func(v int) int { return (v * 7) % 4 }

	f := New(context.Background())
	doubled := Map(From(f, "count", count(n)), double, func(_ context.Context, v int) (int, error) {
		nap(v)
		return 2 * v, nil
	})
	parts := FlatMap(doubled, spread, func(_ context.Context, v int, emit func([2]int) error) error {
		nap(v + 1)
		for part := range fan(v) {
			if err := emit([2]int{v, part}); err != nil {
				return err
			}
			nap(v + part)
		}
		return nil
	})
	got := collect(parts, "collect")
	if err := f.Wait(); err != nil {
		return err
	}
	var want [][2]int
	for i := range n {
		for part := range fan(2 * i) {
			want = append(want, [2]int{2 * i, part})
		}
	}
	if !slices.Equal(*got, want) {
		return fmt.Errorf("got %v, want %v", *got, want)
	}
	return nil
}

// The same with the real scheduler, for the race detector.
func TestOrderRealTime(t *testing.T) {
	for workers := 1; workers <= 8; workers++ {
		f := New(t.Context())
		edge := From(f, "count", count(500))
		for _, name := range []string{"a", "b", "c"} {
			edge = Map(edge, Stage{Name: name, Workers: workers, Buffer: workers % 3}, func(_ context.Context, v int) (int, error) {
				for range rand.IntN(4) {
					runtime.Gosched()
				}
				return v + 1, nil
			})
		}
		got := collect(edge, "collect")
		if err := f.Wait(); err != nil {
			t.Fatal(err)
		}
		for i, v := range *got {
			if v != i+3 {
				t.Fatalf("%d workers: item %d is %d, want %d", workers, i, v, i+3)
			}
		}
		if len(*got) != 500 {
			t.Fatalf("%d workers: %d items, want 500", workers, len(*got))
		}
	}
}

// With the sink stuck on its first item, each stage fills up to its bound and not beyond.
func TestBound(t *testing.T) {
	for _, st := range []Stage{{}, {Workers: 1, Buffer: 3}, {Workers: 4}, {Workers: 3, Buffer: 2}} {
		limit := max(st.Workers, 1) + st.Buffer
		synctest.Test(t, func(t *testing.T) {
			var read, first, second int // written under synctest.Wait only, or by one goroutine at a time
			gate := make(chan struct{})
			entered := make(chan *int, 1000)
			f := New(t.Context())
			note := func(n *int) func(context.Context, int) (int, error) {
				return func(_ context.Context, v int) (int, error) {
					entered <- n
					return v, nil
				}
			}
			src := From(f, "count", count(100))
			edge := Map(Map(src, st, note(&first)), st, note(&second))
			Each(edge, "stuck", func(context.Context, int) error {
				entered <- &read
				<-gate
				return nil
			})
			synctest.Wait()
			for range len(entered) {
				*<-entered++
			}
			if read != 1 || second != limit+1 || first != 2*limit+1 {
				t.Errorf("%+v: %d, %d, %d items entered, want %d, %d, 1", st, first, second, read, 2*limit+1, limit+1)
			}
			close(gate)
			if err := f.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// An item that becomes very many does not pile up: with one worker, one result is in hand and Buffer wait.
func TestFlatMapBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		emitted := make(chan int, 1000)
		gate := make(chan struct{})
		f := New(t.Context())
		edge := FlatMap(From(f, "count", count(1)), Stage{Name: "burst", Buffer: 2}, func(_ context.Context, _ int, emit func(int) error) error {
			for i := range 100 {
				if err := emit(i); err != nil {
					return err
				}
				emitted <- i
			}
			return nil
		})
		Each(edge, "stuck", func(context.Context, int) error { <-gate; return nil })
		synctest.Wait()
		if len(emitted) != 3 { // one in the sink, two in the buffer; the fourth emit has not returned
			t.Errorf("%d emits returned, want 3", len(emitted))
		}
		close(gate)
		if err := f.Wait(); err != nil || len(emitted) != 100 {
			t.Errorf("err %v, %d emits", err, len(emitted))
		}
	})
}

// Workers do work at the same time: n of them meet, which fewer could not.
func TestWorkersAreParallel(t *testing.T) {
	const n = 4
	synctest.Test(t, func(t *testing.T) {
		arrived, meet := make(chan struct{}, n), make(chan struct{})
		f := New(t.Context())
		edge := Map(From(f, "count", count(n)), Stage{Name: "meet", Workers: n}, func(_ context.Context, v int) (int, error) {
			arrived <- struct{}{}
			<-meet
			return v, nil
		})
		collect(edge, "collect")
		synctest.Wait()
		if len(arrived) != n {
			t.Errorf("%d calls at the same time, want %d", len(arrived), n)
		}
		close(meet)
		if err := f.Wait(); err != nil {
			t.Error(err)
		}
	})
}
