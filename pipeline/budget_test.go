package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestBudgetBlocksAndUnblocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		if err := b.Acquire(t.Context(), 70); err != nil {
			t.Fatal(err)
		}
		got := make(chan error, 2)
		for _, n := range []int64{50, 20} {
			go func() { got <- b.Acquire(t.Context(), n) }()
			synctest.Wait() // 20 would fit, but waits in line behind 50
		}
		if len(got) != 0 || b.InUse() != 70 {
			t.Fatalf("%d got through, %d in use", len(got), b.InUse())
		}
		b.Release(70)
		synctest.Wait()
		if len(got) != 2 || b.InUse() != 70 || b.Peak() != 70 || <-got != nil || <-got != nil {
			t.Errorf("%d got through, %d in use, peak %d", len(got), b.InUse(), b.Peak())
		}
		for _, n := range []int64{29, 1} {
			if err := b.Acquire(t.Context(), n); err != nil || b.Peak() != b.InUse() {
				t.Errorf("got %v, %d in use, peak %d", err, b.InUse(), b.Peak())
			}
		}
		b.Release(100)
		if b.InUse() != 0 || b.Peak() != 100 {
			t.Errorf("at the end: %d in use, peak %d", b.InUse(), b.Peak())
		}
	})
}

func TestBudgetTooSmall(t *testing.T) {
	b := NewBudget(1 << 30)
	err := b.Acquire(t.Context(), 1<<30+1) // no deadline: it would wait for ever
	if err == nil || !strings.Contains(err.Error(), "1073741825") || !strings.Contains(err.Error(), "1073741824") {
		t.Errorf("got %v", err)
	}
	if err := b.Acquire(t.Context(), 1<<30); err != nil || b.InUse() != 1<<30 {
		t.Errorf("all of it: %v, %d in use", err, b.InUse())
	}
}

func TestBudgetCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(10)
		if err := b.Acquire(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Acquire(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if b.InUse() != 10 || b.Peak() != 10 {
			t.Errorf("%d in use, peak %d", b.InUse(), b.Peak())
		}
	})
}

func TestBudgetMisuse(t *testing.T) {
	for name, misuse := range map[string]func(b *Budget){
		"more than in use": func(b *Budget) { b.Release(6) },
		"negative release": func(b *Budget) { b.Release(-1) },
		"negative acquire": func(b *Budget) { b.Acquire(context.Background(), -1) },
		"negative budget":  func(*Budget) { NewBudget(-1) },
	} {
		b := NewBudget(10)
		if err := b.Acquire(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			misuse(b)
		}()
	}
}

// parcel is an item that holds a part of a budget until it is released.
type parcel struct {
	id   int
	size int64
	b    *Budget
}

func (p *parcel) Release() { p.b.Release(p.size) }

// A flow whose items hold memory stays in its budget, and returns all of it, however it ends.
func TestBudgetInFlow(t *testing.T) {
	bubble(t, func(rt *rapid.T) func() error {
		sizes := rapid.SliceOfN(rapid.Int64Range(0, 100), 1, 30).Draw(rt, "sizes")
		total := rapid.Int64Range(100, 250).Draw(rt, "total")
		end := time.Duration(rapid.IntRange(0, 2000).Draw(rt, "cancelled after"))
		work := stageGen("work").Draw(rt, "work")
		return func() error { return parcels(sizes, total, end, work) }
	})
}

func parcels(sizes []int64, total int64, end time.Duration, work Stage) error {
	ctx, cancel := context.WithTimeout(context.Background(), end)
	defer cancel()
	b := NewBudget(total)
	f := New(ctx)
	hold := Stage{Name: "hold", Buffer: 9}
	held := Map(From(f, "count", count(len(sizes))), hold, func(ctx context.Context, i int) (*parcel, error) {
		if err := b.Acquire(ctx, sizes[i]); err != nil {
			return nil, err
		}
		return &parcel{i, sizes[i], b}, nil
	})
	worked := Map(held, work, func(_ context.Context, p *parcel) (*parcel, error) {
		time.Sleep(time.Duration(p.size))
		return p, nil
	})
	done := 0
	Each(worked, "free", func(_ context.Context, p *parcel) error {
		defer p.Release()
		if p.id != done {
			return fmt.Errorf("item %d came at place %d", p.id, done)
		}
		done++
		return nil
	})
	err := f.Wait()
	if (err == nil) != (done == len(sizes)) || err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%d of %d done, but %w", done, len(sizes), err)
	}
	if b.InUse() != 0 || b.Peak() > total {
		return fmt.Errorf("%d left in use, peak %d of %d", b.InUse(), b.Peak(), total)
	}
	return nil
}
