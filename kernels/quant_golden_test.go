package kernels

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scbench/stages/models/safetensors"
)

// vector is one golden file.
type vector struct{ *safetensors.File }

// eachGolden runs the vectors of a folder of golden/methods, on every tier, by the first part of their name that has
// a runner. Those without one are named and skipped.
func eachGolden(t *testing.T, folder string, runners map[string]func(*testing.T, vector)) {
	t.Helper()
	root := os.Getenv("SCBENCH_GOLDEN")
	if root == "" {
		root = filepath.Join("..", "testdata", "golden")
	}
	files, err := filepath.Glob(filepath.Join(root, "methods", folder, "*.safetensors"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors below %s/methods/%s: %v", root, folder, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".safetensors")
		t.Run(name, func(t *testing.T) {
			run := runners[name]
			for prefix, r := range runners {
				if strings.HasPrefix(name, prefix) {
					run = r
				}
			}
			if run == nil {
				t.Skipf("not run: no kernel alone computes %s/%s", folder, name)
			}
			f, err := safetensors.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			eachTier(t, func(t *testing.T) { run(t, vector{f}) })
		})
	}
}

func (v vector) floats(t *testing.T, name string) (x []float32, shape []int) {
	t.Helper()
	tensor, ok := v.Tensor(name)
	if !ok {
		t.Fatalf("%s has no tensor %s", v.Name(), name)
	}
	x, err := tensor.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return x, tensor.Shape
}

func (v vector) words(t *testing.T, name string) []uint32 {
	t.Helper()
	tensor, ok := v.Tensor(name)
	if !ok {
		t.Fatalf("%s has no tensor %s", v.Name(), name)
	}
	x, err := tensor.Int32s()
	if err != nil {
		t.Fatal(err)
	}
	words := make([]uint32, len(x))
	for i, w := range x {
		words[i] = uint32(w)
	}
	return words
}

func (v vector) number(t *testing.T, name string) (x float64) {
	t.Helper()
	if err := json.Unmarshal([]byte(v.Metadata()[name]), &x); err != nil {
		t.Fatalf("%s: metadata %s: %v", v.Name(), name, err)
	}
	return x
}

func TestGoldenKIVI(t *testing.T) {
	eachGolden(t, "kivi", map[string]func(*testing.T, vector){"quant_": goldenQuant})
}

// goldenQuant wants the codes, scales and minima of the reference exactly, and so the values that come back.
func goldenQuant(t *testing.T, v vector) {
	bits := int(v.number(t, "bits"))
	if g := v.number(t, "group_size"); g != QuantGroup {
		t.Skipf("not run: groups of %v", g)
	}
	k, shape := v.floats(t, "k") // [1, heads, tokens, dim]
	x, _ := v.floats(t, "v")
	heads, tokens, dim := shape[1], shape[2], shape[3]
	sameWords := func(name string, got []uint32) {
		t.Helper()
		want := v.words(t, name)
		if len(got) != len(want) {
			t.Fatalf("%s: %d words, want %d", name, len(got), len(want))
		}
		for i, w := range want {
			if got[i] != w {
				t.Fatalf("%s: word %d = %#x, want %#x", name, i, got[i], w)
			}
		}
	}
	same := func(name string, got []float32) {
		t.Helper()
		want, _ := v.floats(t, name)
		sameBits(t, name, got, want)
	}
	keys := quantKeys(k, F32, bits, heads*tokens/QuantGroup, dim)
	sameWords("k_code_packed_tokendim", keys.codes)
	same("k_scale", keys.scale)
	same("k_min", keys.lo)
	same("k_dequant", keys.x2)
	values := quantValues(x, F32, bits, heads*tokens, dim)
	sameWords("v_code_packed_chdim", values.codes)
	same("v_scale", values.scale)
	same("v_min", values.lo)
	same("v_dequant", values.x2)
}
