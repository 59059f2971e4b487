package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"scbench/outputs"
	"scbench/pipeline"
)

// half is a run that is half done, as its folder tells it.
func half() (*outputs.Follower, *outputs.Live) {
	f := &outputs.Follower{}
	f.Manifest.Run, f.Manifest.Counts.Planned = "abc\x1b[31m", 20
	for i := range 10 {
		task := "kv"
		if i >= 8 {
			task = "vt"
		}
		score := 0.5
		f.Rows = append(f.Rows, outputs.Result{Key: outputs.Key{Task: task, Example: string(rune('a' + i)), Turn: 1, Mode: outputs.MultiTurn, Method: "full"}, ScoreFixed: &score, ScoreStrict: &score, Status: outputs.OK})
	}
	since := time.Unix(1000, 0)
	return f, &outputs.Live{Host: "box", PID: 7, Since: since, At: since.Add(10 * time.Second), Items: 4,
		Tasks:  []outputs.LiveTask{{Task: "kv", Rows: 8}, {Task: "vt", Rows: 12}},
		Stages: []outputs.LiveStage{{Name: "prefill", Workers: 1, In: 3, Out: 2, Busy: 3, WaitIn: 1}},
		Memory: outputs.LiveMemory{InUse: 1 << 20, Peak: 1 << 21, Limit: 1 << 30}}
}

func TestSight(t *testing.T) {
	f, live := half()
	text := sight{f: f, live: live, now: live.At, color: outputs.Never}.String()
	for _, want := range []string{
		"on box, process 7, for 10s", "10 of 20 queries 10s left", "KV memory 1.0 MiB of 1.00 GiB, at most 2.0 MiB so far",
		"prefill 2 of 4 75 % 25 % 0 % 10s", "kv 8 of 8 ████████████████████ vt 2 of 12 ███░░░░░░░░░░░░░░░░░ 10s",
		"multi-turn", "full", "50.0",
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "\x1b") {
		t.Errorf("an escape sequence of a run's name reaches the terminal: %q", text)
	}
	if text := (sight{f: f, live: live, now: live.At.Add(70 * time.Second)}).String(); !strings.Contains(text, "has said nothing since 1m10s") {
		t.Errorf("a silent run:\n%s", text)
	}
	if text := (sight{f: f, now: live.At}).String(); !strings.Contains(text, "does not go on at the moment") || strings.Contains(text, "left") {
		t.Errorf("an interrupted run:\n%s", text)
	}
	f.Finished = true
	if text := (sight{f: f, live: live, now: live.At}).String(); !strings.Contains(text, "finished") || strings.Contains(text, "left") {
		t.Errorf("a finished run:\n%s", text)
	}
}

func TestSpan(t *testing.T) {
	for want, d := range map[string]time.Duration{"0s": 0, "59s": 59 * time.Second, "2m05s": 125 * time.Second, "3h04m": 3*time.Hour + 4*time.Minute + 5*time.Second} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %s, want %s", d, got, want)
		}
	}
}

// TestScreen presses keys, and lets the run end or fail.
func TestScreen(t *testing.T) {
	stopped := 0
	s := &screen{every: time.Hour, stop: func() { stopped++ }}
	s.Update(tea.WindowSizeMsg{Width: 80, Height: 4})
	s.Update(look{text: "a\nb\nc\nd\ne\n"})
	shown := func() string { return strings.Split(s.View().Content, "\x1b[2m")[0] }
	key := func(name string) tea.Cmd { return s.press(name) }
	for _, step := range []struct{ key, want string }{{"", "a\nb\nc\n"}, {"down", "b\nc\nd\n"}, {"pgdown", "c\nd\ne\n"}, {"down", "c\nd\ne\n"}, {"up", "b\nc\nd\n"}, {"home", "a\nb\nc\n"}, {"x", "a\nb\nc\n"}} {
		key(step.key)
		if got := shown(); got != step.want {
			t.Errorf("after %q it shows %q, want %q", step.key, got, step.want)
		}
	}
	if key("ctrl+c") != nil || stopped != 1 {
		t.Errorf("Ctrl-C stops the run %d times", stopped)
	}
	if quits(key("q")) != true {
		t.Error("q does not leave")
	}
	if _, cmd := s.Update(look{text: "end", done: true}); !quits(cmd) || s.text != "end" {
		t.Error("the end of the run does not end the screen")
	}
	if _, cmd := s.Update(look{err: errors.New("x")}); !quits(cmd) || s.err == nil {
		t.Error("an error does not end the screen")
	}
	if s.stop = nil; !quits(key("ctrl+c")) {
		t.Error("Ctrl-C does not leave the screen of another's run")
	}
}

