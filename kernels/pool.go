package kernels

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Pool runs loops on persistent workers. It parallelises over outputs only, so that nothing it runs depends on
// the number of threads. A nil *Pool is valid and runs everything in the caller.
type Pool struct {
	threads int
	busy    atomic.Bool         // a job owns the workers
	job     atomic.Pointer[job] // that job, while indices may be left
	parked  atomic.Int32        // workers asleep in wait, or about to be
	mu      sync.Mutex
	wake    *sync.Cond
	closed  atomic.Bool
	exited  sync.WaitGroup
}

// Panic is what Run panics with when f panicked: the value and the stack of the goroutine it happened in.
type Panic struct {
	Value any
	Stack []byte
}

// Error shows the value and the stack.
func (p *Panic) Error() string { return fmt.Sprintf("%v\n\nin a kernel task:\n%s", p.Value, p.Stack) }

// Unwrap returns the value if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// spins bounds how long an idle thread polls before it sleeps: each spin is a short burst of loads and one
// Gosched, about 130 µs in all, which bridges what lies between two kernels of one layer: parked threads cost decoding a third
// of its speed on two cores.
const spins = 1000

// NewPool starts threads-1 workers; the caller of Run is the last thread. 0 threads means GOMAXPROCS. Close
// releases them.
func NewPool(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{threads: threads}
	p.wake = sync.NewCond(&p.mu)
	p.exited.Add(threads - 1)
	for range threads - 1 {
		go p.worker()
	}
	return p
}

// Threads is the number of goroutines that take part in Run, the caller included; 1 for a nil Pool.
func (p *Pool) Threads() int {
	if p == nil {
		return 1
	}
	return p.threads
}

// Close stops the workers and waits for them. Run still works afterwards, in the caller alone. Closing twice, or
// closing a nil Pool, does nothing.
func (p *Pool) Close() {
	if p == nil || p.closed.Swap(true) {
		return
	}
	p.mu.Lock()
	p.wake.Broadcast()
	p.mu.Unlock()
	p.exited.Wait()
}

// Run calls f(0) … f(n-1), each once, in no fixed order, and returns when all have returned. Indices are handed
// out one at a time, so ragged work balances itself. Run may be called from several goroutines and from inside f:
// one job at a time has the workers, any other runs in its caller, and so none waits for another.
// If f panics, the remaining indices are dropped and Run panics with a *Panic.
func (p *Pool) Run(n int, f func(i int)) {
	if n <= 0 {
		return
	}
	j := &job{n: int64(n), f: f}
	j.all.Add(1)
	if n == 1 || p.Threads() == 1 || !p.busy.CompareAndSwap(false, true) {
		j.work()
	} else {
		p.job.Store(j)
		p.rouse(n - 1)
		j.work()
		p.job.Store(nil)
		j.wait()
		p.busy.Store(false)
	}
	if failure := j.failure.Load(); failure != nil {
		panic(failure)
	}
}

// rouse wakes up to n sleeping workers.
func (p *Pool) rouse(n int) {
	asleep := int(p.parked.Load())
	if asleep == 0 {
		return
	}
	p.mu.Lock()
	for range min(n, asleep) {
		p.wake.Signal()
	}
	p.mu.Unlock()
}

func (p *Pool) worker() {
	defer p.exited.Done()
	for {
		spin(func() bool { return p.closed.Load() || p.open() != nil })
		p.sleep()
		if p.closed.Load() {
			return
		}
		if j := p.open(); j != nil {
			j.work()
		}
	}
}

// open returns the current job if it has indices left, else nil.
func (p *Pool) open() *job {
	if j := p.job.Load(); j != nil && j.taken.Load() < j.n {
		return j
	}
	return nil
}

// sleep returns at once if there is a job or the pool is closed; otherwise it waits for either.
func (p *Pool) sleep() {
	if p.closed.Load() || p.open() != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// Announced before the last look: Run stores the job and then reads parked, so one of the two sees the other.
	p.parked.Add(1)
	defer p.parked.Add(-1)
	for !p.closed.Load() && p.open() == nil {
		p.wake.Wait()
	}
}

// spin polls ready for a while and reports whether it came true.
func spin(ready func() bool) bool {
	for range spins {
		for range 16 {
			if ready() {
				return true
			}
		}
		runtime.Gosched()
	}
	return ready()
}

// job is one Run. A worker that arrives late finds no index left and goes away; the job is garbage-collected.
type job struct {
	n       int64
	f       func(int)
	taken   atomic.Int64 // indices handed out
	done    atomic.Int64 // indices finished or dropped
	failure atomic.Pointer[Panic]
	all     sync.WaitGroup // released by whoever finishes the last index
}

// work runs indices until none is left, also after one has panicked.
func (j *job) work() {
	for !j.batch() {
	}
}

// batch runs indices until none is left (true) or f panics (false).
func (j *job) batch() (exhausted bool) {
	var done int64
	defer func() {
		if !exhausted {
			j.fail(recover())
			done++
		}
		if done > 0 && j.done.Add(done) == j.n {
			j.all.Done()
		}
	}()
	for {
		i := j.taken.Add(1) - 1
		if i >= j.n {
			return true
		}
		if j.failure.Load() == nil {
			j.f(int(i))
		}
		done++
	}
}

// fail keeps the first panic. A nested Run has already wrapped its own.
func (j *job) fail(value any) {
	failure, wrapped := value.(*Panic)
	if !wrapped {
		failure = &Panic{Value: value, Stack: debug.Stack()}
	}
	j.failure.CompareAndSwap(nil, failure)
}

func (j *job) wait() {
	if !spin(func() bool { return j.done.Load() == j.n }) {
		j.all.Wait()
	}
}
