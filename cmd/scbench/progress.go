package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"scbench/outputs"
)

// progress shows how far a run is: a bar on a terminal, now and then a line elsewhere.
type progress struct {
	w       io.Writer
	what    string // is counted
	started time.Time
	shown   time.Time
	total   int
	done    int
	before  int // of them, when this began

	bars *mpb.Progress
	bar  *mpb.Bar
}

// every is how long a log stays silent.
const every = 5 * time.Second

// newProgress starts at the rows that the run has already.
func newProgress(w io.Writer, run *outputs.Run) *progress {
	c := run.Counts()
	return startProgress(w, "queries", c.Rows, c.Planned)
}

// startProgress starts with done of total of what is counted.
func startProgress(w io.Writer, what string, done, total int) *progress {
	p := &progress{w: w, what: what, total: total, done: done, before: done, started: time.Now(), shown: time.Now()}
	if terminal(w) {
		p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(40))
		p.bar = p.bars.AddBar(int64(p.total),
			mpb.PrependDecorators(decor.Name(what+" "), decor.CountersNoUnit("%d of %d")),
			mpb.AppendDecorators(decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO), "done")))
		p.bar.SetCurrent(int64(p.done))
		return p
	}
	fmt.Fprintf(w, "%s %d of %d\n", what, p.done, p.total)
	return p
}

// add counts the rows of one example.
func (p *progress) add(rows []outputs.Row) { p.reach(p.done + len(rows)) }

// reach shows that so many are done.
func (p *progress) reach(done int) {
	p.done = done
	if p.bar != nil {
		p.bar.SetCurrent(int64(p.done))
		return
	}
	if now := time.Now(); now.Sub(p.shown) >= every || p.done >= p.total {
		p.shown = now
		took, left := now.Sub(p.started).Seconds(), ""
		if fresh := p.done - p.before; fresh > 0 && p.done < p.total {
			left = fmt.Sprintf(", about %.0f s to go", took*float64(p.total-p.done)/float64(fresh))
		}
		fmt.Fprintf(p.w, "%s %d of %d, %.0f s%s\n", p.what, p.done, p.total, took, left)
	}
}

// close leaves the terminal as it was.
func (p *progress) close() {
	if p.bar != nil {
		if !p.bar.Completed() {
			p.bar.Abort(false)
		}
		p.bars.Wait()
	}
}

// terminal reports whether w is one.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
