package outputs

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// cutOff leaves a journal of n rows and returns its folder, its bytes, and where each frame ends, the head's first.
func cutOff(t *testing.T, n int) (dir string, data []byte, ends []int64) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "r")
	r := create(t, dir, len(sweep()))
	ends = append(ends, r.journal.end)
	for _, row := range sweep()[:n] {
		appendRows(t, r, []Row{row})
		ends = append(ends, r.journal.end)
	}
	r.Close()
	return dir, read(t, dir, JournalFile), ends
}

// TestCrashAtAnyByte cuts the journal at every length: whole rows are recovered, none is made up, and the run goes on.
func TestCrashAtAnyByte(t *testing.T) {
	dir, data, ends := cutOff(t, 2)
	path := filepath.Join(dir, JournalFile)
	rows := sweep()
	for cut := len(data); cut >= 0; cut-- {
		want := -1 // rows
		for want+1 < len(ends) && ends[want+1] <= int64(cut) {
			want++
		}
		for _, size := range []int{cut, cut + 100} { // as cut, and as extended with zeros by the file system
			if err := os.Truncate(path, int64(size)); err != nil {
				t.Fatal(err)
			}
			m, got, err := Recover(dir)
			if err != nil || len(got) != max(want, 0) {
				t.Fatalf("cut at %d of %d: %d rows, %v; want %d", cut, len(data), len(got), err, want)
			}
			if (m.Run == "sample") != (want >= 0) {
				t.Fatalf("cut at %d: manifest of run %q", cut, m.Run)
			}
		}
		if err := os.Truncate(path, int64(cut)); err != nil {
			t.Fatal(err)
		}
		if cut%97 != 0 && !slices.Contains(ends, int64(cut)) {
			continue // going on syncs the disk: not at every byte
		}
		r, err := Create(dir, samplePlan(tasks, len(rows)), false)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if r.Counts().Rows != max(want, 0) {
			t.Fatalf("cut at %d: goes on with %d rows, want %d", cut, r.Counts().Rows, want)
		}
		appendRows(t, r, rows[max(want, 0):5])
		r.Close()
		if _, got, err := Recover(dir); err != nil || len(got) != 5 {
			t.Fatalf("cut at %d, then gone on: %d rows, %v", cut, len(got), err)
		}
		write(t, path, data[:cut])
	}
}

func TestCrashThenGoOnGivesTheSameBytes(t *testing.T) {
	rows := sweep()
	dir, data, ends := cutOff(t, 30)
	write(t, filepath.Join(dir, JournalFile), data[:ends[29]+5])
	r := create(t, dir, len(rows))
	if r.Counts().Rows != 29 {
		t.Fatalf("%d rows were recovered, want 29", r.Counts().Rows)
	}
	for _, row := range rows {
		if !r.Has(row.Result.Key) {
			appendRows(t, r, []Row{row})
		}
	}
	finish(t, r)
	sameOutputs(t, finished(t, rows), dir)
}

// TestDamagedJournal flips a bit of every byte: what comes back is a prefix of the rows, and damage before the last frame
// is always an error that names its offset.
func TestDamagedJournal(t *testing.T) {
	dir, data, ends := cutOff(t, 3)
	path := filepath.Join(dir, JournalFile)
	_, whole, err := Recover(dir)
	if err != nil {
		t.Fatal(err)
	}
	last := ends[len(ends)-2]
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1 << (i % 8)
		write(t, path, bad)
		_, got, err := Recover(dir)
		if len(got) > len(whole) || !cmp.Equal(whole[:len(got)], got, cmpopts.EquateEmpty()) {
			t.Fatalf("byte %d: rows were made up", i)
		}
		if err == nil && (int64(i) < last || len(got) != 2) {
			t.Fatalf("byte %d of %d: the damage went unnoticed; %d rows", i, len(data), len(got))
		}
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	bad := bytes.Clone(data)
	bad[ends[1]+frameHeader] ^= 1
	write(t, path, bad)
	_, got, err := Recover(dir)
	wantError(t, err, path, "at byte", "keep the 1 rows before it", "truncate -s")
	if len(got) != 1 {
		t.Errorf("%d rows before the damage", len(got))
	}
	before := read(t, path)
	_, err = Create(dir, samplePlan(tasks, len(sweep())), false)
	wantError(t, err, "--force")
	if !bytes.Equal(before, read(t, path)) {
		t.Error("a refused Create changed the damaged journal")
	}
}

func TestRecoverNothing(t *testing.T) {
	dir := t.TempDir()
	_, _, err := Recover(dir)
	wantError(t, err, "no interrupted run in "+dir)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not wrap fs.ErrNotExist", err)
	}
	write(t, filepath.Join(dir, JournalFile), []byte("some other file's bytes"))
	_, _, err = Recover(dir)
	wantError(t, err, "no scbench journal")
}

// TestKill kills a process in the middle of a run. It is its own child.
func TestKill(t *testing.T) {
	rows := sweep()
	if dir := os.Getenv("SCBENCH_TEST_KILL"); dir != "" {
		r := create(t, dir, len(rows))
		for _, row := range rows {
			appendRows(t, r, []Row{row})
			os.Stdout.WriteString("appended\n")
		}
		select {} // never finishes by itself
	}
	dir := filepath.Join(t.TempDir(), "r")
	cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), "SCBENCH_TEST_KILL="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	acknowledged := 0
	for acknowledged < 21 && lines.Scan() {
		acknowledged++
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // its error is the kill
	r := create(t, dir, len(rows))
	if n := r.Counts().Rows; n < 21 {
		t.Fatalf("%d rows were acknowledged, %d survived", acknowledged, n)
	}
	for _, row := range rows {
		if !r.Has(row.Result.Key) {
			appendRows(t, r, []Row{row})
		}
	}
	finish(t, r)
	sameOutputs(t, finished(t, rows), dir)
}
