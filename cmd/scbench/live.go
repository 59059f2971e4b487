package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"scbench/outputs"
	"scbench/pipeline"
	"scbench/stages"
)

// beat is how often a run tells of itself.
const beat = time.Second

// heartbeat writes the state of a run to its folder, for scbench top, until stop is called, which takes it away.
func heartbeat(dir string, state func() outputs.Live) (stop func()) {
	done := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		tick := time.NewTicker(beat)
		defer tick.Stop()
		for {
			if state().Write(dir) != nil {
				return // a run goes on whether or not it can tell of itself
			}
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		writing.Wait()
		_ = outputs.RemoveLive(dir) // what stays says when it was written
	}
}

// state tells of a run whose flow has begun.
func (r *runCommand) state(j *stages.Job, sets sources, out *outputs.Run, flow *pipeline.Flow) func() outputs.Live {
	host, _ := os.Hostname() // "" says as much
	live := outputs.Live{Host: host, PID: os.Getpid(), Since: time.Now().UTC(), Had: out.Counts().Rows}
	for _, s := range sets {
		live.Items += s.contexts
		live.Tasks = append(live.Tasks, outputs.LiveTask{Task: s.task.Name, Rows: s.queries * len(j.Policies) * len(j.Modes)})
	}
	return func() outputs.Live {
		l := live
		l.At = time.Now().UTC()
		for _, s := range flow.Stats() {
			l.Stages = append(l.Stages, outputs.LiveStage{Name: s.Name, Workers: s.Workers, In: s.In, Out: s.Out,
				Busy: s.Busy.Seconds(), WaitIn: s.WaitIn.Seconds(), WaitOut: s.WaitOut.Seconds()})
		}
		l.Memory = outputs.LiveMemory{InUse: j.Budget.InUse(), Peak: j.Budget.Peak(), Limit: j.Budget.Total()}
		return l
	}
}

// progress shows how far the run is: in a screen of its own with --ui, else in lines. unseen takes the screen away.
func (r *runCommand) progress(c console, dir string, out *outputs.Run) (p *progress, unseen func(), err error) {
	if r.UI && !terminal(c.out) {
		fmt.Fprintln(c.err, "note: --ui is for a terminal, and the output is none: plain progress follows")
		r.UI = false
	}
	if !r.UI {
		return newProgress(c.err, out), func() {}, nil
	}
	lines := &silenced{w: c.err}
	unseen, err = overlook(c.out, dir, interruptSelf, func() { lines.speak.Store(true) })
	return newProgress(lines, out), unseen, err
}

// silenced is a writer that drops everything until it may speak.
type silenced struct {
	w     io.Writer
	speak atomic.Bool
}

// Write writes or drops p.
func (s *silenced) Write(p []byte) (int, error) {
	if !s.speak.Load() {
		return len(p), nil
	}
	return s.w.Write(p)
}

// tracer writes what the workers of a flow do, and the memory in use, as a Chrome trace: an array of events that Perfetto and
// chrome://tracing read.
type tracer struct {
	budget *pipeline.Budget
	close  func() error

	mu      sync.Mutex // of what follows
	w       *bufio.Writer
	began   time.Time
	workers map[string]int // by stage and number, as the trace numbers them
	err     error          // the first of writing
}

// startTrace begins the file; nil without a name.
func startTrace(path string, budget *pipeline.Budget) (*tracer, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("--trace %s: %w; choose a folder that exists and that you can write to", path, err)
	}
	t := newTracer(f, budget)
	t.close = f.Close
	return t, nil
}

func newTracer(w io.Writer, budget *pipeline.Budget) *tracer {
	t := &tracer{budget: budget, close: func() error { return nil }, w: bufio.NewWriter(w), began: time.Now(), workers: map[string]int{}}
	t.event(`[{"name":"process_name","ph":"M","pid":1,"args":{"name":"scbench run"}}`)
	return t
}

// observe takes a span down; it is what pipeline.Flow.Trace wants.
func (t *tracer) observe(s pipeline.Span) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := s.Stage + " " + strconv.Itoa(s.Worker)
	worker, known := t.workers[name]
	if !known {
		worker = len(t.workers) + 1
		t.workers[name] = worker
		t.event(`,{"name":"thread_name","ph":"M","pid":1,"tid":%d,"args":{"name":%q}}`, worker, name)
	}
	what := s.Stage
	if s.How != pipeline.Busy {
		what = s.How.String()
	}
	start := s.Start.Sub(t.began)
	t.event(`,{"name":%q,"cat":%q,"ph":"X","pid":1,"tid":%d,"ts":%d,"dur":%d,"args":{"item":%d}}`,
		what, s.How, worker, start.Microseconds(), s.Took.Microseconds(), s.Item)
	t.event(`,{"name":"KV memory","ph":"C","pid":1,"ts":%d,"args":{"bytes in use":%d}}`, (start + s.Took).Microseconds(), t.budget.InUse())
}

// event writes an event on a line of its own.
func (t *tracer) event(format string, args ...any) {
	if _, err := fmt.Fprintf(t.w, format+"\n", args...); err != nil && t.err == nil {
		t.err = err
	}
}

// finish ends the file. On no tracer it does nothing.
func (t *tracer) finish() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.event("]")
	if err := errors.Join(t.err, t.w.Flush(), t.close()); err != nil {
		return fmt.Errorf("--trace: %w", err)
	}
	return nil
}

// checkTrace refuses a file for the trace that lies in no folder, before anything is computed.
func checkTrace(path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("--trace %s: there is no folder %s", path, filepath.Dir(path))
	}
	return nil
}
