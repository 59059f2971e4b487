package pipeline

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Budget bounds what items hold together, in bytes: back-pressure where items are of very different size. Requests are
// served in the order in which they came.
//
// A budget cannot deadlock a flow in which each item asks once, for all it will ever hold, in a source or a stage with
// one worker, and gives it back at the latest when it is released. With more workers, an item could hold what one
// before it waits for, while its results wait for that one.
type Budget struct {
	total       int64
	sem         *semaphore.Weighted
	inUse, peak atomic.Int64
}

// NewBudget returns a budget of so many bytes. It panics if bytes is negative.
func NewBudget(bytes int64) *Budget {
	return &Budget{total: bytes, sem: semaphore.NewWeighted(bytes)}
}

// Acquire takes n bytes and waits for them as long as it has to. It fails, and takes nothing, when ctx is done, and at
// once when n is more than there will ever be. It panics if n is negative.
func (b *Budget) Acquire(ctx context.Context, n int64) error {
	if n > b.total {
		return fmt.Errorf("%d bytes needed at once, but the budget has %d in all; raise it or shrink the item", n, b.total)
	}
	if err := b.sem.Acquire(ctx, n); err != nil {
		return fmt.Errorf("waiting for %d of %d bytes: %w", n, b.total, err)
	}
	used := b.inUse.Add(n)
	for peak := b.peak.Load(); used > peak && !b.peak.CompareAndSwap(peak, used); {
		peak = b.peak.Load()
	}
	return nil
}

// Release gives n bytes back. It panics if that is more than is in use.
func (b *Budget) Release(n int64) {
	if left := b.inUse.Add(-n); n < 0 || left < 0 {
		panic(fmt.Sprintf("pipeline: %d bytes released with %d bytes in use", n, left+n))
	}
	b.sem.Release(n) // after inUse has gone down, which is therefore never above the total
}

// Total is how many bytes there are.
func (b *Budget) Total() int64 { return b.total }

// InUse is how many bytes are taken at the moment.
func (b *Budget) InUse() int64 { return b.inUse.Load() }

// Peak is the most bytes that were ever taken at the same time.
func (b *Budget) Peak() int64 { return b.peak.Load() }
