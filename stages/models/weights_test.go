package models

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"scbench/kernels"
)

// tensor is what encode writes.
type tensor struct {
	dtype string
	shape []int
	data  []byte
}

var twoByTwo = tensor{"BF16", []int{2, 2}, []byte{0x80, 0x3f, 0, 0x40, 0x40, 0x40, 0x80, 0x40}} // 1 2; 3 4

// encode writes a safetensors file.
func encode(t testing.TB, tensors map[string]tensor) []byte {
	t.Helper()
	header, data := map[string]any{}, []byte(nil)
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		x := tensors[name]
		header[name] = map[string]any{"dtype": x.dtype, "shape": x.shape, "data_offsets": []int{len(data), len(data) + len(x.data)}}
		data = append(data, x.data...)
	}
	h, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(h))), h, data)
}

func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMatrixVector(t *testing.T) {
	file := encode(t, map[string]tensor{
		"m": twoByTwo,
		"v": {"F16", []int{2}, []byte{0, 0x3c, 0, 0xc0}}, // 1, -2
		"q": {"I8", []int{2, 2}, make([]byte, 4)},
	})
	w, err := OpenWeights(folder(t, map[string][]byte{singleFile: file}))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	m, err := w.Matrix("m", 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	row := make([]float32, 2)
	if m.Row(row, 1); m.Type != kernels.BF16 || !cmp.Equal(row, []float32{3, 4}) {
		t.Errorf("%v, row 1 is %v", m.Type, row)
	}
	if v, err := w.Vector("v", 2); err != nil || !cmp.Equal(v, []float32{1, -2}) {
		t.Errorf("v = %v, %v", v, err)
	}
	if diff := cmp.Diff([]string{"q"}, w.Unused()); diff != "" {
		t.Error(diff)
	}
	if b := w.Buffer("q"); b.Len() != 4 || len(w.Unused()) != 0 {
		t.Errorf("buffer of %d bytes, unused %v", b.Len(), w.Unused())
	}
	if w.Buffer("none") != nil || w.Has("none") || !w.Has("m") {
		t.Error("Has and Buffer disagree with what there is")
	}
	for _, c := range []struct {
		err  error
		want []string
	}{
		{second(w.Matrix("none", 2, 2)), []string{`"none" is missing`}},
		{second(w.Matrix("m", 2, 3)), []string{singleFile, `"m" has shape [2 2], want [2 3]`}},
		{second(w.Vector("m", 4)), []string{singleFile, `"m" has shape [2 2], want [4]`}},
		{second(w.Matrix("q", 2, 2)), []string{singleFile, `"q" is stored as I8, want F32, BF16 or F16`}},
	} {
		for _, want := range c.want {
			if c.err == nil || !strings.Contains(c.err.Error(), want) {
				t.Errorf("error %v does not say %q", c.err, want)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

// shards returns a checkpoint of two shards whose index is made of the given pairs.
func shards(t *testing.T, index string) map[string][]byte {
	return map[string][]byte{
		"a.safetensors": encode(t, map[string]tensor{"x": twoByTwo}),
		"b.safetensors": encode(t, map[string]tensor{"y": twoByTwo, "z": twoByTwo}),
		indexFile:       []byte(index),
	}
}

func TestShards(t *testing.T) {
	whole := map[string][]byte{singleFile: encode(t, map[string]tensor{"x": twoByTwo, "y": twoByTwo, "z": twoByTwo})}
	single, err := OpenWeights(folder(t, whole))
	if err != nil {
		t.Fatal(err)
	}
	defer single.Close()
	w, err := OpenWeights(folder(t, shards(t, `{"metadata":{"total_size":25},"weight_map":{"z":"b.safetensors","x":"a.safetensors","y":"b.safetensors"}}`)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"x", "y", "z"}, w.Names()); diff != "" {
		t.Error(diff)
	}
	if notes := w.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "promises 25 bytes, the tensors have 24") {
		t.Errorf("notes %q", notes)
	}
	a, _ := single.Hash()
	b, err := w.Hash()
	if err != nil || a != b {
		t.Errorf("the hash depends on sharding: %s, %s, %v", a, b, err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	if b2, err := w.Hash(); err != nil || b2 != b {
		t.Errorf("a hash once computed is forgotten: %q, %v", b2, err)
	}
}

func TestUnlistedTensor(t *testing.T) {
	w, err := OpenWeights(folder(t, shards(t, `{"weight_map":{"x":"a.safetensors","y":"b.safetensors"}}`)))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if diff := cmp.Diff([]string{"x", "y", "z"}, w.Unused()); diff != "" || w.Has("z") {
		t.Errorf("a tensor that the index does not list: %s, Has = %v", diff, w.Has("z"))
	}
}

func TestWeightsRefused(t *testing.T) {
	valid := encode(t, map[string]tensor{"x": twoByTwo})
	for _, c := range []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"empty folder", nil, "no model.safetensors"},
		{"pickle", map[string][]byte{"pytorch_model.bin": nil}, "has pytorch_model.bin but no model.safetensors. Pickled"},
		{"pt", map[string][]byte{"model.pt": nil}, "never read"},
		{"ckpt", map[string][]byte{"model.ckpt": nil}, "never read"},
		{"pickle by another name", map[string][]byte{singleFile: []byte("PK\x03\x04zip archive")}, "zip archive"},
		{"gguf", map[string][]byte{"model.gguf": nil}, "give the path of the .gguf file"},
		{"another name", map[string][]byte{"weights.safetensors": valid}, "rename"},
		{"truncated", map[string][]byte{singleFile: valid[:len(valid)-3]}, "3 bytes are missing"},
		{"broken index", map[string][]byte{indexFile: []byte("{")}, indexFile},
		{"no map", map[string][]byte{indexFile: []byte("{}")}, "weight_map is missing"},
		{"empty map", map[string][]byte{indexFile: []byte(`{"weight_map":{}}`)}, "lists no tensors"},
		{"twice", shards(t, `{"weight_map":{"x":"a.safetensors","x":"b.safetensors"}}`), `"x" twice`},
		{"missing shard", shards(t, `{"weight_map":{"x":"c.safetensors"}}`), "shard c.safetensors"},
		{"missing tensor", shards(t, `{"weight_map":{"x":"a.safetensors","w":"a.safetensors"}}`), `tensor "w" is not in the shard named for it, a.safetensors`},
		{"wrong shard", shards(t, `{"weight_map":{"x":"a.safetensors","y":"a.safetensors"}}`), `tensor "y" is not in the shard`},
		{"escape", shards(t, `{"weight_map":{"x":"../a.safetensors"}}`), `tensor "x" is in "../a.safetensors"`},
		{"absolute", shards(t, `{"weight_map":{"x":"/a.safetensors"}}`), "not the name of a .safetensors file"},
		{"backslash", shards(t, `{"weight_map":{"x":"..\\a.safetensors"}}`), "not the name"},
		{"drive", shards(t, `{"weight_map":{"x":"c:a.safetensors"}}`), "not the name"},
		{"pickled shard", shards(t, `{"weight_map":{"x":"a.bin"}}`), "not the name"},
		{"no name", shards(t, `{"weight_map":{"x":7}}`), "not the name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t, c.files)
			if _, err := OpenWeights(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v does not name the folder and say %q", err, c.want)
			}
		})
	}
	file := filepath.Join(folder(t, map[string][]byte{"f": nil}), "f")
	if _, err := OpenWeights(file); err == nil || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("a file instead of a folder: %v", err)
	}
	if _, err := OpenWeights(file + "none"); err == nil || !strings.Contains(err.Error(), "give the folder") {
		t.Errorf("no such folder: %v", err)
	}
}

// The hash must see each of name, type, shape and bytes, and nothing else.
func TestHash(t *testing.T) {
	hash := func(tensors map[string]tensor) string {
		w, err := FSWeights(fstest.MapFS{singleFile: {Data: encode(t, tensors)}})
		if err != nil {
			t.Fatal(err)
		}
		h, err := w.Hash()
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	base := hash(map[string]tensor{"x": twoByTwo, "y": twoByTwo})
	if len(base) != 64 || base != hash(map[string]tensor{"y": twoByTwo, "x": twoByTwo}) {
		t.Errorf("%q is not a stable hash", base)
	}
	flipped := bytes.Clone(twoByTwo.data)
	flipped[5] ^= 1
	for name, other := range map[string]map[string]tensor{
		"name":  {"x": twoByTwo, "z": twoByTwo},
		"dtype": {"x": twoByTwo, "y": {"F16", twoByTwo.shape, twoByTwo.data}},
		"shape": {"x": twoByTwo, "y": {"BF16", []int{4, 1}, twoByTwo.data}},
		"bytes": {"x": twoByTwo, "y": {"BF16", twoByTwo.shape, flipped}},
		"one":   {"x": twoByTwo},
	} {
		if hash(other) == base {
			t.Errorf("the hash does not see a change of %s", name)
		}
	}
}

func TestReference(t *testing.T) {
	files := Reference()
	c, err := ReadConfig("config.json", readFile(t, files, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = c.WithGeneration("generation_config.json", readFile(t, files, "generation_config.json")); err != nil {
		t.Fatal(err)
	}
	w, err := FSWeights(files)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Matrix("model.embed_tokens.weight", c.Vocab, c.Hidden); err != nil {
		t.Error(err)
	}
	if unknown := c.Unknown(); len(unknown) != 0 || len(c.EosIDs) == 0 {
		t.Errorf("unknown %q, eos %v", unknown, c.EosIDs)
	}
	for _, name := range []string{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"} {
		if !json.Valid(readFile(t, files, name)) {
			t.Errorf("%s is not JSON", name)
		}
	}
}
