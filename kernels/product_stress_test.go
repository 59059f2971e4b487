package kernels

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestProductStress: tiles live in registers that the runtime knows nothing about. Goroutines that multiply while
// the collector stops the world all the time, and while others have the processor, get exact results; the test
// reports how long a stop took at worst, which is as long as a call of assembly.
func TestProductStress(t *testing.T) {
	requireAMX(t)
	duration := 2 * time.Second
	if testing.Short() {
		duration = 200 * time.Millisecond
	}
	for _, procs := range []int{2, 4} {
		t.Run(fmt.Sprint("threads=", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			before := pauses()
			stress(t, duration/2)
			t.Logf("longest stop of the world: at most %v", longest(before, pauses()))
		})
	}
	const m, k, n = blockRows, 8192, panelCols
	for _, m := range []int{1, m} {
		w := randomMatrix(t, newRand(3), BF16, n, k, 0)
		packed, rows := packedAs(t, PrecisionBF16, w, make([]float32, m*k), m)
		out := make([]float32, m*n)
		took := make([]time.Duration, 51)
		for i := range took {
			start := time.Now()
			Product(nil, out, rows, packed, Epilogue{})
			took[i] = time.Since(start)
		}
		slices.Sort(took)
		calls := 1
		if m > tileRows {
			calls = rows.packed.chunks()
		}
		t.Logf("m=%d, a panel of %d columns: %v in %d calls of assembly", m, k, took[len(took)/2], calls)
	}
}

// stress lets goroutines multiply, each its own shape, and compares every result with the first.
func stress(t *testing.T, duration time.Duration) {
	var stop atomic.Bool
	var work, noise sync.WaitGroup
	var products atomic.Int64
	pool := NewPool(2)
	defer pool.Close()
	for g := range 12 {
		work.Add(1)
		go func() {
			defer work.Done()
			rng := newRand(uint64(g))
			m, k, n := 1+g*g*3, 100+300*g, 40+20*g
			w, err := NewMatrix(BF16, encode(BF16, normals(rng, n*k), 0), n, k)
			if err != nil {
				t.Error(err)
				return
			}
			packed := w.Pack(pool, PrecisionBF16)
			defer packed.Close()
			x, first, out := normals(rng, m*k), make([]float32, m*n), make([]float32, m*n)
			var rows Rows
			rows.Set(nil, PrecisionBF16, x, m, k)
			Product(nil, first, &rows, packed, Epilogue{})
			for !stop.Load() {
				rows.Set(pool, PrecisionBF16, x, m, k)
				Product(pool, out, &rows, packed, Epilogue{})
				if products.Add(1); !slices.Equal(out, first) {
					t.Errorf("m=%d k=%d n=%d: another result", m, k, n)
					return
				}
			}
		}()
	}
	noise.Add(1)
	go func() {
		defer noise.Done()
		for !stop.Load() {
			runtime.GC()
		}
	}()
	time.Sleep(duration)
	stop.Store(true)
	work.Wait()
	noise.Wait()
	t.Logf("%d products", products.Load())
}

// pauses is the runtime's histogram of how long it took to stop the world.
func pauses() *metrics.Float64Histogram {
	s := []metrics.Sample{{Name: "/sched/pauses/stopping/gc:seconds"}}
	metrics.Read(s)
	h := s[0].Value.Float64Histogram()
	return &metrics.Float64Histogram{Counts: slices.Clone(h.Counts), Buckets: slices.Clone(h.Buckets)}
}

func longest(before, after *metrics.Float64Histogram) time.Duration {
	for i := len(after.Counts) - 1; i >= 0; i-- {
		if after.Counts[i] > before.Counts[i] {
			return time.Duration(min(after.Buckets[i+1], 3600) * float64(time.Second))
		}
	}
	return 0
}
