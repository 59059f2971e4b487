package outputs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Spent says what the run took, for the clock file that Finish and FinishPartial write.
func (r *Run) Spent(c Cost) { r.cost = &c }

// Finish writes the run's files, sorted by key, removes the journal and closes the run. It is an error to finish with
// fewer rows than planned: FinishPartial says so in the manifest instead. On an error the journal stays, and nothing is lost.
func (r *Run) Finish() error {
	if c := r.m.Counts; c.Planned > 0 && c.Rows != c.Planned {
		return fmt.Errorf("outputs: the run has %d rows where %d were planned; FinishPartial writes those", c.Rows, c.Planned)
	}
	if err := r.write(Complete); err != nil {
		return err
	}
	err := r.journal.f.Close() // before its removal, which some systems refuse for an open file
	r.journal.f = nil
	return errors.Join(err, os.Remove(filepath.Join(r.dir, JournalFile)), syncDir(r.dir), r.Close())
}

// FinishPartial writes all rows finished so far to the same files, with the status interrupted, and closes the run. The last
// example may lack turns or methods; the counts say how many rows are there of how many planned. The journal stays: Create
// goes on after it, and the files of the then complete run are those of a run that was never interrupted.
func (r *Run) FinishPartial() error {
	return errors.Join(r.Sync(), r.write(Interrupted), r.Close())
}

// write drafts all files, then renames them into place, the manifest last: what it lists is there.
func (r *Run) write(status RunStatus) error {
	if r.journal.f == nil {
		return errors.New("outputs: the run is closed")
	}
	results, timings, err := r.writeTables()
	if err != nil {
		return err
	}
	config, err := writeJSON(r.dir, ConfigFile, r.m.Config)
	if err != nil {
		return err
	}
	clock, err := writeJSON(r.dir, ClockFile, Clock{r.m.Run, r.started, time.Now().UTC(), []File{timings}, r.cost})
	if err != nil {
		return err
	}
	m := r.m
	m.Status, m.Files = status, []File{results, config}
	manifest, err := writeJSON(r.dir, ManifestFile, m)
	if err != nil {
		return err
	}
	return publish(r.dir, results, timings, config, clock, manifest)
}

// writeTables streams the rows from the journal into the two Parquet files, in the order of their keys.
func (r *Run) writeTables() (results, timings File, err error) {
	rd, err := newDraft(r.dir, ResultsFile)
	if err != nil {
		return results, timings, err
	}
	td, err := newDraft(r.dir, TimingsFile)
	if err != nil {
		rd.discard()
		return results, timings, err
	}
	rw, tw := newRowWriter[Result](rd), newRowWriter[Timing](td)
	index := slices.Clone(r.index)
	slices.SortFunc(index, func(a, b entry) int { return r.m.Order.compare(a.key, b.key) })
	for _, e := range index {
		if err = r.copyRow(e.offset, rw, tw); err != nil {
			break
		}
	}
	if err = errors.Join(err, rw.close(), tw.close()); err != nil {
		rd.discard()
		td.discard()
		return results, timings, fmt.Errorf("outputs: cannot write the files of %s (finished rows are safe in the journal): %w", r.dir, err)
	}
	results, err = rd.seal()
	timings, err2 := td.seal()
	return results, timings, errors.Join(err, err2)
}

func (r *Run) copyRow(offset int64, rw *rowWriter[Result], tw *rowWriter[Timing]) error {
	payload, err := r.journal.read(offset)
	if err != nil {
		return err
	}
	var row Row
	if err := decode(r.journal.f.Name(), offset, payload, &row); err != nil {
		return err
	}
	return errors.Join(rw.write(row.Result), tw.write(row.Timing))
}
