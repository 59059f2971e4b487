package datasets

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/zeebo/blake3"

	"scbench/datasets/metric"
)

// Importer is the version of the rules by which published rows become examples.
const Importer = "2"

// Imported reports on an import.
type Imported struct {
	Provenance
	Turns  int           // of all examples together; see PublishedCounts
	Unused []UnusedField // fields of the source that have no place in an Example, by path
}

// UnusedField is a field that was read and dropped: "repo", "multi_turns[].start_byte".
type UnusedField struct {
	Path  string
	Count int // how often it was there
}

// Import reads the published files of a task (Hugging Face microsoft/SCBench), JSON lines or Parquet, in the order given, and writes
// them to out as Write does. The rows of all files are numbered from 0, and that number is an example's ID.
//
// A row has its context in "context" or else in "input" (vt), as a text or as a list of integers (mf), which is written as Python
// writes it, "[1, 2, 3]"; its turns in "multi_turns", each with "input" and "answer": a text, a list of texts (vt) or an integer (mf). En.MultiChoice
// adds "options", with the answer as one of the texts; the mixed tasks add "task", which becomes Turn.Part without its
// prefix "scbench_"; the code tasks have "lang" and "repo", by which a turn's options become all functions that the files ask for of the
// same repository (the files are read twice). All other fields are dropped and counted. What is missing or of another type is an error that names file, row (from
// 1; in JSON lines the line) and field.
// Same as the reference, but for its silence: a row that does not fit ends the import.
func Import(ctx context.Context, task Task, paths []string, out string, c Counter) (Imported, error) {
	kind, err := publishedKind(task.Name)
	if err != nil {
		return Imported{}, err
	}
	if len(paths) == 0 {
		return Imported{}, fmt.Errorf("import %s: no file is named", task.Name)
	}
	var sources []string
	for _, path := range paths {
		sum, err := hashFile(path)
		if err != nil {
			return Imported{}, err
		}
		sources = append(sources, filepath.Base(path)+" "+sum)
	}
	n := normaliser{kind: kind, unused: map[string]int{}}
	p := Provenance{Task: task.Name, Profile: "published", Generator: "import " + Importer, Tokenizer: c.Hash, Source: strings.ToValidUTF8(strings.Join(sources, ", "), "?")}
	if kind.code {
		if err := n.readPools(paths); err != nil {
			return Imported{}, err
		}
	}
	turns := 0
	p, err = Write(ctx, out, p, func(yield func(Row, error) bool) {
		for row, err := range n.rows(paths, c) {
			if turns += len(row.Example.Turns); !yield(row, err) {
				return
			}
		}
	})
	if err != nil {
		return Imported{}, err
	}
	return Imported{p, turns, n.report()}, nil
}

// hashFile returns the BLAKE3 of a file.
func hashFile(path string) (string, error) {
	if _, err := formatOf(path); err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := blake3.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// normaliser turns records of published files into rows.
type normaliser struct {
	kind   publishedTask
	unused map[string]int
	pools  map[string]metric.Pool // code tasks: for each repository the functions that are asked for
}

// rows reads all files, one after the other.
func (n normaliser) rows(paths []string, c Counter) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		index := 0
		for _, path := range paths {
			for l, err := range publishedRecords(path) {
				row := Row{Index: index}
				if err == nil {
					row.Example, err = n.example(place{file: path, row: l.number}, l.rec)
				}
				if err != nil {
					yield(Row{}, err)
					return
				}
				row.Example.ID = strconv.Itoa(index)
				row.Tokens = c.tokens(row.Example.Context)
				if !yield(row, nil) {
					return
				}
				index++
			}
		}
		if index == 0 {
			yield(Row{}, errors.New("the files have no rows; download them again"))
		}
	}
}

// publishedRecords yields the rows of one file, whatever its format.
func publishedRecords(path string) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		kind, err := formatOf(path)
		if err != nil {
			yield(line{}, err)
			return
		}
		if kind == formatJSONL {
			jsonLines(path)(yield)
			return
		}
		f, err := openParquet(path)
		if err != nil {
			yield(line{}, err)
			return
		}
		defer f.Close()
		number := 0
		for rec, err := range f.rows() {
			number++
			if !yield(line{number, rec}, err) {
				return
			}
		}
	}
}
