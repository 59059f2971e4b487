package datasets

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// foreignTurn has what other writers use and we do not: optional fields, dictionaries, floats, booleans.
type foreignTurn struct {
	Input  string   `parquet:"input,dict"`
	Answer *string  `parquet:"answer,optional,plain"`
	Ratio  float64  `parquet:"ratio,plain"`
	Flag   *bool    `parquet:"flag,optional"`
	Labels []string `parquet:"labels,list,dict"`
}

type foreignRow struct {
	ID      int64         `parquet:"id,dict"`
	Context *string       `parquet:"context,optional,plain"`
	Turns   []foreignTurn `parquet:"multi_turns,list"`
	Plain   []int32       `parquet:"numbers,plain"` // a repeated field without a list around it
}

// foreignFile writes rows as another program might: with page headers of version, compressed by codec.
func foreignFile(t testing.TB, version, rows int, codec parquet.WriterOption) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := parquet.NewGenericWriter[foreignRow](&buf, parquet.DataPageVersion(version), codec, parquet.DefaultEncodingFor(parquet.ByteArray, &parquet.Plain))
	for i := range rows {
		text, flag := strings.Repeat(fmt.Sprintf("text %d ", i), 20), i%2 == 0
		turns := []foreignTurn{{Input: "q", Answer: &text, Ratio: 0.5, Flag: &flag, Labels: []string{"a", "b"}}, {Input: "q", Answer: &text}}
		if _, err := w.Write([]foreignRow{{int64(i), &text, turns, []int32{1, 2, int32(i)}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

var codecs = []struct {
	name string
	opt  parquet.WriterOption
}{
	{"none", parquet.Compression(&parquet.Uncompressed)},
	{"snappy", parquet.Compression(&parquet.Snappy)},
	{"gzip", parquet.Compression(&parquet.Gzip)},
	{"zstd", parquet.Compression(&parquet.Zstd)},
}

// TestForeignFiles reads what other writers make, page headers of both versions and all four codecs, small and in pages that are streamed.
func TestForeignFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.parquet")
	for _, version := range []int{1, 2} {
		for _, c := range codecs {
			for _, rows := range []int{1, 3, 2000} {
				if err := os.WriteFile(path, foreignFile(t, version, rows, c.opt), 0o600); err != nil {
					t.Fatal(err)
				}
				n := 0
				for l, err := range publishedRecords(path) {
					if err != nil {
						t.Fatalf("version %d, %s, row %d: %v", version, c.name, n, err)
					}
					text := strings.Repeat(fmt.Sprintf("text %d ", n), 20)
					want := fmt.Sprintf("[{id %d} {context %s} {multi_turns [[{input q} {answer %s} {ratio 0.5} {flag %t} {labels [a b]}] [{input q} {answer %s} {ratio 0} {flag <nil>} {labels []}]]} {numbers [1 2 %d]}]",
						n, text, text, n%2 == 0, text, n)
					if have := fmt.Sprint(l.rec); have != want {
						t.Fatalf("version %d, %s, row %d:\n%s\nwant\n%s", version, c.name, n, have, want)
					}
					n++
				}
				if n != rows {
					t.Errorf("version %d, %s: %d rows of %d", version, c.name, n, rows)
				}
			}
		}
	}
}
