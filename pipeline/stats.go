package pipeline

import "time"

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
			Busy:    time.Duration(s.spent[Busy].Load()),
			WaitIn:  time.Duration(s.spent[WaitIn].Load()),
			WaitOut: time.Duration(s.spent[WaitOut].Load()),
		}
	}
	return stats
}

// Spending is how a worker spends its time: the three of Stat.
type Spending int

// The three, in Stat's words.
const (
	Busy Spending = iota
	WaitIn
	WaitOut
)

// String is "busy", "wait in" or "wait out".
func (s Spending) String() string { return [...]string{"busy", "wait in", "wait out"}[s] }

// Span is time that one worker has spent in one way, without a break.
type Span struct {
	Stage  string
	Worker int // from 0, within the stage
	How    Spending
	Item   int // of the stage, from 0: the one that it was about; of WaitIn, the one that came
	Start  time.Time
	Took   time.Duration
}

// Trace has observe called with every span when it ends, from the worker whose it is; so from several at the same time, and each waits
// for it to return. It must be called before the first stage is made. All spans of a stage together are its Stat.
func (f *Flow) Trace(observe func(Span)) {
	if len(f.stages) > 0 {
		panic("pipeline: a flow can be traced from its beginning only")
	}
	f.trace = observe
}

// watch divides the time of one worker among the counters of its stage.
type watch struct {
	stage  *stage
	worker int
	mark   time.Time
}

func (s *stage) watch(worker int) watch { return watch{s, worker, time.Now()} }

// lap says how the time since the last lap was spent, and on which item.
func (w *watch) lap(how Spending, item int) {
	now := time.Now()
	took := now.Sub(w.mark)
	w.stage.spent[how].Add(int64(took))
	if f := w.stage.flow.trace; f != nil {
		f(Span{w.stage.name, w.worker, how, item, w.mark, took})
	}
	w.mark = now
}
