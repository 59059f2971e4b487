package outputs

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// LiveFile is in a run's folder as long as the run goes on.
const LiveFile = "live.json"

// Live is what a run that goes on tells of itself, beside the rows in its journal.
type Live struct {
	Host   string      `json:"host"`
	PID    int         `json:"pid"`
	At     time.Time   `json:"at"`    // when this was written
	Since  time.Time   `json:"since"` // when the run was started, or started again
	Had    int         `json:"had"`   // rows that were there then
	Items  int         `json:"items"` // that go through the stages if nothing was there: contexts
	Tasks  []LiveTask  `json:"tasks"` // in the order in which they are run
	Stages []LiveStage `json:"stages"`
	Memory LiveMemory  `json:"memory"`
}

// LiveTask is how many rows a task will have.
type LiveTask struct {
	Task string `json:"task"`
	Rows int    `json:"rows"`
}

// LiveStage is what a stage of the pipeline has done so far: see pipeline.Stat. Times are in seconds.
type LiveStage struct {
	Name    string  `json:"name"`
	Workers int     `json:"workers"`
	In      int64   `json:"in"`
	Out     int64   `json:"out"`
	Busy    float64 `json:"busy_s"`
	WaitIn  float64 `json:"wait_in_s"`
	WaitOut float64 `json:"wait_out_s"`
}

// LiveMemory is the budget of KV caches, in bytes.
type LiveMemory struct {
	InUse int64 `json:"in_use"`
	Peak  int64 `json:"peak"`
	Limit int64 `json:"limit"`
}

// Write puts the state in the run's folder dir, by rename, so that a reader finds a whole one.
func (l Live) Write(dir string) error {
	b, err := json.MarshalIndent(l, "", " ")
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, LiveFile+".tmp")
	if err := os.WriteFile(tmp, append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, LiveFile))
}

// RemoveLive takes the state away when a run has ended.
func RemoveLive(dir string) error {
	err := os.Remove(filepath.Join(dir, LiveFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// maxLive bounds the state: it has a line for each task and stage.
const maxLive = 1 << 20

// ReadLive reads the state of a run that goes on; nil if the folder has none.
func ReadLive(dir string) (*Live, error) {
	path := filepath.Join(dir, LiveFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > maxLive {
		return nil, fmt.Errorf("%s has %d bytes, which no state of a run has", path, info.Size())
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // it has just ended
	}
	if err != nil {
		return nil, err
	}
	var l Live
	if err := json.Unmarshal(b, &l); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &l, nil
}

// Follower reads the rows of a run while another process, or goroutine, writes them.
type Follower struct {
	Manifest Manifest // as it was when the run began, or, once it has Finished, as it is
	Rows     []Result // so far, without texts: predictions, answers and errors
	Finished bool     // the run has ended and its files are whole

	dir     string
	started time.Time   // of the journal, which tells one from another
	end     int64       // how far the journal was read
	torn    int         // times that a frame was found damaged there
	at      map[Key]int // where the row of a query is
}

// Follow follows the run in dir. It is an error if there is none.
func Follow(dir string) (*Follower, error) {
	f := &Follower{dir: dir}
	if err := f.Read(); err != nil {
		return nil, err
	}
	return f, nil
}

// Read takes in the rows that have come since the last Read.
func (f *Follower) Read() error {
	if f.Finished {
		return nil
	}
	err := f.readJournal()
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	m, err := ReadManifest(f.dir)
	if err != nil {
		return fmt.Errorf("no run in %s: %w", f.dir, err)
	}
	var rows []Result
	if err := EachResult(filepath.Join(f.dir, ResultsFile), func(r *Result) error {
		rows = append(rows, r.bare())
		return nil
	}); err != nil {
		return err
	}
	f.Manifest, f.Rows, f.Finished = m, rows, true
	return nil
}

// readJournal reads on where it was left, or from the beginning if it is another.
func (f *Follower) readJournal() error {
	file, err := os.Open(filepath.Join(f.dir, JournalFile))
	if err != nil {
		return err
	}
	defer file.Close()
	var head journalHead
	var first int64 // where the rows begin
	_, err = scanJournal(file, func(offset int64, payload []byte) error {
		first = offset + frameHeader + int64(len(payload))
		return cmp.Or(decode(file.Name(), offset, payload, &head), errSeen)
	})
	if err == nil {
		return nil // it is only just being made
	}
	if err != errSeen {
		return err
	}
	if head.SchemaVersion != SchemaVersion {
		return fmt.Errorf("outputs: %s has schema version %d, and this scbench reads %d; look at it with build %q", file.Name(), head.SchemaVersion, SchemaVersion, head.Manifest.Build)
	}
	if !head.Started.Equal(f.started) || f.end == 0 {
		f.started, f.end, f.Rows, f.Manifest, f.at = head.Started, first, nil, head.Manifest, map[Key]int{}
	}
	end, err := scanJournalFrom(file, f.end, func(offset int64, payload []byte) error {
		var row Row
		if err := decode(file.Name(), offset, payload, &row); err != nil {
			return err
		}
		f.enter(row.Result.bare())
		return nil
	})
	if errors.Is(err, ErrCorrupt) && f.torn < patience {
		f.torn, err = f.torn+1, nil // a frame that is just being written reads so
	} else if err == nil {
		f.torn = 0
	}
	f.end = end
	return err
}

// patience is how often a frame may be found damaged before it counts as that.
const patience = 5

// enter takes a row in, in the place of an earlier one of the same query: what there was no room or time for is tried again.
func (f *Follower) enter(r Result) {
	if i, again := f.at[r.Key]; again {
		f.Rows[i] = r
		return
	}
	f.at[r.Key] = len(f.Rows)
	f.Rows = append(f.Rows, r)
}

// errSeen ends a scan that has seen enough.
var errSeen = errors.New("seen")

// bare is a row without its texts.
func (r *Result) bare() Result {
	b := *r
	b.Prediction, b.PredictionRaw, b.Answers, b.Error = "", "", nil, nil
	return b
}
