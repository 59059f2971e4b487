package pipeline

import (
	"sync/atomic"
	"time"
)

// Stat is what a stage has done so far. Times are summed over the workers, and the time of a call or a wait is added
// when that ends; when the stage has ended, Busy+WaitIn+WaitOut is the time for which its workers lived.
type Stat struct {
	Name    string
	Workers int
	In      int64         // items given to the stage's function; of a source, read from its sequence
	Out     int64         // items handed to the next stage or its buffer; of a sink, items done
	Busy    time.Duration // in the function, without its emits; of a source, in the sequence
	WaitIn  time.Duration // for an item to work on
	WaitOut time.Duration // for items before it to finish, or for the next stage to take a result
}

// Stats is a snapshot of all stages in the order in which they were made. It may be called at any time; while the flow
// runs, its numbers are read one after the other, and two stages may differ by the item just handed over.
func (f *Flow) Stats() []Stat {
	f.mu.Lock()
	defer f.mu.Unlock()
	stats := make([]Stat, len(f.stages))
	for i, s := range f.stages {
		stats[i] = Stat{
			Name: s.name, Workers: s.workers, In: s.taken.Load(), Out: s.sent.Load(),
			Busy:    time.Duration(s.busy.Load()),
			WaitIn:  time.Duration(s.waitIn.Load()),
			WaitOut: time.Duration(s.waitOut.Load()),
		}
	}
	return stats
}

// watch divides the time of one goroutine among counters.
type watch struct{ mark time.Time }

func startWatch() watch { return watch{time.Now()} }

// lap adds the time since the last lap to a counter of nanoseconds.
func (w *watch) lap(to *atomic.Int64) {
	now := time.Now()
	to.Add(int64(now.Sub(w.mark)))
	w.mark = now
}
