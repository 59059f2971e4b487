package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// build lays out a file: the header's true length, the header, the data.
func build(header string, data ...byte) []byte {
	return append(declare(uint64(len(header)), header), data...)
}

// declare is build with a declared length that may lie.
func declare(length uint64, header string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, length), header...)
}

// one is a header with a single tensor "t".
func one(dtype, shape, offsets string) string {
	return fmt.Sprintf(`{"t":{"dtype":%q,"shape":%s,"data_offsets":%s}}`, dtype, shape, offsets)
}

// crowd is n members of an object of strings.
func crowd(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%x":"",`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

var valid = build(`{"__metadata__":{"format":"pt"},"b":{"dtype":"I16","shape":[2],"data_offsets":[4,8]},`+
	`"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"none":{"dtype":"F64","shape":[3,0],"data_offsets":[8,8]}}   `,
	0, 0, 0x80, 0x3f, 1, 0, 0xff, 0xff)

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := os.WriteFile(path, valid, 0o644); err != nil {
		t.Fatal(err)
	}
	mapped, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	inMemory, err := FromBytes("m.safetensors", valid)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*File{mapped, inMemory} {
		if diff := cmp.Diff([]string{"a", "b", "none"}, f.Names()); diff != "" {
			t.Error(diff)
		}
		if f.Name() != "m.safetensors" || f.Metadata()["format"] != "pt" {
			t.Errorf("name %q, metadata %v", f.Name(), f.Metadata())
		}
		a, _ := f.Tensor("a")
		if v, err := a.Float32s(); err != nil || len(v) != 1 || v[0] != 1 || a.Len() != 1 {
			t.Errorf("a = %v, %v", v, err)
		}
		b, _ := f.Tensor("b")
		if v, err := b.Int32s(); err != nil || !cmp.Equal(v, []int32{1, -1}) {
			t.Errorf("b = %v, %v", v, err)
		}
		if none, ok := f.Tensor("none"); !ok || none.Len() != 0 || len(none.Data) != 0 {
			t.Errorf("none = %+v", none)
		}
		if _, ok := f.Tensor("missing"); ok {
			t.Error("a tensor that is not there was found")
		}
	}
	for range 2 {
		if err := mapped.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, ok := mapped.Tensor("a"); ok {
		t.Error("a closed file still hands out tensors")
	}
}

func TestDTypesTile(t *testing.T) {
	for _, d := range dtypes {
		n := 4 * d.bits / 8
		f, err := FromBytes("x", build(one(d.name, "[2,2]", fmt.Sprintf("[0,%d]", n)), make([]byte, n)...))
		if err != nil {
			t.Errorf("%s: %v", d.name, err)
			continue
		}
		if x, _ := f.Tensor("t"); len(x.Data) != int(n) {
			t.Errorf("%s: %d bytes, want %d", d.name, len(x.Data), n)
		}
	}
}

func TestRefused(t *testing.T) {
	zeros := make([]byte, 64)
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"short", []byte{1, 2, 3}, "3 bytes"},
		{"only a length", declare(5, ""), "truncated"},
		{"2^60 header", declare(1<<60, "{"+strings.Repeat(" ", 91)), "declares a header of 1152921504606846976 bytes"},
		{"over the cap", declare(maxHeader+1, "{}"), "the format allows 100000000"},
		{"cut header", declare(100, `{"t":`), "95 bytes are missing"},
		{"no object", build(`[]       `), "does not begin with '{'"},
		{"zip", []byte("PK\x03\x04rest of the archive"), "PyTorch (.bin, .pt) and NumPy"},
		{"pickle", []byte("\x80\x02}q\x00X\x01\x00\x00\x00"), "pickle"},
		{"gguf", []byte("GGUF\x03\x00\x00\x00\x00\x00\x00\x00"), "GGUF"},
		{"lfs", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "git lfs pull"},
		{"html", []byte("\n <!DOCTYPE html><html><body>403</body>"), "HTML"},
		{"json", []byte(`{"error":"Repository not found"}`), "error message"},
		{"trailing text", build(`{} {}`), "after the closing brace"},
		{"broken json", build(`{"t":}`), "not valid JSON"},
		{"unfinished json", build(`{"t":{"dtype":"F32"`), "the JSON ends early"},
		{"not utf-8", build("{\"\xff\":{}}"), "UTF-8"},
		{"duplicate tensor", build(`{"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`), `"t" occurs twice`},
		{"duplicate field", build(`{"t":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}`), `"dtype" occurs twice`},
		{"duplicate metadata", build(`{"__metadata__":{"a":"1","a":"2"}}`), `"a" occurs twice`},
		{"metadata not text", build(`{"__metadata__":{"a":1}}`), "where a string belongs"},
		{"too many members", build(`{"__metadata__":{` + crowd(maxMembers+1) + `}}`), "more than 131072 members"},
		{"unknown field", build(`{"t":{"strides":[1]}}`), `unknown field "strides"`},
		{"no dtype", build(`{"t":{"shape":[0],"data_offsets":[0,0]}}`), "needs a dtype"},
		{"no shape", build(`{"t":{"dtype":"U8","data_offsets":[0,0]}}`), "needs a dtype"},
		{"no offsets", build(`{"t":{"dtype":"U8","shape":[0]}}`), "needs a dtype"},
		{"one offset", build(one("U8", "[0]", "[0]")), "needs a dtype"},
		{"three offsets", build(one("U8", "[0]", "[0,0,0]")), "more than 2 numbers"},
		{"unknown dtype", build(one("Q4_K", "[4]", "[0,4]"), zeros[:4]...), `unknown dtype "Q4_K"`},
		{"null dimension", build(one("U8", "[null]", "[0,0]")), "where a number belongs"},
		{"negative dimension", build(one("U8", "[-1]", "[0,0]")), "-1 is not a non-negative"},
		{"fractional dimension", build(one("U8", "[1.5]", "[0,1]"), 0), "1.5 is not"},
		{"nested shape", build(one("U8", "[[1]]", "[0,1]"), 0), "where a number belongs"},
		{"dimension over int64", build(one("U8", "[9223372036854775808]", "[0,0]")), "overflows"},
		{"dimension over uint64", build(one("U8", "[18446744073709551616]", "[0,0]")), "64-bit"},
		{"product overflows", build(one("F32", "[4294967296,4294967296]", "[0,0]")), "overflows"},
		{"product overflows to a fit", build(one("F32", "[4611686018427387904,4]", "[0,0]")), "overflows"},
		{"product overflows before a zero", build(one("F32", "[4294967296,4294967296,0]", "[0,0]")), "overflows"},
		{"rank", build(one("U8", "["+strings.Repeat("1,", 64)+"1]", "[0,1]"), 0), "more than 64"},
		{"half a byte", build(one("F4", "[3]", "[0,2]"), 0, 0), "whole bytes"},
		{"size mismatch", build(one("F32", "[2]", "[0,4]"), zeros[:4]...), "do not hold the 8 bytes of F32 [2]"},
		{"reversed offsets", build(one("F32", "[1]", "[4,0]"), zeros[:4]...), "data_offsets [4, 0]"},
		{"hole at the start", build(one("F32", "[1]", "[4,8]"), zeros[:8]...), "a hole of 4 bytes"},
		{"overlap", build(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}`, zeros[:6]...), `"b" begins at byte 2`},
		{"same bytes twice", build(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, zeros[:4]...), `"b" begins at byte 0`},
		{"truncated data", build(one("F32", "[4]", "[0,16]"), zeros[:9]...), "7 bytes are missing (9 of 16"},
		{"huge offsets", build(one("U8", "[1]", "[18446744073709551614,18446744073709551615]"), 0), "a hole"},
		{"trailing data", build(one("F32", "[1]", "[0,4]"), zeros[:7]...), "3 bytes follow"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := FromBytes("m.safetensors", c.file)
			if err == nil {
				t.Fatal("accepted")
			}
			if msg := err.Error(); !strings.Contains(msg, c.want) || !strings.Contains(msg, "m.safetensors") {
				t.Errorf("error %q does not say %q and the file's name", msg, c.want)
			}
		})
	}
}

// A header length may look like another format's magic; what follows decides.
func TestLengthLikeAMagic(t *testing.T) {
	for _, n := range []int{0x0280, 0x4b50} { // a pickle's first two bytes, a zip's
		header := "{" + strings.Repeat(" ", n-2) + "}"
		if _, err := FromBytes("x", build(header)); err != nil {
			t.Errorf("header of %#x bytes: %v", n, err)
		}
	}
}

func TestOpenRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none.safetensors")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "is a folder, not a file") {
		t.Errorf("folder: %v", err)
	}
	empty := filepath.Join(dir, "empty.safetensors")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(empty); err == nil || !strings.Contains(err.Error(), "empty.safetensors") {
		t.Errorf("empty file: %v", err)
	}
}

// A lying header must not make the reader allocate; the whole of this would otherwise be gigabytes.
func TestLiesCostNothing(t *testing.T) {
	lies := [][]byte{
		declare(1<<60, "{"+strings.Repeat(" ", 91)),
		declare(maxHeader, "{}"),
		build(one("F32", "[1000000000000]", "[0,4000000000000]")),
	}
	var before, after runtime.MemStats
	for _, lie := range lies {
		runtime.ReadMemStats(&before)
		_, err := FromBytes("lie", lie)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Error("accepted")
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<16 {
			t.Errorf("%d bytes allocated for a file of %d", got, len(lie))
		}
	}
}

// Whatever one byte is changed to: an error or a file whose every tensor can be read, never a panic.
func TestEveryByteFlipped(t *testing.T) {
	for i := range valid {
		for _, x := range []byte{0x01, 0x20, 0x80, 0xff} {
			mutant := append([]byte(nil), valid...)
			mutant[i] ^= x
			readAll(t, mutant)
		}
		readAll(t, valid[:i])
	}
}

func readAll(t *testing.T, b []byte) {
	f, err := FromBytes("x", b)
	if err != nil {
		return
	}
	total := 0
	for _, name := range f.Names() {
		x, _ := f.Tensor(name)
		total += len(x.Data)
		x.Float32s()
		x.Float64s()
		x.Int32s()
		x.Bools()
	}
	if header := 8 + int(binary.LittleEndian.Uint64(b)); header+total != len(b) {
		t.Errorf("accepted, but header %d and tensors %d are not the %d bytes of the file", header, total, len(b))
	}
}

// FuzzFromBytes wants an error or a readable file, and no memory for what a header only states.
func FuzzFromBytes(f *testing.F) {
	f.Add(valid)
	f.Add(valid[:20])
	f.Add(build(one("F32", "[4294967296,4294967296]", "[0,0]")))
	f.Add(declare(1<<60, "{"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		FromBytes("x", b)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > uint64(4*len(b)+64<<20) {
			t.Errorf("%d bytes allocated for a file of %d", got, len(b))
		}
		readAll(t, b)
	})
}
