package kernels

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func eachPool(t *testing.T, f func(t *testing.T, p *Pool)) {
	t.Helper()
	for _, threads := range []int{-1, 0, 1, 2, 3, 8} {
		t.Run(fmt.Sprint("threads=", threads), func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			var p *Pool
			if threads >= 0 {
				p = NewPool(threads)
			}
			defer p.Close()
			f(t, p)
		})
	}
}

func TestPoolRunsEachIndexOnce(t *testing.T) {
	eachPool(t, func(t *testing.T, p *Pool) {
		for _, n := range []int{-1, 0, 1, 2, 3, 7, 100, 1000} {
			for range 20 {
				counts := make([]int32, max(n, 0))
				p.Run(n, func(i int) { counts[i]++ })
				for i, c := range counts {
					if c != 1 {
						t.Fatalf("n=%d: index %d ran %d times", n, i, c)
					}
				}
			}
		}
	})
}

func TestPoolThreads(t *testing.T) {
	var none *Pool
	p, q := NewPool(0), NewPool(3)
	defer p.Close()
	defer q.Close()
	if none.Threads() != 1 || p.Threads() != runtime.GOMAXPROCS(0) || q.Threads() != 3 {
		t.Errorf("threads %d, %d, %d", none.Threads(), p.Threads(), q.Threads())
	}
}

// TestPoolUsesAllThreads holds each of the pool's threads in f until all have arrived.
func TestPoolUsesAllThreads(t *testing.T) {
	p := NewPool(4)
	defer p.Close()
	for round := range 3 {
		var here sync.WaitGroup
		here.Add(4)
		p.Run(4, func(int) { here.Done(); here.Wait() })
		if round == 1 {
			time.Sleep(20 * time.Millisecond) // let the workers fall asleep
		}
	}
}

func TestPoolNested(t *testing.T) {
	eachPool(t, func(t *testing.T, p *Pool) {
		var sum atomic.Int64
		p.Run(20, func(i int) {
			p.Run(20, func(j int) {
				p.Run(3, func(k int) { sum.Add(int64(i*j + k)) })
			})
		})
		if got := sum.Load(); got != 3*190*190+400*3 {
			t.Errorf("sum %d", got)
		}
	})
}

func TestPoolConcurrent(t *testing.T) {
	eachPool(t, func(t *testing.T, p *Pool) {
		var callers sync.WaitGroup
		for range 6 {
			callers.Go(func() {
				for range 200 {
					var sum atomic.Int64
					p.Run(10, func(i int) { sum.Add(int64(i)) })
					if sum.Load() != 45 {
						t.Errorf("sum %d", sum.Load())
					}
				}
			})
		}
		callers.Wait()
	})
}

func recovered(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

func explode(i int) {
	if i == 5 {
		panic(io.ErrUnexpectedEOF)
	}
}

func TestPoolPanic(t *testing.T) {
	eachPool(t, func(t *testing.T, p *Pool) {
		for range 50 {
			failure, ok := recovered(func() { p.Run(9, explode) }).(*Panic)
			if !ok || !errors.Is(failure, io.ErrUnexpectedEOF) || !strings.Contains(string(failure.Stack), "explode") {
				t.Fatalf("recovered %v", failure)
			}
			nested, ok := recovered(func() { p.Run(9, func(int) { p.Run(9, explode) }) }).(*Panic)
			if !ok || nested.Value != io.ErrUnexpectedEOF || !strings.Contains(nested.Error(), "explode") {
				t.Fatalf("recovered %v", nested)
			}
		}
		var count atomic.Int32 // and the pool still works
		p.Run(9, func(int) { count.Add(1) })
		if count.Load() != 9 {
			t.Errorf("%d of 9 ran after a panic", count.Load())
		}
	})
}

func TestPoolAfterClose(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p := NewPool(4)
	p.Close()
	p.Close()
	n := 0
	p.Run(10, func(int) { n++ })
	if n != 10 {
		t.Errorf("%d of 10 ran", n)
	}
}

func BenchmarkPool(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprint("threads=", threads), func(b *testing.B) {
			p := NewPool(threads)
			defer p.Close()
			for b.Loop() {
				p.Run(8, func(int) {})
			}
		})
	}
}
