package outputs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// partitionedBy are the columns that the folders of a partitioned copy say, and its files do not: readers add them, and some will
// not have a column twice.
var partitionedBy = []string{"Task", "Mode", "Method"}

// Hive writes the rows of runs (their folders, or results files) as a new folder of files that are partitioned as Hive does:
//
//	DIR/results/task=kv/mode=multi-turn/method=snapkv%3Abudget%3D256/part-0.parquet
//	DIR/timings/task=kv/mode=multi-turn/method=snapkv%3Abudget%3D256/part-0.parquet
//
// DuckDB, pandas, pyarrow and Polars read each of the two as one table with all documented columns, and skip the folders that a
// query rules out. Values are percent-encoded, as these readers expect. The folder appears when it is complete; one that exists is an
// error, since the partitions of another run would mix with these. Timings are left out where a run has none.
func Hive(dir string, runs ...string) error {
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("outputs: %s exists (%v); name a folder that does not, or remove it", dir, cmp.Or(err, fs.ErrExist))
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	draft, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".*.tmp")
	if err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	defer os.RemoveAll(draft)
	results, timings := newPartitions[Result](draft), newPartitions[Timing](draft)
	for _, run := range runs {
		if err := results.copy(run, ResultsFile, func(r *Result) Key { return r.Key }); err != nil {
			return err
		}
		beside := run
		if info, err := os.Stat(run); err == nil && !info.IsDir() {
			beside = filepath.Dir(run)
		}
		err := timings.copy(beside, TimingsFile, func(t *Timing) Key { return t.Key })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Chmod(draft, 0o755); err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	if err := os.Rename(draft, dir); err != nil {
		return fmt.Errorf("outputs: cannot put %s in place: %w", dir, err)
	}
	return syncDir(parent)
}

// partitions writes the rows of one kind. Those of one task are open at a time: rows come by task, and hundreds of others would
// only hold memory.
type partitions[T Result | Timing] struct {
	dir    string
	shape  reflect.Type
	schema *parquet.Schema
	task   string
	open   map[string]*partition // by folder
	order  []string              // their folders, as first seen
	parts  map[string]int        // files begun, by folder
}

// partition is a file that is being written.
type partition struct {
	file *draft
	rows *parquet.Writer
}

func newPartitions[T Result | Timing](dir string) *partitions[T] {
	shape := narrowed(reflect.TypeFor[T](), func(f reflect.StructField) bool { return !slices.Contains(partitionedBy, f.Name) })
	return &partitions[T]{dir: filepath.Join(dir, kind[T]()), shape: shape, parts: map[string]int{}, open: map[string]*partition{},
		schema: parquet.NewSchema(kind[T](), parquet.SchemaOf(reflect.New(shape).Interface()))}
}

// copy adds the rows of a file of a run.
func (p *partitions[T]) copy(run, name string, key func(*T) Key) error {
	if info, err := os.Stat(run); err == nil && info.IsDir() {
		run = filepath.Join(run, name)
	}
	err := each(run, func(row *T) error { return p.add(key(row), reflect.ValueOf(row).Elem()) })
	if err != nil {
		p.discard()
		return err
	}
	return p.flush()
}

func (p *partitions[T]) add(k Key, row reflect.Value) error {
	if k.Task != p.task {
		if err := p.flush(); err != nil {
			return err
		}
		p.task = k.Task
	}
	part, err := p.part(k)
	if err != nil {
		return err
	}
	out := reflect.New(p.shape).Elem()
	for i := range p.shape.NumField() {
		out.Field(i).Set(row.FieldByName(p.shape.Field(i).Name))
	}
	return part.rows.Write(out.Interface())
}

// part is the file for a key.
func (p *partitions[T]) part(k Key) (*partition, error) {
	var folders []string
	for _, c := range [][2]string{{"task", k.Task}, {"mode", string(k.Mode)}, {"method", k.Method}} {
		name := c[0] + "=" + hiveValue(c[1])
		if len(name) > 255 {
			return nil, fmt.Errorf("outputs: %s %s is longer than the name of a folder may be; DuckDB reads the run's own files as well", c[0], Clean(c[1]))
		}
		folders = append(folders, name)
	}
	folder := filepath.Join(p.dir, filepath.Join(folders...))
	if have, ok := p.open[folder]; ok {
		return have, nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("outputs: %w", err)
	}
	file, err := newDraft(folder, "part-"+strconv.Itoa(p.parts[folder])+".parquet")
	if err != nil {
		return nil, err
	}
	options := append(fileOptions(), p.schema, parquet.KeyValueMetadata(metaKind, kind[T]()+" partition"))
	part := &partition{file, parquet.NewWriter(file, options...)}
	p.parts[folder]++
	p.open[folder], p.order = part, append(p.order, folder)
	return part, nil
}

// flush completes the files that are open.
func (p *partitions[T]) flush() error {
	for i, folder := range p.order {
		part := p.open[folder]
		done, err := File{}, part.rows.Close()
		if err == nil {
			done, err = part.file.seal()
		}
		if err == nil {
			err = publish(folder, done)
		}
		if err != nil {
			p.order = p.order[i:]
			p.discard()
			return fmt.Errorf("outputs: cannot write %s: %w", folder, err)
		}
	}
	p.order = nil
	clear(p.open)
	return nil
}

func (p *partitions[T]) discard() {
	for _, folder := range p.order {
		p.open[folder].file.discard()
	}
	p.order = nil
	clear(p.open)
}

// hiveValue percent-encodes what may not stand in the name of a folder, or in Hive's name=value.
func hiveValue(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.,", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
