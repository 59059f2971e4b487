package datasets

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tinySet is the file of a prepared set of a few rows, with its rows.
func tinySet(t testing.TB, examples int) ([]byte, []Row) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tiny.parquet")
	seq, err := Generate(context.Background(), fake, BuildOptions{Profile: "1k", Examples: examples})
	if err != nil {
		t.Fatal(err)
	}
	var rows []Row
	for r, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		r.Example.Context = r.Example.Context[:100]
		for i := range r.Example.Turns {
			r.Example.Turns[i].Evidence = []Span{{i, 9}}
		}
		rows = append(rows, r)
	}
	if _, err := Write(context.Background(), path, Provenance{Task: "fake"}, seqOf(rows)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b, rows
}

// allocated is the number of bytes that the process has allocated so far.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

const maxAllocation = 256 << 20

// overwrite puts b into the file at path. It overwrites in place: replacing a file makes some file systems wait for the disk.
func overwrite(t testing.TB, path string, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Size() != int64(len(b)) {
		err = f.Truncate(int64(len(b)))
	}
	if err == nil {
		_, err = f.WriteAt(b, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// verifyHostile verifies a file of these bytes. It fails the test if that takes much memory or if an error does not name the file.
func verifyHostile(t testing.TB, path string, b []byte) (Report, error) {
	t.Helper()
	overwrite(t, path, b)
	before := allocated()
	r, err := Verify(path)
	if used := allocated() - before; used > maxAllocation {
		t.Errorf("%d bytes allocated", used)
	}
	if err != nil && !strings.Contains(err.Error(), path) {
		t.Errorf("the error does not name the file: %v", err)
	}
	return r, err
}

// TestMutants changes every byte of a prepared set in three ways. Each mutant has to be refused or to have the very rows that
// were written, and none may take the process down or ask for much memory.
func TestMutants(t *testing.T) {
	file, rows := tinySet(t, 2)
	h := newContentHash()
	for _, r := range rows {
		h.add(r)
	}
	want, path, refused := h.sum(), filepath.Join(t.TempDir(), "mutant.parquet"), 0
	for i := range file {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			b := bytes.Clone(file)
			b[i] ^= flip
			r, err := verifyHostile(t, path, b)
			if err != nil {
				refused++
			} else if r.HaveContent != want || r.HaveRows != len(rows) {
				t.Fatalf("byte %d ^ %#x: other rows pass", i, flip)
			}
		}
	}
	t.Logf("%d bytes, %d mutants, %d refused", len(file), 3*len(file), refused)
	if refused < len(file) {
		t.Error("too few mutants are refused to believe it")
	}
}

// TestForeignMutants does the same, to every fifth byte, to files of other writers, where every reading is fine as long as it ends.
func TestForeignMutants(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mutant.parquet")
	for _, version := range []int{1, 2} {
		for j, c := range codecs {
			file := foreignFile(t, version, 2, c.opt)
			for i := j; i < len(file); i += 5 {
				b := bytes.Clone(file)
				b[i] ^= []byte{0x01, 0x80, 0xff, 0x10}[i/5%4]
				drain(t, path, b)
			}
		}
	}
}

func drain(t testing.TB, path string, b []byte) {
	t.Helper()
	overwrite(t, path, b)
	before := allocated()
	for _, err := range publishedRecords(path) {
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("the error does not name the file: %v", err)
		}
	}
	if used := allocated() - before; used > maxAllocation {
		t.Errorf("%d bytes allocated", used)
	}
}

// TestManyMutations overwrites runs of bytes with what attackers like: extremes, random bytes, bytes of elsewhere in the file.
func TestManyMutations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "mutant.parquet")
	set, _ := tinySet(t, 2)
	for round := range 3000 {
		file := set
		if round%2 == 1 {
			file = foreignFile(t, 1+round/2%2, 2, codecs[round%4].opt)
		}
		b := bytes.Clone(file)
		for range 1 + r.IntN(3) {
			at, n := r.IntN(len(b)), 1+r.IntN(6)
			if r.IntN(3) > 0 { // the footer is where the lies are
				at = len(b) - 1 - r.IntN(len(b)/2)
			}
			for j := at; j < min(at+n, len(b)); j++ {
				b[j] = []byte{0x00, 0xff, 0x7f, byte(r.Uint32()), file[r.IntN(len(file))]}[r.IntN(5)]
			}
		}
		drain(t, path, b)
	}
}

