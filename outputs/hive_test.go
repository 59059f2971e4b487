package outputs

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

// partitionRow is some of what a partition's file holds.
type partitionRow struct {
	Run     string  `parquet:"run"`
	Example string  `parquet:"example"`
	Turn    int32   `parquet:"turn"`
	History History `parquet:"history"`
}

// partitioned reads all keys below a folder, the folders' values decoded.
func partitioned(t *testing.T, dir string) (keys []Key, files int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		rel, _ := filepath.Rel(dir, path)
		var k Key
		for _, folder := range strings.Split(filepath.Dir(rel), string(filepath.Separator)) {
			name, value, _ := strings.Cut(folder, "=")
			value, err := url.PathUnescape(value)
			if err != nil {
				t.Error(err)
			}
			switch name {
			case "task":
				k.Task = value
			case "mode":
				k.Mode = Mode(value)
			case "method":
				k.Method = value
			default:
				t.Errorf("%s: partitioned by %s", path, name)
			}
		}
		rows, err := parquet.ReadFile[partitionRow](path)
		for _, r := range rows {
			k.Run, k.Example, k.Turn, k.History = r.Run, r.Example, r.Turn, r.History
			keys = append(keys, k)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys, files
}

func TestHive(t *testing.T) {
	run := finished(t, sweep())
	rows, err := ReadResults(filepath.Join(run, ResultsFile))
	if err != nil {
		t.Fatal(err)
	}
	var want []Key
	for _, r := range rows {
		want = append(want, r.Key)
	}
	order := func(a, b Key) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	slices.SortFunc(want, order)
	dir := filepath.Join(t.TempDir(), "below", "hive")
	if err := Hive(dir, run); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"results", "timings"} {
		got, files := partitioned(t, filepath.Join(dir, kind))
		slices.SortFunc(got, order)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-run +partitions):\n%s", kind, d)
		}
		cells := len(Summarize(rows).Cells)
		if files != cells {
			t.Errorf("%s: %d files of %d cells", kind, files, cells)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "results", "task=kv", "mode=multi-turn", "method=snapkv%3Abudget%3D256,window%3D32,kernel%3D5", "part-0.parquet")); err != nil {
		t.Error(err)
	}
	if err := Hive(dir, run); err == nil || !strings.Contains(err.Error(), "name a folder that does not") {
		t.Errorf("a folder that exists: %v", err)
	}
	if _, err := ReadResults(filepath.Join(dir, "results", "task=kv", "mode=multi-turn", "method=full", "part-0.parquet")); err == nil || !strings.Contains(err.Error(), "results partition") {
		t.Errorf("a partition passes for a run's file: %v", err)
	}
}

// TestHiveOfTwoRuns wants the rows of both, and none twice; a results file on its own has no timings.
func TestHiveOfTwoRuns(t *testing.T) {
	run := finished(t, sweep())
	lone := filepath.Join(t.TempDir(), "lone.parquet")
	write(t, lone, read(t, run, ResultsFile))
	dir := filepath.Join(t.TempDir(), "hive")
	if err := Hive(dir, run, lone); err != nil {
		t.Fatal(err)
	}
	one := len(sweep())
	if keys, _ := partitioned(t, filepath.Join(dir, "results")); len(keys) != 2*one {
		t.Errorf("%d rows of two runs of %d", len(keys), one)
	}
	if keys, _ := partitioned(t, filepath.Join(dir, "timings")); len(keys) != one {
		t.Errorf("%d timings of one run of %d", len(keys), one)
	}
}

func TestHiveLeavesNothingHalfDone(t *testing.T) {
	run := finished(t, sweep())
	data := read(t, run, TimingsFile)
	data[len(data)/2] ^= 1
	write(t, filepath.Join(run, TimingsFile), data)
	parent := t.TempDir()
	wantError(t, Hive(filepath.Join(parent, "hive"), run), "timings.parquet", "is not the file its run recorded")
	wantError(t, Hive(filepath.Join(parent, "hive"), filepath.Join(parent, "none")), "none")

	long := sweep()[:1]
	long[0].Result.Method = strings.Repeat("snapkv:", 40)
	res, _ := prepared(t, long)
	path := filepath.Join(t.TempDir(), "long.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteResults(f, res); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	wantError(t, Hive(filepath.Join(parent, "hive"), path), "method snapkv", "longer than the name of a folder")
	if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
