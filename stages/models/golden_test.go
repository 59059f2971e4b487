package models

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"scbench/stages/models/safetensors"
)

// golden returns a folder of the golden vectors: SCBENCH_GOLDEN's, or the project's.
func golden(t testing.TB, folder string) string {
	t.Helper()
	root := os.Getenv("SCBENCH_GOLDEN")
	if root == "" {
		root = filepath.Join("..", "..", "testdata", "golden")
	}
	dir := filepath.Join(root, folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no golden vectors: %v", err)
	}
	return dir
}

// goldenFolders lists the folders below golden/models that hold the named file.
func goldenFolders(t testing.TB, file string) []string {
	t.Helper()
	root := golden(t, "models")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			out = append(out, dir)
		}
	}
	if len(out) == 0 {
		t.Skipf("no folder in %s holds a %s", root, file)
	}
	return out
}

func openTensors(t testing.TB, path string) *safetensors.File {
	t.Helper()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func readFile(t testing.TB, fsys fs.FS, name string) []byte {
	t.Helper()
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestGoldenCheckpoints reads every tensor of every checkpoint of the golden vectors, mapped and in memory.
func TestGoldenCheckpoints(t *testing.T) {
	for _, dir := range goldenFolders(t, "config.json") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			w, err := OpenWeights(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			inMemory, err := FSWeights(os.DirFS(dir))
			if err != nil {
				t.Fatal(err)
			}
			readEvery(t, w)
			a, err := w.Hash()
			if b, err2 := inMemory.Hash(); err != nil || err2 != nil || a != b {
				t.Errorf("hashes %s (%v) and %s (%v)", a, err, b, err2)
			}
			if len(w.Notes()) != 0 || len(w.Unused()) != 0 {
				t.Errorf("notes %q, unused %q", w.Notes(), w.Unused())
			}
		})
	}
}

// readEvery reads all tensors as the matrices and vectors they are and holds them against the reader's own decoding.
func readEvery(t *testing.T, w *Weights) {
	for _, name := range w.Names() {
		x, err := w.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := x.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		var got []float32
		switch len(x.Shape) {
		case 1:
			if got, err = w.Vector(name, x.Shape[0]); err != nil {
				t.Fatal(err)
			}
		case 2:
			m, err := w.Matrix(name, x.Shape[0], x.Shape[1])
			if err != nil {
				t.Fatal(err)
			}
			got = make([]float32, len(want))
			for i := range m.Rows {
				m.Row(got[i*m.Cols:(i+1)*m.Cols], i)
			}
		default: // convolutions
			got = want
		}
		if !slices.Equal(got, want) || w.Buffer(name).Len() != len(x.Data) {
			t.Errorf("%s is read in two ways", name)
		}
	}
}
