package outputs

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var tasks = []string{"mf", "kv"} // not in alphabetical order: the plan's order counts

func sweep() []Row { return sampleRows(tasks, 3, 2) }

func create(t *testing.T, dir string, planned int) *Run {
	t.Helper()
	r, err := Create(dir, samplePlan(tasks, planned), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func appendRows(t *testing.T, r *Run, rows []Row) {
	t.Helper()
	for _, row := range rows {
		if err := r.Append(row.Result, row.Timing); err != nil {
			t.Fatal(err)
		}
	}
}

func finish(t *testing.T, r *Run) {
	t.Helper()
	if err := r.Finish(); err != nil {
		t.Fatal(err)
	}
}

// finished writes a complete run and returns its folder.
func finished(t *testing.T, rows []Row) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "runs", "sample")
	r := create(t, dir, len(rows))
	appendRows(t, r, rows)
	finish(t, r)
	return dir
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sameOutputs compares the files that are a function of the inputs.
func sameOutputs(t *testing.T, a, b string) {
	t.Helper()
	for _, name := range []string{ResultsFile, ConfigFile, ManifestFile, TimingsFile} { // our timings have no real clock
		if !bytes.Equal(read(t, a, name), read(t, b, name)) {
			t.Errorf("%s differs between %s and %s", name, a, b)
		}
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q has more than one line", err)
	}
}

func TestRun(t *testing.T) {
	rows := sweep()
	dir := finished(t, rows)
	var names []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{ClockFile, ConfigFile, ManifestFile, ResultsFile, TimingsFile}; !slices.Equal(names, want) {
		t.Errorf("the folder holds %q, want %q", names, want)
	}
	res, tim := prepared(t, rows)
	got, err := ReadResults(filepath.Join(dir, ResultsFile))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(res, got); d != "" {
		t.Errorf("results (-appended +read):\n%s", d)
	}
	gotTim, err := ReadTimings(filepath.Join(dir, TimingsFile))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(tim, gotTim); d != "" {
		t.Errorf("timings (-appended +read):\n%s", d)
	}
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m.Status != Complete || m.Counts != (Counts{Planned: len(rows), Rows: len(rows), OK: len(rows)}) || len(m.Files) != 2 {
		t.Errorf("manifest %+v", m)
	}
	c, err := ReadClock(dir)
	if err != nil || c.Started.IsZero() || c.Finished.Before(c.Started) {
		t.Errorf("clock %+v, %v", c, err)
	}
}

func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	rows := sweep()
	backward := slices.Clone(rows)
	slices.Reverse(backward)
	sameOutputs(t, finished(t, rows), finished(t, backward))
}

func TestRerunReplacesWithTheSameBytes(t *testing.T) {
	rows := sweep()
	dir := finished(t, rows)
	before := read(t, dir, ResultsFile)
	r := create(t, dir, len(rows))
	if r.Has(rows[0].Result.Key) {
		t.Error("a finished run is not to be continued but made again")
	}
	appendRows(t, r, rows)
	if _, err := ReadResults(filepath.Join(dir, ResultsFile)); err != nil {
		t.Errorf("while a run goes on, the old results must stay readable: %v", err)
	}
	finish(t, r)
	if !bytes.Equal(before, read(t, dir, ResultsFile)) {
		t.Error("a second run gave other bytes")
	}
}

func TestInterruptedRun(t *testing.T) {
	rows := sweep()
	dir := filepath.Join(t.TempDir(), "r")
	r := create(t, dir, len(rows))
	appendRows(t, r, rows[:17])
	wantError(t, r.Finish(), "17 rows", "96 were planned")
	if err := r.FinishPartial(); err != nil {
		t.Fatal(err)
	}
	m, err := ReadManifest(dir)
	if err != nil || m.Status != Interrupted || m.Counts.Rows != 17 || m.Counts.Planned != len(rows) {
		t.Errorf("manifest %+v, %v", m, err)
	}
	if res, err := ReadResults(filepath.Join(dir, ResultsFile)); err != nil || len(res) != 17 {
		t.Errorf("%d rows, %v", len(res), err)
	}
	r = create(t, dir, len(rows))
	for i, row := range rows {
		row.Result.Run = "" // the caller need not know the run's id
		if r.Has(row.Result.Key) != (i < 17) {
			t.Fatalf("Has(row %d) = %v", i, r.Has(row.Result.Key))
		}
	}
	appendRows(t, r, rows[17:])
	finish(t, r)
	sameOutputs(t, finished(t, rows), dir)
}