func quits(cmd tea.Cmd) bool {
	if cmd == nil {
		return false
	}
	_, quit := cmd().(tea.QuitMsg)
	return quit
}

// TestTracer wants the trace to be JSON in which each worker has its name and time of its own.
func TestTracer(t *testing.T) {
	var b bytes.Buffer
	tr := newTracer(&b, pipeline.NewBudget(1<<20))
	f := pipeline.New(t.Context())
	f.Trace(tr.observe)
	src := pipeline.From(f, "read", func(yield func(int, error) bool) {
		for i := range 5 {
			if !yield(i, nil) {
				return
			}
		}
	})
	pipeline.Each(src, "write", func(context.Context, int) error { return nil })
	if err := f.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := tr.finish(); err != nil {
		t.Fatal(err)
	}
	var events []struct {
		Name, Cat, Ph string
		Tid           int
		Args          map[string]any
	}
	if err := json.Unmarshal(b.Bytes(), &events); err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	names, items := map[string]int{}, map[any]bool{}
	for _, e := range events {
		if e.Name == "thread_name" {
			names[e.Args["name"].(string)] = e.Tid
		}
		if e.Name == "write" && e.Ph == "X" {
			items[e.Args["item"]] = true
		}
	}
	if len(names) != 2 || names["read 0"] == names["write 0"] || len(items) != 5 {
		t.Errorf("workers %v, items %v", names, items)
	}
	var none *tracer
	if none.finish() != nil {
		t.Error("no trace has an end")
	}
	full := newTracer(failing{}, pipeline.NewBudget(1))
	for range 10000 {
		full.observe(pipeline.Span{Stage: "read"})
	}
	if full.finish() == nil {
		t.Error("a disk that is full is not reported")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// TestHeartbeat wants the state of a run in its folder as long as it goes on, and not longer.
func TestHeartbeat(t *testing.T) {
	dir := t.TempDir()
	_, want := half()
	want.At, want.Since = want.At.UTC(), want.Since.UTC()
	told := make(chan struct{}, 100)
	stop := heartbeat(dir, func() outputs.Live { told <- struct{}{}; return *want })
	<-told
	var got *outputs.Live
	for got == nil {
		var err error
		if got, err = outputs.ReadLive(dir); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	stop()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	gone := heartbeat(filepath.Join(dir, "gone"), func() outputs.Live { return *want })
	gone()
}

// TestDriftInterrupted wants the rows so far to be kept, whole, when an analysis is stopped.
func TestDriftInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "drift.parquet")
	var out bytes.Buffer
	errs := &interrupter{at: " s"} // in the first line with a time
	if code := run([]string{"drift", "--task", "kv", "--examples", "60", "--tokens", "128", "--heads", "2", "-m", "full", "-o", path}, &out, errs); code != 130 {
		t.Fatalf("exit code %d\n%s", code, errs)
	}
	rows := 0
	if err := outputs.EachDrift(path, func(*outputs.Drift) error { rows++; return nil }); err != nil || rows == 0 || rows >= 60*129*2 {
		t.Errorf("%d rows, %v", rows, err)
	}
}