func TestTruncated(t *testing.T) {
	file, _ := tinySet(t, 2)
	path := filepath.Join(t.TempDir(), "short.parquet")
	for n := range len(file) {
		if _, err := verifyHostile(t, path, file[:n]); err == nil {
			t.Fatalf("%d of %d bytes pass", n, len(file))
		}
	}
	if _, err := verifyHostile(t, path, append(bytes.Clone(file), 0)); err == nil {
		t.Error("a byte behind the end passes")
	}
}

// TestFooterLength gives the footer every length that matters.
func TestFooterLength(t *testing.T) {
	file, _ := tinySet(t, 1)
	path := filepath.Join(t.TempDir(), "f.parquet")
	for _, n := range []uint32{0, 1, uint32(len(file)) - 12, uint32(len(file)) - 11, uint32(len(file)), 1 << 30, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		b := bytes.Clone(file)
		binary.LittleEndian.PutUint32(b[len(b)-8:], n)
		if _, err := verifyHostile(t, path, b); err == nil {
			t.Errorf("length %d passes", n)
		}
	}
}

// TestThriftLies are the shortest inputs that make a Thrift library allocate by a declared size, or recurse.
func TestThriftLies(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0x0f}
	for name, b := range map[string][]byte{
		"list":      append([]byte{0x29, 0xfc}, huge...),
		"text":      append([]byte{0x68}, huge...),
		"map":       append([]byte{0x1b}, huge...),
		"depth":     bytes.Repeat([]byte{0x1c}, 100),
		"lists":     append([]byte{0x19}, bytes.Repeat([]byte{0x19}, 100)...),
		"integer":   {0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		"wide":      {0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		"twice":     {0x15, 0x02, 0x05, 0x02, 0x02, 0x00},
		"unended":   {0x15, 0x02},
		"type":      {0x1d, 0x00},
		"known":     {0x28, 0x01, 0x00, 0x00},
		"elements":  {0x29, 0x15, 0x02, 0x00},
		"backwards": {0x15, 0x02, 0x05, 0x01, 0x02, 0x00},
	} {
		r := &thrift{buf: b}
		r.structure(thriftField{2, thriftList, func() { r.list(thriftStruct, func() { r.structure() }) }})
		if r.err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

func TestSchemaTree(t *testing.T) {
	leaf := func(name string) schemaElement { return schemaElement{name: name, typ: 1, repetition: 1} }
	group := func(name string, n int32) schemaElement {
		return schemaElement{name: name, typ: -1, repetition: 2, children: n}
	}
	deep := []schemaElement{group("root", 1)}
	for range 100000 {
		deep = append(deep, group("g", 1))
	}
	for name, s := range map[string][]schemaElement{
		"empty":    nil,
		"no kids":  {group("root", 0)},
		"short":    {group("root", 2), leaf("a")},
		"long":     {group("root", 1), leaf("a"), leaf("b")},
		"negative": {group("root", -1), leaf("a")},
		"twice":    {group("root", 2), leaf("a"), leaf("a")},
		"deep":     deep,
		"many":     {group("root", 1<<31-1), leaf("a")},
		"int96":    {group("root", 1), {name: "a", typ: parquetINT96, repetition: 0}},
		"type":     {group("root", 1), {name: "a", typ: 8, repetition: 0}},
		"repeats":  {group("root", 1), {name: "a", typ: 1, repetition: 3}},
	} {
		if _, err := leavesOf(s); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	leaves, err := leavesOf([]schemaElement{group("root", 2), group("g", 2), leaf("a"), group("h", 1), leaf("b"), leaf("c")})
	want := []leafSchema{{"g.a", 1, 2, 1}, {"g.h.b", 1, 3, 2}, {"c", 1, 1, 0}}
	if d := cmp.Diff(want, leaves, cmp.AllowUnexported(leafSchema{})); d != "" || err != nil {
		t.Error(d, err)
	}
}

// FuzzParquet looks for bytes that take the process down.
func FuzzParquet(f *testing.F) {
	set, _ := tinySet(f, 1)
	f.Add(set)
	for _, c := range codecs {
		f.Add(foreignFile(f, 1, 2, c.opt))
		f.Add(foreignFile(f, 2, 2, c.opt))
	}
	path := filepath.Join(f.TempDir(), "fuzz.parquet")
	f.Fuzz(func(t *testing.T, b []byte) { drain(t, path, b) })
}
