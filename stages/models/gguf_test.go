package models

import (
	"bytes"
	"context"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/gguf"
	"scbench/stages/gguf/gguftest"
	"scbench/stages/kv"
)

// ggufFolder is a golden checkpoint as far as a GGUF file can hold it: Gemma's divisor of queries is that of the published models.
func ggufFolder(t *testing.T, dir string) fs.FS {
	t.Helper()
	config := readFile(t, os.DirFS(dir), "config.json")
	config = bytes.Replace(config, []byte(`"query_pre_attn_scalar": 24`), []byte(`"query_pre_attn_scalar": 16`), 1)
	files := fstest.MapFS{"config.json": {Data: config}}
	names, err := fs.Glob(os.DirFS(dir), "model*.safetensors*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		files[name] = &fstest.MapFile{Data: readFile(t, os.DirFS(dir), name)}
	}
	return files
}

// writeGGUF converts a folder and returns the path of the file.
func writeGGUF(t *testing.T, dir fs.FS, as gguf.Type) string {
	t.Helper()
	b, err := gguftest.Model(dir, as, nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// allLogits computes the logits of every row of a prompt in two passes.
func allLogits(t *testing.T, l *Loaded, ids []int32) []float32 {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	store := kv.NewStore(mem, l.PageFormat(), l.Shape().Dim, 0)
	s := engine.NewSession(l.Shape(), store, engine.Policy{})
	out, cut := make([]float32, len(ids)*l.Shape().Vocab), len(ids)/3
	for _, part := range [][2]int{{0, cut}, {cut, len(ids)}} {
		v := l.Shape().Vocab
		chunk := engine.Chunk{Session: s, Tokens: ids[part[0]:part[1]], Logits: out[part[0]*v : part[1]*v]}
		if err := l.Forward(context.Background(), []engine.Chunk{chunk}); err != nil {
			t.Fatal(err)
		}
	}
	s.Release()
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	return out
}

// prompt is ids of a vocabulary in no order.
func prompt(n, vocab int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32((i*i*7 + i*31 + 5) % vocab)
	}
	return ids
}

// loadFS loads a folder that is in memory.
func loadFS(t *testing.T, files fs.FS, pool *kernels.Pool) *Loaded {
	t.Helper()
	w, err := FSWeights(files)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newCheckpoint("golden", files, w)
	if err != nil {
		t.Fatal(err)
	}
	l, err := c.load(pool, Choice{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// ggufModels calls run for every golden decoder.
func ggufModels(t *testing.T, run func(t *testing.T, name string, files fs.FS)) {
	for _, dir := range goldenFolders(t, "goldens.safetensors") {
		name := filepath.Base(dir)
		if name == "rope" || strings.HasSuffix(name, "-tokcls") {
			continue // tables alone, and encoders, which GGUF files of decoders do not hold
		}
		t.Run(name, func(t *testing.T) { run(t, name, ggufFolder(t, dir)) })
	}
}

// TestGGUFModels: a GGUF file gives the same logits, bit for bit, as the folder that it was made from, of every architecture, if it is
// stored as exactly. Mamba's decays go through a logarithm and may differ in their last bit.
func TestGGUFModels(t *testing.T) {
	pool := kernels.NewPool(2)
	defer pool.Close()
	ggufModels(t, func(t *testing.T, name string, files fs.FS) {
		want := loadFS(t, files, pool)
		ids := prompt(300, want.Shape().Vocab)
		logits := allLogits(t, want, ids)
		kinds := []gguf.Type{gguf.F32}
		switch want.Config.DType {
		case "bfloat16":
			kinds = append(kinds, gguf.BF16)
		case "float16":
			kinds = append(kinds, gguf.F16)
		}
		for _, kind := range kinds {
			l, err := Load(writeGGUF(t, files, kind), pool, Choice{})
			if err != nil {
				t.Fatal(err)
			}
			if got := allLogits(t, l, ids); !slices.Equal(got, logits) {
				t.Errorf("%v: logits differ from the folder's by %v of their spread", kind, spread(got, logits))
			}
			if len(l.Weights.Notes()) != 0 {
				t.Errorf("%v: notes %q", kind, l.Weights.Notes())
			}
			if kind == gguf.BF16 && l.Config.DType != "bfloat16" {
				t.Errorf("a file of BF16 has the type %q", l.Config.DType)
			}
			l.Close()
		}
	})
}

// spread is the root mean square difference as a share of the root mean square of want.
func spread(got, want []float32) float64 {
	var diff, all float64
	for i, x := range want {
		diff += (float64(got[i]) - float64(x)) * (float64(got[i]) - float64(x))
		all += float64(x) * float64(x)
	}
	return math.Sqrt(diff / all)
}

// quantisedShare bounds what rounding weights to Q8_0 changes in logits, as a share of their spread: 1/254 of the largest of 32 numbers
// is at most half a step, some 0.4 % of a typical one, and a handful of layers make about 1 % of it, those with experts more, for a router
// may choose another.
func quantisedShare(name string) float64 {
	if name == "jamba-bf16" {
		return 0.4
	}
	return 0.1
}

// TestGGUFQuantised: a file of Q8_0 is near the folder it was made from, and exactly the folder of its own decoded weights in float16.
func TestGGUFQuantised(t *testing.T) {
	pool := kernels.NewPool(2)
	defer pool.Close()
	ggufModels(t, func(t *testing.T, name string, files fs.FS) {
		want := loadFS(t, files, pool)
		ids := prompt(100, want.Shape().Vocab)
		path := writeGGUF(t, files, gguf.Q8_0)
		l, err := Load(path, pool, Choice{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		got := allLogits(t, l, ids)
		share := spread(got, allLogits(t, want, ids))
		t.Logf("Q8_0 differs by %.2g of the spread of logits", share)
		quantised := strings.Contains(strings.Join(l.Notes(), ""), "Q8_0")
		if !(share <= quantisedShare(name)) || quantised && share == 0 {
			t.Errorf("Q8_0 differs by %.2g of the spread of logits, more than %g, or not at all", share, quantisedShare(name))
		}
		if rows := want.Config.Hidden%32 == 0; rows && !quantised {
			t.Error("nothing was quantised")
		}
		f, err := gguf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		config, _, err := configOf(f)
		if err != nil {
			t.Fatal(err)
		}
		decoded := fstest.MapFS{"config.json": {Data: config}, "model.safetensors": {Data: decodedFolder(t, l.Weights)}}
		if !slices.Equal(allLogits(t, loadFS(t, decoded, pool), ids), got) {
			t.Error("logits differ from those of the folder of its decoded weights")
		}
	})
}

// decodedFolder writes the weights as a folder that has them as they are computed from.
func decodedFolder(t *testing.T, w *Weights) []byte {
	t.Helper()
	tensors := map[string]tensor{}
	for _, name := range w.Names() {
		if name == ropeDivisors || name == ropeShort || name == ropeLong {
			continue
		}
		raw, err := w.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		_, dt, err := w.typed(name, raw.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		x, err := w.values(name, raw.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, len(x)*dt.Size())
		kernels.Narrow(data, dt, x)
		tensors[name] = tensor{strings.ToUpper(dt.String()), raw.Shape, data}
	}
	return encode(t, tensors)
}
