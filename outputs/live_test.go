package outputs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestFollow follows a run from its first row to its end, interruption and torn frames included: at any time the rows are those that
// were written, without texts.
func TestFollow(t *testing.T) {
	rows := sweep()
	want := func(n int) (all []Result) {
		for _, r := range rows[:n] {
			r.Result.Key.Run = "sample"
			all = append(all, r.Result.bare())
		}
		return all
	}
	same := func(f *Follower, n int) {
		t.Helper()
		got := append([]Result(nil), f.Rows...)
		for i := range got {
			got[i].AttentionShare = nil // Append works it out
		}
		expect := want(n)
		for i := range expect {
			expect[i].AttentionShare = nil
		}
		if diff := cmp.Diff(expect, got); diff != "" {
			t.Fatalf("after %d rows:\n%s", n, diff)
		}
	}
	dir := filepath.Join(t.TempDir(), "r")
	if _, err := Follow(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no run: %v", err)
	}
	r := create(t, dir, len(rows))
	f, err := Follow(dir)
	if err != nil {
		t.Fatal(err)
	}
	if f.Manifest.Run != "sample" || f.Manifest.Counts.Planned != len(rows) || f.Finished {
		t.Errorf("at the start: %+v", f.Manifest)
	}
	for n, row := range rows[:5] {
		appendRows(t, r, []Row{row})
		if err := f.Read(); err != nil {
			t.Fatal(err)
		}
		same(f, n+1)
	}
	journal := filepath.Join(dir, JournalFile)
	whole := read(t, dir, JournalFile)
	appendRows(t, r, rows[5:6])
	longer := read(t, dir, JournalFile)
	torn := append([]byte(nil), longer...)
	torn[len(torn)-1] ^= 1 // as a reader may see a frame that is just being written
	torn = append(torn, 1)
	for _, b := range [][]byte{torn, longer[:len(whole)+5], longer} {
		if err := os.WriteFile(journal, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := f.Read(); err != nil {
			t.Fatal(err)
		}
	}
	same(f, 6)
	damaged := append(append([]byte(nil), longer...), torn[len(whole):]...)
	if err := os.WriteFile(journal, damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	for range patience {
		if err := f.Read(); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Read(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a frame that stays damaged: %v", err)
	}
	if err := os.WriteFile(journal, longer, 0o644); err != nil {
		t.Fatal(err)
	}
	appendRows(t, r, rows[6:])
	finish(t, r)
	if err := f.Read(); err != nil {
		t.Fatal(err)
	}
	if !f.Finished || len(f.Rows) != len(rows) || f.Manifest.Status != Complete {
		t.Errorf("at the end: finished %v, %d rows of %d, status %s", f.Finished, len(f.Rows), len(rows), f.Manifest.Status)
	}
	for _, row := range f.Rows {
		if row.Prediction != "" || row.Answers != nil {
			t.Fatalf("a row has kept its texts: %+v", row)
		}
	}
}

// TestFollowARetry wants what there was no room for to count once when it is tried again.
func TestFollowARetry(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	rows := sweep()[:2]
	refused := rows[1]
	refused.Result.Status, refused.Result.ScoreStrict, refused.Result.ScoreFixed = Refused, ptr(0.0), ptr(0.0)
	r := create(t, dir, len(rows))
	appendRows(t, r, []Row{rows[0], refused})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Follow(dir)
	if err != nil || len(f.Rows) != 2 || f.Rows[1].Status != Refused {
		t.Fatalf("%v, %d rows", err, len(f.Rows))
	}
	r = create(t, dir, len(rows))
	appendRows(t, r, rows[1:])
	if err := f.Read(); err != nil || len(f.Rows) != 2 || f.Rows[1].Status != OK {
		t.Errorf("after another try: %v, %d rows, %s", err, len(f.Rows), f.Rows[1].Status)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLive(t *testing.T) {
	dir := t.TempDir()
	if l, err := ReadLive(dir); l != nil || err != nil {
		t.Errorf("no state: %v, %v", l, err)
	}
	want := Live{Host: "h", PID: 7, At: time.Unix(5, 0).UTC(), Since: time.Unix(3, 0).UTC(), Had: 2, Items: 4, Tasks: []LiveTask{{"kv", 10}},
		Stages: []LiveStage{{Name: "read", Workers: 1, In: 3, Out: 2, Busy: 0.5}}, Memory: LiveMemory{1, 2, 3}}
	if err := want.Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := ReadLive(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Error(diff)
	}
	for range 2 {
		if err := RemoveLive(dir); err != nil {
			t.Error(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, LiveFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadLive(dir); err == nil {
		t.Error("half a state was read")
	}
}
