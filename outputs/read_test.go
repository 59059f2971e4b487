package outputs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

func TestReadSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.parquet")
	_, err := ReadResults(path)
	wantError(t, err, path)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not wrap fs.ErrNotExist", err)
	}
	_, err = ReadResults(dir)
	wantError(t, err, dir, "not a file", "results.parquet")

	res, tim := prepared(t, sweep()[:3])
	var whole, timings, foreign, later bytes.Buffer
	if err := errors.Join(WriteResults(&whole, res), WriteTimings(&timings, tim), parquet.Write(&foreign, []struct{ A int }{{1}})); err != nil {
		t.Fatal(err)
	}
	if err := parquet.Write(&later, res, parquet.KeyValueMetadata(metaSchema, "99"), parquet.KeyValueMetadata(metaKind, "results")); err != nil {
		t.Fatal(err)
	}
	var narrow bytes.Buffer
	if err := parquet.Write(&narrow, []Key{{}}, parquet.KeyValueMetadata(metaSchema, strconv.Itoa(SchemaVersion)), parquet.KeyValueMetadata(metaKind, "results")); err != nil {
		t.Fatal(err)
	}
	huge := bytes.Clone(whole.Bytes())
	binary.LittleEndian.PutUint32(huge[len(huge)-8:], 1<<31)
	for want, data := range map[string][]byte{
		"has 0 bytes":                       nil,
		"may have been cut off":             whole.Bytes()[:whole.Len()-1],
		"does not begin":                    []byte("scbench,results,as,csv"),
		"footer claims 2147483648 bytes":    huge,
		"not one that scbench wrote":        foreign.Bytes(),
		"holds timings, not results":        timings.Bytes(),
		"has schema version 99, this scben": later.Bytes(),
		"has other columns":                 narrow.Bytes(),
	} {
		write(t, path, data)
		_, err := ReadResults(path)
		wantError(t, err, path, want)
	}
	write(t, path, whole.Bytes())
	stop := errors.New("enough")
	n := 0
	if err := EachResult(path, func(*Result) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("EachResult went on to row %d, %v", n, err)
	}
}

// TestDamagedRunIsNeverParsed flips a bit in every part of the files of a run: their recorded hash finds all of them.
func TestDamagedRunIsNeverParsed(t *testing.T) {
	dir := finished(t, sweep())
	for _, name := range []string{ResultsFile, TimingsFile} {
		path := filepath.Join(dir, name)
		data := read(t, path)
		var err error
		for i := 0; i < len(data); i += 101 {
			bad := bytes.Clone(data)
			bad[i] ^= 1 << (i % 8)
			write(t, path, bad)
			if name == ResultsFile {
				_, err = ReadResults(path)
			} else {
				_, err = ReadTimings(path)
			}
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s, byte %d: %v", name, i, err)
			}
		}
		wantError(t, err, path, "is not the file its run recorded; run it again")
		write(t, path, data)
	}
	write(t, filepath.Join(dir, ManifestFile), []byte("{"))
	_, err := ReadResults(filepath.Join(dir, ResultsFile))
	wantError(t, err, ManifestFile, "damaged")
}

// TestDamagedLoneFile reads files without a recorded hash: an error or the true rows may come back, no panic and no other rows.
func TestDamagedLoneFile(t *testing.T) {
	res, _ := prepared(t, sweep()[:2])
	var b bytes.Buffer
	if err := WriteResults(&b, res); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "lone.parquet")
	step := 211
	if os.Getenv("SCBENCH_EVERY_BYTE") != "" {
		step = 1
	}
	found := 0
	tries := 0
	for i := 0; i < b.Len(); i += step {
		for _, flip := range []byte{1, 0x80, 0xFF} {
			bad := bytes.Clone(b.Bytes())
			bad[i] ^= flip
			write(t, path, bad)
			tries++
			got, err := ReadResults(path)
			if err != nil {
				found++
			} else if !cmp.Equal(got, res) {
				t.Errorf("byte %d ^ %#x: wrong rows went unnoticed: %s", i, flip, cmp.Diff(res, got))
			}
		}
	}
	t.Logf("%d of %d damaged files were refused", found, tries)
	if found < tries/3 { // the others hit what a reader does not need, such as statistics
		t.Errorf("only %d of %d damaged files were refused", found, tries)
	}
}

func TestFooterWalk(t *testing.T) {
	for name, footer := range map[string][]byte{
		"list longer than the footer":   {0x19, 0xFC, 0xFF, 0xFF, 0xFF, 0x7F, 0},
		"string longer than the footer": {0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0},
		"a map":                         {0x1B, 1, 0x88, 0},
		"too deep":                      append(bytes.Repeat([]byte{0x1C}, 40), make([]byte, 41)...),
		"no end":                        {0x15, 2},
		"an endless number":             append([]byte{0x15}, bytes.Repeat([]byte{0xFF}, 12)...),
		"bytes after the end":           {0, 0},
	} {
		file := append([]byte("PAR1"), footer...)
		file = binary.LittleEndian.AppendUint32(file, uint32(len(footer)))
		file = append(file, "PAR1"...)
		if err := checkFooter(bytes.NewReader(file), int64(len(file))); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
