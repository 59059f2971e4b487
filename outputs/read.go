package outputs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// What a file we read may hold at most; the full benchmark with all methods has some 140,000 rows.
const (
	maxFileBytes = 4 << 30
	maxRows      = 16 << 20
)

// ReadResults returns all rows of a results file. The error names the file and what to do.
// See EachResult for what is checked.
func ReadResults(path string) ([]Result, error) {
	var rows []Result
	err := EachResult(path, func(r *Result) error { rows = append(rows, *r); return nil })
	return rows, err
}

// ReadTimings returns all rows of a timings file, as ReadResults does.
func ReadTimings(path string) ([]Timing, error) {
	var rows []Timing
	err := each(path, func(t *Timing) error { rows = append(rows, *t); return nil })
	return rows, err
}

// EachResult calls visit with the rows of a results file, in order, and stops at its first error. The row is the
// callee's to keep.
//
// Where the file lies in its run's folder, its hash must be the one the run recorded, so that a damaged file is found
// before it is parsed. A file on its own is checked for its frame, footer, schema and page checksums; its size and number
// of rows are bounded; a panic of the Parquet library becomes an error. When the last row was read, all rows must have the
// checksum they were written with: until EachResult returns nil, what visit saw is provisional. Pages crafted to
// unpack to many gigabytes are not defended against: do not read a lone file that you would not unzip.
func EachResult(path string, visit func(*Result) error) error { return each(path, visit) }

// EachTiming calls visit with the rows of a timings file, as EachResult does.
func EachTiming(path string, visit func(*Timing) error) error { return each(path, visit) }

func each[T record](path string, visit func(*T) error) error {
	f, size, _, err := openChecked[T](path)
	if err != nil {
		return err
	}
	defer f.Close()
	return scan(f, size, visit)
}

// openChecked opens a file of rows whose frame and footer are well formed, and which is the one that its run recorded, if one did.
func openChecked[T record](path string) (f *os.File, size int64, known bool, err error) {
	f, err = os.Open(path)
	if err != nil {
		return nil, 0, false, fmt.Errorf("outputs: cannot read %s rows: %w", kind[T](), err)
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, 0, false, fmt.Errorf("outputs: cannot read %s: %w", path, err)
	case !info.Mode().IsRegular():
		return nil, 0, false, fmt.Errorf("outputs: %s is not a file; name its %s.parquet", path, kind[T]())
	case info.Size() > maxFileBytes:
		return nil, 0, false, fmt.Errorf("outputs: %s has %d bytes, more than the %d that are read", path, info.Size(), int64(maxFileBytes))
	}
	if known, err = checkRecorded[T](f); err != nil {
		return nil, 0, false, err
	}
	if err = checkFooter(f, info.Size()); err != nil {
		return nil, 0, false, fmt.Errorf("outputs: %s: %w: %w", path, err, ErrCorrupt)
	}
	return f, info.Size(), known, nil
}

// checkRecorded compares the file with the hash that its run's folder records, if it lies in one; known says whether it does.
func checkRecorded[T record](f *os.File) (known bool, err error) {
	dir := filepath.Dir(f.Name())
	recorded, err := recordedFile(dir, filepath.Base(f.Name()))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	is, err := hashFile(f)
	if err != nil {
		return false, fmt.Errorf("outputs: cannot read %s: %w", f.Name(), err)
	}
	if is == recorded {
		return true, nil
	}
	advice := "run it again"
	if _, err := os.Stat(filepath.Join(dir, JournalFile)); err == nil {
		advice = "the run was cut off while it wrote; start it again and it will complete"
	}
	return true, fmt.Errorf("outputs: %s is not the file its run recorded; %s: %w", f.Name(), advice, ErrCorrupt)
}

// scan reads the rows of a checked file. It turns a panic of the library into an error.
func scan[T record](f *os.File, size int64, visit func(*T) error) (err error) {
	calling := false // in visit, whose panics are its own
	defer func() {
		if p := recover(); p != nil {
			if calling {
				panic(p)
			}
			err = fmt.Errorf("outputs: %s cannot be decoded (%v): %w", f.Name(), p, ErrCorrupt)
		}
	}()
	pf, err := parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("outputs: %s: %w: %w", f.Name(), err, ErrCorrupt)
	}
	if err := checkSchema[T](f.Name(), pf); err != nil {
		return err
	}
	r := parquet.NewGenericReader[T](pf)
	defer r.Close()
	version, _ := pf.Lookup(metaSchema)
	lacking := newer[T](version)
	sum := newRowSum()
	for {
		batch := make([]T, 64)
		n, err := r.Read(batch)
		for i := range batch[:n] {
			empty(&batch[i], lacking)
			if err := sum.add(batch[i]); err != nil {
				return fmt.Errorf("outputs: %s: a number is not finite: %w", f.Name(), ErrCorrupt)
			}
			calling = true
			if err := visit(&batch[i]); err != nil {
				return err
			}
			calling = false
		}
		if err == io.EOF {
			if want, _ := pf.Lookup(metaSum); sum.String() != want {
				return fmt.Errorf("outputs: %s: its rows are not those that were written: %w", f.Name(), ErrCorrupt)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("outputs: %s: %w: %w", f.Name(), err, ErrCorrupt)
		}
		if n == 0 {
			return fmt.Errorf("outputs: %s: reading stands still: %w", f.Name(), ErrCorrupt)
		}
	}
}

func checkSchema[T record](path string, pf *parquet.File) error {
	version, ours := pf.Lookup(metaSchema)
	is, _ := pf.Lookup(metaKind)
	switch {
	case !ours:
		return fmt.Errorf("outputs: %s is a Parquet file, but not one that scbench wrote", path)
	case is != kind[T]():
		return fmt.Errorf("outputs: %s holds %s, not %s", path, is, kind[T]())
	case !readable(version):
		return fmt.Errorf("outputs: %s has schema version %s, this scbench reads %d to %d; use the scbench that wrote it (column build)", path, Clean(version), oldestSchema, SchemaVersion)
	case pf.NumRows() > maxRows:
		return fmt.Errorf("outputs: %s claims %d rows, more than the %d that are read", path, pf.NumRows(), maxRows)
	case pf.Schema().String() != schemaOf[T](version).String():
		return fmt.Errorf("outputs: %s says schema version %s but has other columns: %w", path, version, ErrCorrupt)
	}
	return nil
}

// newer lists the fields of T that came after a version.
func newer[T record](version string) (index [][]int) {
	n, _ := strconv.Atoi(version)
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if !f.Anonymous && since(f) > n {
			index = append(index, f.Index)
		}
	}
	return index
}

// empty clears fields that the file lacks: where it lacks a list, the library makes one up that is as long as the row's next list.
func empty[T record](row *T, fields [][]int) {
	for _, index := range fields {
		f := reflect.ValueOf(row).Elem().FieldByIndex(index)
		f.SetZero()
		tidy(f)
	}
}

func readable(version string) bool {
	n, err := strconv.Atoi(version)
	return err == nil && n >= oldestSchema && n <= SchemaVersion && strconv.Itoa(n) == version
}

// schemaOf is the schema that files of Ts had at a version.
func schemaOf[T record](version string) *parquet.Schema {
	now := parquet.SchemaOf(new(T))
	n, _ := strconv.Atoi(version)
	if n == SchemaVersion {
		return now
	}
	was := narrowed(reflect.TypeFor[T](), func(f reflect.StructField) bool { return since(f) <= n })
	return parquet.NewSchema(now.Name(), parquet.SchemaOf(reflect.New(was).Interface()))
}
