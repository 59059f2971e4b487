package outputs

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/zeebo/blake3"
)

// File is a finished file of a run, as the manifest lists it.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Blake3 string `json:"blake3"` // hex
}

// draft is a file being written under a temporary name; publish gives it its own.
type draft struct {
	f     *os.File
	path  string
	buf   *bufio.Writer
	hash  *blake3.Hasher
	bytes int64
}

func newDraft(dir, name string) (*draft, error) {
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("outputs: cannot write %s: %w", path, err)
	}
	return &draft{f: f, path: path, buf: bufio.NewWriterSize(f, 1<<16), hash: blake3.New()}, nil
}

func (d *draft) Write(p []byte) (int, error) {
	n, err := d.buf.Write(p)
	d.hash.Write(p[:n])
	d.bytes += int64(n)
	return n, err
}

// seal forces the bytes to the disk and says what they are. The file still has its temporary name.
func (d *draft) seal() (File, error) {
	if err := errors.Join(d.buf.Flush(), d.f.Sync(), d.f.Close()); err != nil {
		os.Remove(d.path + ".tmp")
		return File{}, fmt.Errorf("outputs: cannot write %s (finished rows are safe in the journal): %w", d.path, err)
	}
	return File{Name: filepath.Base(d.path), Bytes: d.bytes, Blake3: hex.EncodeToString(d.hash.Sum(nil))}, nil
}

// discard drops what was written.
func (d *draft) discard() {
	d.f.Close()
	os.Remove(d.path + ".tmp")
}

// publish renames sealed files of dir into place, in order, and forces the folder to the disk.
func publish(dir string, files ...File) error {
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if err := os.Rename(path+".tmp", path); err != nil {
			return fmt.Errorf("outputs: cannot put %s in place: %w", path, err)
		}
	}
	return syncDir(dir)
}

// writeDraft writes and seals a small file.
func writeDraft(dir, name string, data []byte) (File, error) {
	d, err := newDraft(dir, name)
	if err != nil {
		return File{}, err
	}
	if _, err := d.Write(data); err != nil {
		d.discard()
		return File{}, fmt.Errorf("outputs: cannot write %s: %w", d.path, err)
	}
	return d.seal()
}

// hashFile says what a file is, for comparison with a manifest.
func hashFile(f *os.File) (File, error) {
	h := blake3.New()
	n, err := io.Copy(h, f)
	return File{Name: filepath.Base(f.Name()), Bytes: n, Blake3: hex.EncodeToString(h.Sum(nil))}, err
}
