package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"scbench/outputs"
)

// topCommand watches a run.
type topCommand struct {
	Folder string `arg:"" name:"run" help:"Folder of a run, here or on a shared file system: one that another process writes, or a finished one." type:"path"`
	Once   bool   `help:"Print the state once, as is done where the output is no terminal."`
}

// Run watches until the run ends or q is pressed.
func (t topCommand) Run(c console) error {
	f, err := outputs.Follow(t.Folder)
	if err != nil {
		return err
	}
	if !t.Once && terminal(c.out) {
		return watch(c.out, f, t.Folder)
	}
	live, err := outputs.ReadLive(t.Folder)
	if err != nil {
		return err
	}
	_, err = io.WriteString(c.out, sight{f: f, live: live, now: time.Now()}.String())
	return err
}

// sight is what there is to see of a run.
type sight struct {
	f     *outputs.Follower
	live  *outputs.Live // nil: it is not going on, or does not tell
	now   time.Time
	width int // columns; 0: 100
	color outputs.Color
}

// silence is how long a run that goes on may say nothing before a reader is told so.
const silence = 5 * time.Second

// String is the picture in words: progress, stages, tasks, and the table so far.
func (s sight) String() string {
	var b strings.Builder
	s.head(&b)
	if s.live != nil && !s.f.Finished {
		s.stages(&b)
		s.tasks(&b)
	}
	b.WriteString("\n")
	_ = outputs.Summarize(s.f.Rows).Table(&b, outputs.TableOptions{Width: s.width, Color: s.color}) // a Builder takes everything
	return b.String()
}

// head says how far the run is.
func (s sight) head(b *strings.Builder) {
	m := s.f.Manifest
	done, planned := len(s.f.Rows), m.Counts.Planned
	fmt.Fprintf(b, "run %s  %s\n", outputs.Clean(m.Run), s.doing())
	fmt.Fprintf(b, "%s  %d of %d queries", bar(done, planned, 40), done, planned)
	if left := s.left(planned - done); left != "" {
		fmt.Fprintf(b, "  %s left", left)
	}
	b.WriteString("\n")
	if l := s.live; l != nil && !s.f.Finished {
		fmt.Fprintf(b, "KV memory %s of %s, at most %s so far\n", bytesText(l.Memory.InUse), bytesText(l.Memory.Limit), bytesText(l.Memory.Peak))
	}
}

// doing says whether the run goes on.
func (s sight) doing() string {
	switch l := s.live; {
	case s.f.Finished:
		return "finished: " + string(s.f.Manifest.Status)
	case l == nil:
		return "does not go on at the moment; the same command goes on from here"
	case s.now.Sub(l.At) > silence:
		return fmt.Sprintf("on %s, process %d, has said nothing since %s", outputs.Clean(l.Host), l.PID, span(s.now.Sub(l.At)))
	default:
		return fmt.Sprintf("on %s, process %d, for %s", outputs.Clean(l.Host), l.PID, span(l.At.Sub(l.Since)))
	}
}

// left is how long so many rows will take at the pace so far; "" if there is none yet.
func (s sight) left(rows int) string {
	if s.live == nil || s.f.Finished || rows <= 0 {
		return ""
	}
	fresh, took := len(s.f.Rows)-s.live.Had, s.live.At.Sub(s.live.Since)
	if fresh <= 0 || took <= 0 {
		return ""
	}
	return span(time.Duration(float64(took) / float64(fresh) * float64(rows)))
}

// stages is what the pipeline's stages do with their time.
func (s sight) stages(b *strings.Builder) {
	b.WriteString("\n")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "stage\tcontexts\tbusy\twaits for work\twaits to hand on\tleft\t")
	took := s.live.At.Sub(s.live.Since)
	for _, st := range s.live.Stages {
		sum := max(st.Busy+st.WaitIn+st.WaitOut, 1e-9)
		left := ""
		if todo := int64(s.live.Items) - st.Out; s.live.Had == 0 && st.Out > 0 && todo > 0 {
			left = span(time.Duration(float64(took) / float64(st.Out) * float64(todo)))
		}
		fmt.Fprintf(w, "%s\t%d of %d\t%.0f %%\t%.0f %%\t%.0f %%\t%s\t\n", st.Name, st.Out, s.live.Items, 100*st.Busy/sum, 100*st.WaitIn/sum, 100*st.WaitOut/sum, left)
	}
	_ = w.Flush() // into a Builder
}

// tasks is how far each task is, all its methods and modes together.
func (s sight) tasks(b *strings.Builder) {
	done := map[string]int{}
	for i := range s.f.Rows {
		done[s.f.Rows[i].Task]++
	}
	b.WriteString("\n")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "task\tqueries\t\tleft\t")
	before := 0 // rows that come first
	for _, t := range s.live.Tasks {
		n := min(done[t.Task], t.Rows)
		before += t.Rows - n
		left := ""
		if n < t.Rows {
			left = s.left(before)
		}
		fmt.Fprintf(w, "%s\t%d of %d\t%s\t%s\t\n", outputs.Clean(t.Task), n, t.Rows, bar(n, t.Rows, 20), left)
	}
	_ = w.Flush() // into a Builder
}

// bar is a bar of a width, filled as far as done is of total.
func bar(done, total, width int) string {
	n := 0
	if total > 0 {
		n = min(done*width/total, width)
	}
	return strings.Repeat("█", n) + strings.Repeat("░", width-n)
}

// span is a duration as one reads it: 8s, 2m05s, 3h04m.
func span(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%ds", int(d.Seconds()))
}
