package datasets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// A row group ends with the row that fills it, whichever of the two comes first, so that a reader holds a few contexts at a time.
// What is written depends on the rows alone, never on when they arrive.
const (
	groupBytes = 8 << 20
	groupRows  = 256
)

// Row is an example as it stands in a prepared set.
type Row struct {
	Index   int // from 0, in the order of the set; a built example is a function of seed, task, profile and this
	Tokens  int // length of the context in tokens of the counter that Provenance.Tokenizer names
	Example Example
}

// fileRow is the Parquet schema of a prepared set: plain strings, integers, lists and structs, which every reader knows.
type fileRow struct {
	ID            string     `parquet:"id"`
	Task          string     `parquet:"task"`
	Profile       string     `parquet:"profile"`
	Index         int64      `parquet:"index"`
	Context       string     `parquet:"context"`
	ContextTokens int32      `parquet:"context_tokens"`
	Turns         []fileTurn `parquet:"turns,list"`
}

type fileTurn struct {
	Input    string     `parquet:"input"`
	Answers  []string   `parquet:"answers,list"`
	Options  []string   `parquet:"options,list"`
	Part     string     `parquet:"part"`
	Evidence []fileSpan `parquet:"evidence,list"`
}

type fileSpan struct {
	Lo int64 `parquet:"lo"`
	Hi int64 `parquet:"hi"`
}

// Write writes a prepared set to path, one row per example, and returns p completed by the number of rows and the hash of
// their content. The same rows give the same bytes. The file appears whole or not at all: it is written under a temporary name
// in the same folder, synced and renamed; after an error or a cancellation of ctx nothing of it remains and an older file at path is
// untouched. Rows are streamed; their Index must count from 0. An error from rows is returned as it is.
func Write(ctx context.Context, path string, p Provenance, rows iter.Seq2[Row, error]) (Provenance, error) {
	err := replaceFile(path, func(w io.Writer) (err error) {
		p, err = writeRows(ctx, w, path, p, rows)
		return err
	})
	if err != nil {
		return Provenance{}, err
	}
	return p, nil
}

func writeRows(ctx context.Context, w io.Writer, path string, p Provenance, rows iter.Seq2[Row, error]) (Provenance, error) {
	out := parquet.NewGenericWriter[fileRow](w, writerOptions()...)
	content, held, n := newContentHash(), 0, 0
	for row, err := range rows {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return p, err
		}
		if err := checkRow(row, n); err != nil {
			return p, fmt.Errorf("%s: row %d: %w", path, n+1, err)
		}
		content.add(row)
		if _, err := out.Write([]fileRow{toFile(row)}); err != nil {
			return p, fmt.Errorf("%s: row %d: %w", path, n+1, err)
		}
		n++
		held += len(row.Example.Context)
		if held >= groupBytes || n%groupRows == 0 {
			if err := out.Flush(); err != nil {
				return p, fmt.Errorf("%s: %w", path, err)
			}
			held = 0
		}
	}
	if err := ctx.Err(); err != nil {
		return p, err
	}
	p.Rows, p.Content = n, content.sum()
	for _, kv := range p.pairs() {
		out.SetKeyValueMetadata(kv[0], kv[1])
	}
	if err := out.Close(); err != nil {
		return p, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// writerOptions keep long texts out of statistics and dictionaries: with parquet-go's defaults every page header would carry whole
// contexts as its bounds. PLAIN is the encoding that every reader streams.
func writerOptions() []parquet.WriterOption {
	opts := []parquet.WriterOption{
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}),
		parquet.DefaultEncodingFor(parquet.ByteArray, &parquet.Plain),
		parquet.CreatedBy("scbench", "1", "datasets"),
	}
	for _, text := range [][]string{
		{"context"},
		{"turns", "list", "element", "input"},
		{"turns", "list", "element", "answers", "list", "element"},
		{"turns", "list", "element", "options", "list", "element"},
	} {
		opts = append(opts, parquet.SkipPageBounds(text...), parquet.SkipPageStatistics(text...))
	}
	return opts
}

// checkRow refuses what the file could not hold or a reader would refuse.
func checkRow(row Row, index int) error {
	e := row.Example
	switch {
	case row.Index != index:
		return fmt.Errorf("field index: want %d, have %d; rows count from 0", index, row.Index)
	case row.Tokens < 0 || row.Tokens > math.MaxInt32:
		return fmt.Errorf("field context_tokens: %d is out of range", row.Tokens)
	case e.ID == "":
		return errors.New("field id: empty")
	case e.Context == "":
		return errors.New("field context: empty")
	case len(e.Turns) == 0:
		return errors.New("field turns: an example needs at least one turn")
	}
	for _, s := range []string{e.ID, e.Task, e.Profile, e.Context} {
		if !utf8.ValidString(s) {
			return errors.New("id, task, profile or context is not valid UTF-8")
		}
	}
	for i, t := range e.Turns {
		if err := checkTurn(t, len(e.Context)); err != nil {
			return fmt.Errorf("field turns[%d].%w", i, err)
		}
	}
	return nil
}

func checkTurn(t Turn, contextBytes int) error {
	if len(t.Answers) == 0 {
		return errors.New("answers: a turn needs at least one gold answer")
	}
	texts := append(append([]string{t.Input, t.Part}, t.Answers...), t.Options...)
	for _, s := range texts {
		if !utf8.ValidString(s) {
			return errors.New("input, part, answers or options: not valid UTF-8")
		}
	}
	for i, s := range t.Evidence {
		if s.Lo < 0 || s.Lo > s.Hi || s.Hi > contextBytes {
			return fmt.Errorf("evidence[%d]: [%d, %d) is not a range within the context of %d bytes", i, s.Lo, s.Hi, contextBytes)
		}
	}
	return nil
}

func toFile(r Row) fileRow {
	e := r.Example
	out := fileRow{ID: e.ID, Task: e.Task, Profile: e.Profile, Index: int64(r.Index), Context: e.Context, ContextTokens: int32(r.Tokens)}
	for _, t := range e.Turns {
		ft := fileTurn{Input: t.Input, Answers: t.Answers, Options: t.Options, Part: t.Part}
		for _, s := range t.Evidence {
			ft.Evidence = append(ft.Evidence, fileSpan{int64(s.Lo), int64(s.Hi)})
		}
		out.Turns = append(out.Turns, ft)
	}
	return out
}

// replaceFile puts what write produces at path, whole or not at all. An error of write is returned as it is.
func replaceFile(path string, write func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: the folder %s does not exist; create it or write elsewhere: %w", path, dir, err)
		}
		return fmt.Errorf("%s: cannot write in folder %s; check its permissions or write elsewhere: %w", path, dir, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := syncFolder(dir); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// syncFolder makes a rename in dir survive a power cut.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
