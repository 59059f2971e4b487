package gguf_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scbench/stages/gguf"
	"scbench/stages/gguf/gguftest"
)

// sample is a small file with a value of every type and tensors of several.
func sample() *gguftest.Writer { return aligned(0) }

func aligned(align uint32) *gguftest.Writer {
	w := &gguftest.Writer{Alignment: align}
	w.Set("general.architecture", "llama")
	w.Set("a.u32", uint32(7))
	w.Set("a.u64", uint64(1)<<40)
	w.Set("a.f32", float32(0.5))
	w.Set("a.bool", true)
	w.Set("a.texts", []string{"", "ä", "xyz"})
	w.Set("a.i32s", []int32{-1, 2})
	w.Set("a.f32s", []float32{1, 2.5})
	w.Set("a.bools", []bool{true, false})
	w.Set("a.none", []string{})
	w.Add("m", gguf.F16, []byte{0, 0x3c, 0, 0x40, 0, 0, 0, 0, 1, 2, 3, 4}, 2, 3)
	w.Add("q", gguf.Q8_0, make([]byte, 2*34), 2, 32)
	w.Add("v", gguf.F32, make([]byte, 4), 1)
	return w
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.gguf")
	for _, version := range []uint32{2, 3} {
		for _, align := range []uint32{0, 8, 64} {
			w := aligned(align)
			w.Version = version
			b := w.Bytes()
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			mapped, err := gguf.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			inMemory, err := gguf.FromBytes("m.gguf", b)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range []*gguf.File{mapped, inMemory} {
				checkSample(t, f)
			}
			if err := mapped.Close(); err != nil {
				t.Error(err)
			}
			if err := mapped.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func checkSample(t *testing.T, f *gguf.File) {
	t.Helper()
	if diff := cmp.Diff([]string{"m", "q", "v"}, f.Names()); diff != "" {
		t.Error(diff)
	}
	m, ok := f.Tensor("m")
	if !ok || m.Type != gguf.F16 || m.Len() != 6 || !slices.Equal(m.Shape, []int{2, 3}) || !bytes.Equal(m.Data[8:], []byte{1, 2, 3, 4}) {
		t.Errorf("m is %+v, %v", m, ok)
	}
	f.Forget("m")
	if q, _ := f.Tensor("q"); !q.Type.Quantised() || len(q.Data) != 68 {
		t.Errorf("q is %+v", q)
	}
	var n, big int64
	var x float64
	var b bool
	var texts, none []string
	var ints []int64
	var nums []float64
	var bools []bool
	for key, dst := range map[string]any{"a.u32": &n, "a.u64": &big, "a.f32": &x, "a.bool": &b, "a.texts": &texts, "a.none": &none, "a.i32s": &ints, "a.f32s": &nums, "a.bools": &bools} {
		if ok, err := f.Lookup(key, dst); !ok || err != nil {
			t.Errorf("%s: %v, %v", key, ok, err)
		}
	}
	if n != 7 || big != 1<<40 || x != 0.5 || !b || !slices.Equal(texts, []string{"", "ä", "xyz"}) || none == nil || len(none) != 0 ||
		!slices.Equal(ints, []int64{-1, 2}) || !slices.Equal(nums, []float64{1, 2.5}) || !slices.Equal(bools, []bool{true, false}) {
		t.Error(n, big, x, b, texts, none, ints, nums, bools)
	}
	if ok, err := f.Lookup("a.u32", &x); !ok || err != nil || x != 7 {
		t.Error("a whole number is a number too:", ok, err, x)
	}
	if ok, err := f.Lookup("absent", &x); ok || err != nil {
		t.Error(ok, err)
	}
	for key, dst := range map[string]any{"a.u32": &texts, "a.texts": &n, "a.f32": &n, "a.bool": &x, "a.i32s": &bools} {
		if _, err := f.Lookup(key, dst); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s as a %T: %v", key, dst, err)
		}
	}
}

// lie is the sample with a number of the header replaced: at is where the bytes of old are found.
func lie(t *testing.T, b []byte, old string, skip int, value uint64, size int) []byte {
	t.Helper()
	i := bytes.Index(b, []byte(old))
	if i < 0 {
		t.Fatalf("no %q", old)
	}
	b = slices.Clone(b)
	copy(b[i+len(old)+skip:], binary.LittleEndian.AppendUint64(nil, value)[:size])
	return b
}

func TestRefused(t *testing.T) {
	good := sample().Bytes()
	twice, again, beyond := sample(), sample(), sample()
	twice.Set("a.u32", 1)
	again.Add("m", gguf.F32, make([]byte, 4), 1)
	beyond.Set("general.alignment", uint32(3))
	strange, odd, flat := sample(), sample(), sample()
	strange.Add("x", gguf.Type(16), make([]byte, 66), 256)
	odd.Add("x", gguf.Q8_0, make([]byte, 34), 31)
	flat.Add("x", gguf.F32, nil, 0)
	split := sample()
	split.Set("split.count", 3)
	split.Set("split.no", 0)
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "is empty"},
		{"zip", []byte("PK\x03\x04xxxxxxxxxxxx"), "zip archive"},
		{"pickle", []byte("\x80\x02}q\x00xxxxxxxxxx"), "pickle"},
		{"html", []byte("\n<!DOCTYPE html><html>"), "HTML"},
		{"json", []byte(`{"error":"not found"}`), "JSON"},
		{"safetensors", []byte("\x10\x00\x00\x00\x00\x00\x00\x00{\"a\":{}}        "), "safetensors"},
		{"lfs", []byte("version https://git-lfs.github.com/spec/v1"), "LFS"},
		{"ggml", []byte("tjgg\x01\x00\x00\x00"), "GGJT"},
		{"noise", []byte("ELF noise"), "begins with"},
		{"short", good[:20], "shorter than"},
		{"version 1", lie(t, good, "GGUF", 0, 1, 4), "version 1"},
		{"version 4", lie(t, good, "GGUF", 0, 4, 4), "version 4"},
		{"big-endian", lie(t, good, "GGUF", 0, 3<<24, 4), "big-endian"},
		{"many tensors", lie(t, good, "GGUF", 4, 1<<60, 8), "declares 1152921504606846976 tensors"},
		{"many keys", lie(t, good, "GGUF", 12, 60000, 8), "declares 60000 metadata keys"},
		{"long key", lie(t, good, "general.architecture", -28, 1<<63, 8), "a name of"},
		{"long text", lie(t, good, "general.architecture", 4, 1<<62, 8), "ends inside its header"},
		{"unknown kind", lie(t, good, "a.u32", 0, 13, 4), "unknown type, 13"},
		{"nested array", lie(t, good, "a.i32s", 4, 9, 4), "arrays of arrays"},
		{"long array", lie(t, good, "a.i32s", 8, 1<<40, 8), "declares an array of 1099511627776"},
		{"not a bool", lie(t, good, "a.bool", 4, 2, 1), "neither 0 nor 1"},
		{"key twice", twice.Bytes(), "occurs twice"},
		{"alignment", beyond.Bytes(), "power of two"},
		{"no name", lie(t, good, "\x01\x00\x00\x00\x00\x00\x00\x00m", -9, 0, 8), "a name of 0 bytes"},
		{"many dimensions", lie(t, good, "\x01\x00\x00\x00\x00\x00\x00\x00m", 0, 5, 4), "5 dimensions"},
		{"negative dimension", lie(t, good, "\x01\x00\x00\x00\x00\x00\x00\x00m", 4, 1<<63, 8), "dimension 0"},
		{"unread type", strange.Bytes(), "IQ2_XXS"},
		{"unknown type", lie(t, good, "\x01\x00\x00\x00\x00\x00\x00\x00m", 20, 99, 4), "type 99"},
		{"rows of 31", odd.Bytes(), "multiple of the 32"},
		{"no elements", flat.Bytes(), "dimension 0 is 0"},
		{"overlap", lie(t, good, "\x01\x00\x00\x00\x00\x00\x00\x00q", 24, 0, 8), "begins at byte 0"},
		{"hole", lie(t, good, "\x01\x00\x00\x00\x00\x00\x00\x00q", 24, 64, 8), "begins at byte 64"},
		{"tensor twice", again.Bytes(), `"m" occurs twice`},
		{"cut off", good[:len(good)-40], "truncated"},
		{"more bytes", append(slices.Clone(good), 0), "follow the last tensor"},
		{"split", split.Bytes(), "part 1 of 3"},
	} {
		_, err := gguf.FromBytes("m.gguf", c.b)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "m.gguf") {
			t.Errorf("%s: error %v, want one that names the file and says %q", c.name, err, c.want)
		}
	}
	for i := range good { // cut anywhere
		if _, err := gguf.FromBytes("m.gguf", good[:i]); err == nil && i < len(good)-28 {
			t.Errorf("cut to %d of %d bytes, and accepted", i, len(good))
		}
	}
}

