package models

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"scbench/kernels"
	"scbench/stages/models/safetensors"
)

// TestNotFinite compares with decoding every number, for all types and for lengths that fill no word.
func TestNotFinite(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for dtype, f := range exponents {
		for n := range 20 {
			b := make([]byte, n*f.size)
			for i := range b {
				b[i] = byte(r.Uint32() | r.Uint32() | r.Uint32())
			}
			x := safetensors.Tensor{DType: dtype, Shape: []int{n}, Data: b}
			values, err := x.Float64s()
			if err != nil {
				t.Fatal(err)
			}
			first, count := 0, 0
			for i, v := range values {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					if count == 0 {
						first = i
					}
					count++
				}
			}
			if got, n := notFinite(x); got != first || n != count {
				t.Errorf("%s %v: first %d of %d, want %d of %d", dtype, values, got, n, first, count)
			}
		}
	}
	if got := fmt.Sprint(at([]int{2, 3, 4}, 17)); got != "[1 1 1]" {
		t.Errorf("index %s", got)
	}
}

// copied is a folder with the files of a golden model.
func copied(t *testing.T, model string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(golden(t, filepath.Join("models", model)))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// rewrite changes the bytes of a file.
func rewrite(t *testing.T, name string, change func(b []byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, change(b), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCheck finds no fault in the golden checkpoints, and in damaged ones all there are.
func TestCheck(t *testing.T) {
	pool := kernels.NewPool(2)
	defer pool.Close()
	for _, dir := range goldenFolders(t, "config.json") {
		if o, faults := Check(dir, pool, Choice{}); len(faults) > 0 || o.Params == 0 || o.Shape.Vocab != 128 || len(o.DTypes) == 0 {
			t.Errorf("%s: %v, %+v", dir, faults, o)
		}
	}
	const shard = "model-00002-of-00003.safetensors"
	for _, c := range []struct {
		name, model string
		damage      func(dir string)
		want        []string
	}{
		{"two shards", "llama-gqa", func(dir string) {
			os.Remove(filepath.Join(dir, shard))
			os.WriteFile(filepath.Join(dir, "model-00003-of-00003.safetensors"), []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), 0o644)
		}, []string{"shard " + shard, "model-00003-of-00003.safetensors: not a safetensors file but a Git LFS pointer"}},
		{"index", "llama-gqa", func(dir string) {
			rewrite(t, filepath.Join(dir, indexFile), func(b []byte) []byte {
				return []byte(strings.Replace(string(b), `"model.norm.weight":`, `"model.other.weight":`, 1))
			})
		}, []string{"model.other.weight"}},
		{"shapes", "qwen3", func(dir string) {
			rewrite(t, filepath.Join(dir, "config.json"), func(b []byte) []byte {
				return []byte(strings.Replace(string(b), `"intermediate_size": `, `"intermediate_size": 1`, 1))
			})
		}, []string{"layers.0.mlp.gate_proj", "layers.0.mlp.up_proj", "layers.0.mlp.down_proj", "layers.1.mlp.gate_proj"}},
		{"a layer too many", "mamba", func(dir string) {
			rewrite(t, filepath.Join(dir, "config.json"), func(b []byte) []byte {
				return []byte(strings.Replace(string(b), `"num_hidden_layers": `, `"num_hidden_layers": 1`, 1))
			})
		}, []string{"mixer.in_proj.weight", "mixer.A_log", "mixer.conv1d.weight", "is missing"}},
		{"a field that matters", "mistral", func(dir string) {
			rewrite(t, filepath.Join(dir, "config.json"), func(b []byte) []byte { return append([]byte(`{"logit_scale": 2,`), b[1:]...) })
		}, []string{`"logit_scale"`}},
		{"a configuration without end", "glm", func(dir string) {
			if err := os.Truncate(filepath.Join(dir, "config.json"), maxConfig+1); err != nil {
				t.Fatal(err)
			}
		}, []string{"config.json has more than 1048576 bytes"}},
		{"NaN", "gemma2", func(dir string) {
			rewrite(t, filepath.Join(dir, singleFile), func(b []byte) []byte {
				head := 8 + int(binary.LittleEndian.Uint64(b))
				binary.LittleEndian.PutUint32(b[head:], math.Float32bits(float32(math.NaN())))
				binary.LittleEndian.PutUint32(b[len(b)-4:], math.Float32bits(float32(math.Inf(-1))))
				return b
			})
		}, []string{"the first at [0", "are NaN or infinite"}},
		{"an encoder", "bert-tokcls", func(dir string) {
			rewrite(t, filepath.Join(dir, "config.json"), func(b []byte) []byte {
				return []byte(strings.Replace(string(b), `"num_hidden_layers": `, `"num_hidden_layers": 1`, 1))
			})
		}, []string{"attention.self.query.weight", "output.LayerNorm.bias"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := copied(t, c.model)
			c.damage(dir)
			o, faults := Check(dir, pool, Choice{})
			if o != nil || len(faults) < min(2, len(c.want)) || len(faults) > maxFaults {
				t.Errorf("%d faults: %v", len(faults), faults)
			}
			all := fmt.Sprint(faults)
			for _, want := range c.want {
				if !strings.Contains(all, want) {
					t.Errorf("no fault says %q: %s", want, all)
				}
			}
		})
	}
}

// TestSurvey: a survey says of every golden model and of every precision what loading shows, and touches nothing of the weights.
func TestSurvey(t *testing.T) {
	pool := kernels.NewPool(2)
	defer pool.Close()
	for _, dir := range goldenFolders(t, "config.json") {
		for _, p := range kernels.Precisions() {
			o, err := Survey(dir, Choice{Precision: p})
			if strings.HasSuffix(dir, "-tokcls") {
				if err == nil || !strings.Contains(err.Error(), "llmlingua2 takes it") {
					t.Errorf("%s: %v", dir, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			l, err := Load(dir, pool, Choice{Precision: p})
			if err != nil {
				t.Fatal(err)
			}
			got, want := o.Shape, l.Shape()
			got.Rotate, want.Rotate = nil, nil // functions
			if fmt.Sprint(got) != fmt.Sprint(want) || o.Precision != l.Precision || fmt.Sprint(o.Notes) != fmt.Sprint(l.Notes()) {
				t.Errorf("%s: %+v, %v, %v; loaded %+v, %v, %v", dir, got, o.Precision, o.Notes, want, l.Precision, l.Notes())
			}
			if params, bytes := l.Weights.Size(); o.Params != params || o.Stored != bytes || len(o.DTypes) == 0 {
				t.Errorf("%s: %d numbers, %d bytes, %v; loaded %d, %d", dir, o.Params, o.Stored, o.DTypes, params, bytes)
			}
			if m := o.Memory; m.Packed < o.Stored/3 || m.Mapped <= 0 || m.Values <= 0 || m.Sum() != m.Packed+m.Mapped+m.Values || o.Scratch(2) <= o.Scratch(1) {
				t.Errorf("%s: %+v, scratch %d and %d", dir, m, o.Scratch(1), o.Scratch(2))
			}
			l.Close()
		}
	}
}

// TestSurveyReadsNothing takes the weights away once the files are mapped: whoever reads them now, faults.
func TestSurveyReadsNothing(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for _, dir := range goldenFolders(t, "generation_config.json") {
		name := filepath.Base(dir)
		dir := copied(t, name)
		c, err := openCheckpoint(dir)
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "model*.safetensors"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			if err := os.Truncate(f, 1); err != nil {
				t.Fatal(err)
			}
		}
		if _, faults := c.survey(Choice{Precision: kernels.PrecisionF32, PackCache: dir, packAll: true}); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
		if err := c.weights.Close(); err != nil {
			t.Error(err)
		}
	}
}
