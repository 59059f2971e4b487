//go:build unix

package mapped

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPipe refuses a pipe, of which opening alone would wait for a writer for ever.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	_, _, err := Regular(path)
	_, small := Small(os.DirFS(dir), "pipe", 10)
	for _, err := range []error{err, small} {
		if err == nil || !strings.Contains(err.Error(), "is a pipe") {
			t.Errorf("%v; want one that says that it is a pipe", err)
		}
	}
}