// TestSplit reads a file in parts.
func TestSplit(t *testing.T) {
	dir := t.TempDir()
	part := func(i, n int, tensor string) string {
		w := &gguftest.Writer{}
		if i == 0 {
			w.Set("general.architecture", "llama")
		}
		w.Set("split.no", i)
		w.Set("split.count", 3)
		w.Set("split.tensors.count", n)
		w.Add(tensor, gguf.F32, []byte{0, 0, 0x80, 0x3f}, 1)
		path := filepath.Join(dir, fmt.Sprintf("m-%05d-of-00003.gguf", i+1))
		if err := os.WriteFile(path, w.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first, second := part(0, 3, "c"), part(1, 3, "b")
	if _, err := gguf.Open(first); err == nil || !strings.Contains(err.Error(), "m-00003-of-00003.gguf") {
		t.Errorf("a part is missing: %v", err)
	}
	third := part(2, 3, "a")
	f, err := gguf.Open(first)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Names(), []string{"a", "b", "c"}) {
		t.Error(f.Names())
	}
	f.Close()
	if _, err := gguf.Open(second); err == nil || !strings.Contains(err.Error(), "part 2 of 3") {
		t.Errorf("the second part alone: %v", err)
	}
	part(2, 3, "b")
	if _, err := gguf.Open(first); err == nil || !strings.Contains(err.Error(), "another part") {
		t.Errorf("a tensor in two parts: %v", err)
	}
	part(0, 4, "c")
	part(2, 3, "a")
	if _, err := gguf.Open(first); err == nil || !strings.Contains(err.Error(), "split.tensors.count") {
		t.Errorf("a tensor is missing: %v", err)
	}
	if err := os.Rename(second, third); err != nil {
		t.Fatal(err)
	}
	part(1, 3, "b")
	if _, err := gguf.Open(first); err == nil || !strings.Contains(err.Error(), "not what its name says") {
		t.Errorf("a part under another's name: %v", err)
	}
}
