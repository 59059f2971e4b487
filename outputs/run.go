package outputs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Run is the folder of a run that is being written. One goroutine writes; Has and Counts may be called from others.
type Run struct {
	dir     string
	lock    *os.File
	journal journal
	index   []entry // where each row stands in the journal, as they came

	mu      sync.Mutex // of what follows
	m       Manifest
	seen    map[Key]struct{} // keys of index; only looked up
	started time.Time
	cost    *Cost
}

type entry struct {
	key    Key
	offset int64
}

// journalHead is the journal's first frame.
type journalHead struct {
	SchemaVersion int       `json:"schema_version"`
	Started       time.Time `json:"started"`
	Manifest      Manifest  `json:"manifest"`
}

// Create opens the folder dir for the run m and makes it if need be.
//
// What is there already decides: a journal of the same run (same id and build) is continued, so that its rows need not be
// computed again, see Has (refused and timed out ones are); finished files of the same run stay until Finish replaces them, with the same bytes; anything of
// another run is an error unless force is set, which also drops a journal. The error says which folder, and what to do.
func Create(dir string, m Manifest, force bool) (*Run, error) {
	config, err := canonical(m.Config)
	if err != nil {
		return nil, fmt.Errorf("outputs: the run's configuration is not valid JSON: %w", err)
	}
	if m.Run == "" {
		return nil, errors.New("outputs: a run needs an id; see RunID")
	}
	m.Config, m.SchemaVersion, m.Files, m.Status = config, SchemaVersion, nil, Interrupted
	m.Counts = Counts{Planned: m.Counts.Planned}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, unwritable(dir, err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	r := &Run{dir: dir, m: m, lock: lock, seen: map[Key]struct{}{}}
	if err := r.open(force); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func unwritable(dir string, err error) error {
	return fmt.Errorf("outputs: cannot write the run's folder %s: %w; choose a folder that you can write with --out", dir, err)
}

// open finds or starts the journal.
func (r *Run) open(force bool) error {
	f, err := os.OpenFile(filepath.Join(r.dir, JournalFile), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return unwritable(r.dir, err)
	}
	r.journal.f = f
	if force {
		if err := f.Truncate(0); err != nil {
			return unwritable(r.dir, err)
		}
	}
	head, end, err := readJournal(f, func(offset int64, row Row) error {
		if s := row.Result.Status; s == Refused || s == TimedOut {
			return nil // what there was no room or time for is tried again
		}
		return r.enter(offset, row.Result.Key, row.Result.Status)
	})
	if err != nil {
		return err
	}
	if head != nil {
		return r.resume(*head, end)
	}
	if err := r.checkFinished(force); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return r.start()
}

// resume goes on after a journal that readJournal entered, and cuts off its torn tail.
func (r *Run) resume(head journalHead, end int64) error {
	if was := head.Manifest; was.Run != r.m.Run || was.Build != r.m.Build {
		return fmt.Errorf("outputs: %s holds %d finished rows of an interrupted run %s (build %q), not of this run %s (build %q); "+
			"choose another folder with --out, or drop them with --force", r.dir, len(r.index), was.Run, was.Build, r.m.Run, r.m.Build)
	}
	r.started, r.journal.end = head.Started, end
	return r.journal.f.Truncate(end)
}

// checkFinished refuses a folder that holds the files of another run.
func (r *Run) checkFinished(force bool) error {
	m, err := ReadManifest(r.dir)
	switch {
	case force || errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w; choose another folder with --out, or write over it with --force", err)
	case m.Run != r.m.Run:
		return fmt.Errorf("outputs: %s holds run %s, not %s; choose another folder with --out, or write over it with --force", r.dir, m.Run, r.m.Run)
	}
	return nil
}

func (r *Run) start() error {
	r.started = time.Now().UTC()
	head, err := json.Marshal(journalHead{SchemaVersion, r.started, r.m})
	if err != nil {
		return fmt.Errorf("outputs: starting the journal: %w", err)
	}
	if err := r.journal.f.Truncate(0); err != nil {
		return unwritable(r.dir, err)
	}
	if _, err := r.journal.append(head); err != nil {
		return err
	}
	return errors.Join(r.Sync(), syncDir(r.dir))
}

// Has reports whether the journal holds a row for the query; k.Run is ignored. A run that was continued need not
// compute it again.
func (r *Run) Has(k Key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	k.Run = r.m.Run
	_, ok := r.seen[k]
	return ok
}

// Counts returns the numbers of rows so far, those of a continued journal included.
func (r *Run) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.m.Counts
}

// Append stores one finished query. When it returns nil, the row survives the death of the process; when the next example
// begins, or after Sync, a power cut too. Rows may come in any order.
// It fills res.Run, res.SchemaVersion, res.AttentionShare and t.Key, and refuses a row that contradicts itself or
// that is there already; the journal stays valid.
func (r *Run) Append(res Result, t Timing) error {
	if r.journal.f == nil {
		return errors.New("outputs: the run is closed")
	}
	if err := prepare(r.m.Run, &res, &t); err != nil {
		return err
	}
	if r.Has(res.Key) {
		return fmt.Errorf("outputs: row %s is there already", res.label())
	}
	payload, err := json.Marshal(Row{res, t})
	if err != nil {
		return fmt.Errorf("outputs: row %s: %w", res.label(), err)
	}
	if n := len(r.index); n > 0 && (r.index[n-1].key.Example != res.Example || r.index[n-1].key.Task != res.Task) {
		if err := r.Sync(); err != nil {
			return err
		}
	}
	offset, err := r.journal.append(payload)
	if err != nil {
		return err
	}
	return r.enter(offset, res.Key, res.Status)
}

// enter makes a row of the journal known.
func (r *Run) enter(offset int64, k Key, s Status) error {
	if r.Has(k) {
		return corrupt(r.journal.f.Name(), offset, "the row "+k.label()+" is there twice")
	}
	r.index = append(r.index, entry{k, offset})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[k] = struct{}{}
	r.m.Counts.add(s)
	return nil
}

// Sync forces all rows so far to the disk.
func (r *Run) Sync() error {
	if err := r.journal.f.Sync(); err != nil {
		return fmt.Errorf("outputs: syncing the journal in %s: %w", r.dir, err)
	}
	return nil
}

// Close lets go of the folder and leaves the journal for a later Create. After Finish or FinishPartial it does nothing.
func (r *Run) Close() error {
	var err error
	if r.journal.f != nil {
		err = r.journal.f.Close()
	}
	if r.lock != nil {
		err = errors.Join(err, r.lock.Close())
	}
	r.journal.f, r.lock = nil, nil
	return err
}

// Recover reads the journal that a crash or an interruption left in dir: the manifest the run was started with and its
// finished rows, in the order they came. It changes nothing. A tail cut off by the crash is passed over. Damage before it is
// an error that wraps ErrCorrupt and names the offset; the rows before it are returned with it.
func Recover(dir string) (Manifest, []Row, error) {
	f, err := os.Open(filepath.Join(dir, JournalFile))
	if err != nil {
		return Manifest{}, nil, fmt.Errorf("outputs: no interrupted run in %s: %w", dir, err)
	}
	defer f.Close()
	var rows []Row
	head, _, err := readJournal(f, func(_ int64, row Row) error { rows = append(rows, row); return nil })
	if head == nil {
		return Manifest{}, rows, err
	}
	return head.Manifest, rows, err
}

// readJournal reads the head, nil if a crash left none, and visits the rows. It returns where the whole frames end.
func readJournal(f *os.File, visit func(offset int64, row Row) error) (head *journalHead, end int64, err error) {
	kept := 0
	end, err = scanJournal(f, func(offset int64, payload []byte) error {
		if head == nil {
			head = new(journalHead)
			if err := decode(f.Name(), offset, payload, head); err != nil || head.SchemaVersion == SchemaVersion {
				return err
			}
			return fmt.Errorf("outputs: %s has schema version %d, this scbench writes %d; finish the run with build %q, or start anew with --force",
				f.Name(), head.SchemaVersion, SchemaVersion, head.Manifest.Build)
		}
		var row Row
		if err := decode(f.Name(), offset, payload, &row); err != nil {
			return err
		}
		kept++
		return visit(offset, row)
	})
	switch {
	case errors.Is(err, ErrCorrupt) && kept == 0:
		err = fmt.Errorf("%w; no row stands before it: start anew with --force", err)
	case errors.Is(err, ErrCorrupt):
		err = fmt.Errorf("%w; keep the %d rows before it with `truncate -s %d %s`, or start anew with --force", err, kept, end, f.Name())
	}
	return head, end, err
}

// decode reads a payload that has its checksum: only another version of scbench can have written one that does not fit.
func decode(path string, offset int64, payload []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return corrupt(path, offset, "the frame is not one that this scbench writes: "+err.Error())
	}
	return nil
}
