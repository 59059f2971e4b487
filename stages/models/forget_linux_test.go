package models

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// residentOf is how much of the mapped file at path is in this process's memory, in bytes.
func residentOf(t *testing.T, path string) (n int64) {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	inside := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if !strings.HasSuffix(fields[0], ":") { // "from-to rwxp offset device inode path"
			inside = fields[len(fields)-1] == path
		}
		if inside && fields[0] == "Rss:" {
			var kib int64
			if _, err := fmt.Sscan(fields[1], &kib); err != nil {
				t.Fatal(err)
			}
			n += kib << 10
		}
	}
	return n
}

// TestForget: once the weights are packed, hardly anything of the checkpoint's file stays in memory, tied embeddings included: when the
// packed copies are new, when they are mapped from the file of an earlier start, and when the weights are hashed afterwards, which reads
// them all.
func TestForget(t *testing.T) {
	shape := randomLlama("forget", 2, 256, 4, 2, 64, 704, 32<<10) // 16 MiB of embeddings, 3 of layers
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	writeCheckpoint(t, dir, shape)
	path := filepath.Join(dir, singleFile)
	cached := Choice{Precision: kernels.PrecisionBF16, PackCache: filepath.Join(dir, "packs"), packAll: true}
	for _, c := range []struct {
		name   string
		choice Choice
	}{{"packed", Choice{Precision: kernels.PrecisionF32}}, {"packed and kept", cached}, {"mapped", cached}} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Load(dir, nil, c.choice)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			const most = 1 << 20
			if n := residentOf(t, path); n > most {
				t.Errorf("%d bytes of the file are in memory after loading", n)
			}
			if _, err := m.Weights.Hash(); err != nil {
				t.Fatal(err)
			}
			if n := residentOf(t, path); n > most {
				t.Errorf("%d bytes of the file are in memory after hashing", n)
			}
			forward(t, m) // what was forgotten comes back when it is used
			if residentOf(t, path) == 0 {
				t.Error("nothing of the file is in memory after looking up embeddings: this test measures nothing")
			}
		})
	}
}

func forward(t *testing.T, m *Loaded) []float32 {
	t.Helper()
	store := kv.NewStore(memory.NewGoAllocator(), m.PageFormat(), m.Shape().Dim, 0)
	s := engine.NewSession(m.Shape(), store, engine.Policy{})
	defer s.Release()
	out := make([]float32, m.Shape().Vocab)
	if err := m.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: []int32{1, 2, 3, 4, 5}, Logits: out}}); err != nil {
		t.Fatal(err)
	}
	return out
}

// writeCheckpoint writes the random weights of a shape as a Hugging Face folder.
func writeCheckpoint(t *testing.T, dir string, s RandomShape) {
	t.Helper()
	w := s.weights(nil)
	tensors := map[string]tensor{}
	for _, name := range w.Names() {
		x, err := w.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		tensors[name] = tensor{x.DType, x.Shape, x.Data}
	}
	config, err := json.Marshal(s.config)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{singleFile: encode(t, tensors), "config.json": config} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
