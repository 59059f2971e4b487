package pipeline

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// count is a sequence of the numbers 0 … n-1.
func count(n int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
	}
}

// same is a stage's function that does nothing.
func same[T any](_ context.Context, v T) (T, error) { return v, nil }

// collect makes a sink that appends to a slice.
func collect[T any](in *Edge[T], name string) *[]T {
	var all []T
	Each(in, name, func(_ context.Context, v T) error {
		all = append(all, v)
		return nil
	})
	return &all
}

// bubble checks a property in fake time, where a goroutine that is left behind is a deadlock, which panics. draw draws
// the case and returns what to run; that knows nothing of rapid, which speaks by panics and only in its own goroutine.
func bubble(t *testing.T, draw func(rt *rapid.T) (run func() error)) {
	rapid.Check(t, func(rt *rapid.T) {
		run := draw(rt)
		var err error
		synctest.Test(t, func(*testing.T) { err = run() })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// nursery makes items that hold memory of a checked allocator, and knows what became of each.
type nursery struct {
	mem *memory.CheckedAllocator
	mu  sync.Mutex
	all []*item
}

func newNursery() *nursery { return &nursery{mem: memory.NewCheckedAllocator(memory.NewGoAllocator())} }

type item struct {
	id                 int
	payload            *memory.Buffer
	consumed, released atomic.Int32
}

func (n *nursery) item(id int) *item {
	it := &item{id: id, payload: memory.NewResizableBuffer(n.mem)}
	it.payload.Resize(64 + id)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, it)
	return it
}

// consume is what a function that got the item does with it, sooner or later.
func (i *item) consume() {
	i.consumed.Add(1)
	i.payload.Release()
}

// Release is what the machine calls on an item that it drops.
func (i *item) Release() {
	i.released.Add(1)
	i.payload.Release()
}

// check says what is wrong: an item that was not either consumed or released, once; or memory that is left.
func (n *nursery) check() error {
	for _, i := range n.all {
		if c, r := i.consumed.Load(), i.released.Load(); c+r != 1 {
			return fmt.Errorf("item %d was consumed %d times and released %d times", i.id, c, r)
		}
	}
	var left leftover
	n.mem.AssertSize(&left, 0)
	if left.said != "" {
		return fmt.Errorf("memory left: %s", left.said)
	}
	return nil
}

// dropped counts the items that the machine released.
func (n *nursery) dropped() (sum int) {
	for _, i := range n.all {
		sum += int(i.released.Load())
	}
	return sum
}

// leftover lets AssertSize speak to rapid.
type leftover struct{ said string }

func (l *leftover) Errorf(format string, args ...any) { l.said += fmt.Sprintf(format, args...) }
func (l *leftover) Helper()                           {}