func TestAppendDoesNotWriteIntoTheCallersRow(t *testing.T) {
	row := sampleRow(0, "kv", 0, MultiTurn, full, 1)
	row.Result.Answers = []string{"\xff"}
	r := create(t, filepath.Join(t.TempDir(), "r"), 0)
	appendRows(t, r, []Row{row})
	if row.Result.Answers[0] != "\xff" {
		t.Error("the caller's answers were changed")
	}
}

func TestUnwritableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	for _, dir := range []string{filepath.Join(file, "runs", "x"), file, "/proc/scbench/x", "/sys/scbench"} {
		if _, err := os.Stat(filepath.Dir(filepath.Dir(dir))); err != nil && strings.HasPrefix(dir, "/") && dir[1] != 't' {
			continue // no such system folder here
		}
		r, err := Create(dir, samplePlan(tasks, 1), false)
		if r != nil {
			t.Fatalf("%s was made", dir)
		}
		wantError(t, err, dir, "--out")
	}
}

func TestOtherRunsAreNotOverwritten(t *testing.T) {
	rows := sweep()
	dir := finished(t, rows)
	other := samplePlan(tasks, 1)
	other.Run = "other"
	_, err := Create(dir, other, false)
	wantError(t, err, dir, "holds run sample, not other", "--force")
	if _, err := os.Stat(filepath.Join(dir, JournalFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a refused Create left a journal: %v", err)
	}
	r, err := Create(dir, other, true)
	if err != nil {
		t.Fatal(err)
	}
	row := sampleRow(0, "kv", 0, MultiTurn, full, 1)
	appendRows(t, r, []Row{row})
	r.Close()
	_, err = Create(dir, samplePlan(tasks, len(rows)), false)
	wantError(t, err, dir, "1 finished rows of an interrupted run other", "--force")
	r, err = Create(dir, other, false) // forced once, and cut off: goes on without force
	if err != nil {
		t.Fatal(err)
	}
	if !r.Has(row.Result.Key) {
		t.Error("the row of the forced run is lost")
	}
	finish(t, r)
	if m, err := ReadManifest(dir); err != nil || m.Run != "other" {
		t.Errorf("manifest of %q, %v", m.Run, err)
	}
}

func TestOneWriterAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	r := create(t, dir, 0)
	_, err := Create(dir, samplePlan(tasks, 0), true)
	wantError(t, err, "another scbench is writing "+dir)
	r.Close()
	create(t, dir, 0)
}

func TestCreateRefusesABadPlan(t *testing.T) {
	m := samplePlan(tasks, 0)
	m.Config = []byte("{")
	_, err := Create(t.TempDir(), m, false)
	wantError(t, err, "not valid JSON")
	m = samplePlan(tasks, 0)
	m.Run = ""
	_, err = Create(t.TempDir(), m, false)
	wantError(t, err, "needs an id")
}

// TestCutOffWhileFinishing has new results beside the manifest of old ones, as between two renames of Finish.
func TestCutOffWhileFinishing(t *testing.T) {
	rows := sweep()
	whole := finished(t, rows)
	dir := filepath.Join(t.TempDir(), "r")
	r := create(t, dir, len(rows))
	appendRows(t, r, rows[:17])
	if err := r.FinishPartial(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ResultsFile), read(t, whole, ResultsFile))
	write(t, filepath.Join(dir, TimingsFile+".tmp"), []byte("half"))
	_, err := ReadResults(filepath.Join(dir, ResultsFile))
	wantError(t, err, "not the file its run recorded", "start it again and it will complete")
	r = create(t, dir, len(rows))
	appendRows(t, r, rows[17:])
	finish(t, r)
	sameOutputs(t, whole, dir)
}
