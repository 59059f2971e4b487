package models

import (
	"io/fs"
	"os"
	"path/filepath"
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
