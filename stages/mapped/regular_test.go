package mapped

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRegular opens what is a file, by a link too, and neither folders nor devices, which have no end.
func TestRegular(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(path("file"), []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"link": "file", "gone": "nowhere", "null": os.DevNull} {
		if err := os.Symlink(to, path(link)); err != nil {
			t.Skip(err)
		}
	}
	for _, name := range []string{"file", "link"} {
		f, size, err := Regular(path(name))
		if err != nil || size != 5 {
			t.Fatalf("%s: %d bytes, %v", name, size, err)
		}
		f.Close()
		if b, err := Small(os.DirFS(dir), name, 5); err != nil || string(b) != "12345" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		if _, err := Small(os.DirFS(dir), name, 4); err == nil || !strings.Contains(err.Error(), "more than 4 bytes") {
			t.Errorf("%s of 5 bytes where 4 are read: %v", name, err)
		}
	}
	for name, want := range map[string]string{".": "is a folder", "null": "is a device"} {
		_, _, err := Regular(path(name))
		_, small := Small(os.DirFS(dir), name, 4)
		for _, err := range []error{err, small} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want one that says it %s", name, err, want)
			}
		}
	}
	for _, name := range []string{"gone", "never"} {
		_, _, err := Regular(path(name))
		_, small := Small(os.DirFS(dir), name, 4)
		if !errors.Is(err, fs.ErrNotExist) || !errors.Is(small, fs.ErrNotExist) {
			t.Errorf("%s: %v, %v", name, err, small)
		}
	}
}
