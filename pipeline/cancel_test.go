package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// trouble is how, where and when a random run is disturbed.
type trouble struct {
	kind  string // "none", "error", "panic": in stage, at the item with index; "cancel", "stop": at a time
	stage int    // 0: the source; 1 … : the stages; the last: the sink
	index int
	at    time.Duration
}

var errTrouble = errors.New("trouble")

func (x trouble) strike(stage, index int) error {
	if x.stage != stage || x.index != index {
		return nil
	}
	switch x.kind {
	case "error":
		return errTrouble
	case "panic":
		panic(errTrouble)
	}
	return nil
}

// randomRun is a flow of items that hold memory, through stages that branch, with random delays.
type randomRun struct {
	items  int
	stages []Stage
	fan    []int // children of an item of each stage
	delays []int
	trouble
	*nursery
	read int   // items that the source made
	seen []int // ids that reached the sink
}

func drawRun(rt *rapid.T, kinds ...string) *randomRun {
	r := &randomRun{
		items:   rapid.IntRange(0, 20).Draw(rt, "items"),
		stages:  rapid.SliceOfN(stageGen("s"), 0, 3).Draw(rt, "stages"),
		delays:  rapid.SliceOfN(rapid.IntRange(0, 5), 8, 8).Draw(rt, "delays"),
		nursery: newNursery(),
	}
	r.fan = rapid.SliceOfN(rapid.IntRange(0, 3), len(r.stages), len(r.stages)).Draw(rt, "fan")
	r.trouble = trouble{
		kind:  rapid.SampledFrom(kinds).Draw(rt, "trouble"),
		stage: rapid.IntRange(0, len(r.stages)+1).Draw(rt, "stage"),
		index: rapid.IntRange(0, 20).Draw(rt, "item"),
		at:    time.Duration(rapid.IntRange(0, 100).Draw(rt, "time")),
	}
	return r
}

func (r *randomRun) nap(n int) { time.Sleep(time.Duration(r.delays[n%len(r.delays)])) }

func (r *randomRun) source(yield func(*item, error) bool) {
	for id := range r.items {
		r.nap(id)
		if err := r.strike(0, id); err != nil {
			yield(nil, err)
			return
		}
		r.read++
		if !yield(r.item(id), nil) {
			return
		}
	}
}

// call is the function of stage number s: it consumes the item and emits its children, ids in order.
func (r *randomRun) call(s int, it *item, emit func(*item) error) error {
	defer it.consume()
	r.nap(it.id + s)
	if err := r.strike(s, it.id); err != nil {
		return err
	}
	for part := range r.fan[s-1] {
		if err := emit(r.item(it.id*r.fan[s-1] + part)); err != nil {
			return err
		}
		r.nap(it.id + part)
	}
	return nil
}

func (r *randomRun) sink(_ context.Context, it *item) error {
	defer it.consume()
	r.nap(it.id)
	if err := r.strike(len(r.stages)+1, it.id); err != nil {
		return err
	}
	r.seen = append(r.seen, it.id)
	return nil
}

func (r *randomRun) run() (*Flow, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f := New(ctx)
	switch r.kind {
	case "cancel":
		defer time.AfterFunc(r.at, cancel).Stop()
	case "stop":
		defer time.AfterFunc(r.at, f.Stop).Stop()
	}
	edge := From(f, "source", r.source)
	for s, st := range r.stages {
		if r.fan[s] == 1 { // let Map have its share
			edge = Map(edge, st, func(_ context.Context, it *item) (child *item, err error) {
				err = r.call(s+1, it, func(b *item) error { child = b; return nil })
				return child, err
			})
			continue
		}
		edge = FlatMap(edge, st, func(_ context.Context, it *item, emit func(*item) error) error {
			return r.call(s+1, it, emit)
		})
	}
	Each(edge, "sink", r.sink)
	return f, f.Wait()
}

// leaves is how many items reach the sink from n of the source.
func (r *randomRun) leaves(n int) int {
	for _, fan := range r.fan {
		n *= fan
	}
	return n
}

// check says what a run got wrong, in view of the error with which it ended.
func (r *randomRun) check(err error) error {
	if lost := r.nursery.check(); lost != nil {
		return lost
	}
	for i, id := range r.seen {
		if id != i {
			return fmt.Errorf("the sink saw %v: not a prefix", r.seen)
		}
	}
	switch {
	case err == nil && len(r.seen) == r.leaves(r.items) && r.dropped() == 0:
		return nil
	case r.kind == "stop" && errors.Is(err, ErrStopped) && len(r.seen) == r.leaves(r.read) && r.dropped() == 0:
		return nil
	case r.kind == "cancel" && errors.Is(err, context.Canceled):
		return nil
	case (r.kind == "error" || r.kind == "panic") && errors.Is(err, errTrouble):
		return nil
	}
	return fmt.Errorf("%d of %d read, %d of %d seen, %d dropped, but the run ended with %v",
		r.read, r.items, len(r.seen), r.leaves(r.items), r.dropped(), err)
}

// Whatever happens, and wherever: no goroutine is left, each item was consumed or released once, the allocator is at
// zero, and what the sink saw is the start of what it should have seen; all of it if nothing happened.
func TestTrouble(t *testing.T) {
	bubble(t, func(rt *rapid.T) func() error {
		r := drawRun(rt, "none", "error", "panic", "cancel", "stop")
		return func() error {
			_, err := r.run()
			return r.check(err)
		}
	})
}

// The same with the real scheduler, for the race detector.
func TestTroubleRealTime(t *testing.T) {
	struck := map[string]int{}
	for i := range 400 {
		rng := rand.New(rand.NewPCG(1, uint64(i)))
		r := &randomRun{items: 20, delays: make([]int, 8), nursery: newNursery()}
		for range rng.IntN(4) {
			r.stages = append(r.stages, Stage{Name: "s", Workers: rng.IntN(5), Buffer: rng.IntN(4)})
			r.fan = append(r.fan, 1+rng.IntN(3))
		}
		r.trouble = trouble{
			kind:  []string{"error", "panic", "cancel", "stop"}[i%4],
			stage: rng.IntN(len(r.stages) + 2),
			index: rng.IntN(20),
			at:    time.Duration(rng.IntN(100)) * time.Microsecond,
		}
		_, err := r.run()
		if wrong := r.check(err); wrong != nil {
			t.Fatalf("run %d: %v", i, wrong)
		}
		if err != nil {
			struck[r.kind]++
		}
	}
	if struck["error"] == 0 || struck["panic"] == 0 {
		t.Errorf("too little trouble to mean anything: %v", struck)
	}
}
