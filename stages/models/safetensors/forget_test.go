package safetensors

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestForget: a forgotten tensor reads as before, mapped or not.
func TestForget(t *testing.T) {
	const size = 100_000 // bytes, many pages
	data := bytes.Repeat([]byte{1, 2, 3, 4, 5}, size/5)
	b := build(`{"a":{"dtype":"U8","shape":[100000],"data_offsets":[0,100000]}}`, data...)
	path := filepath.Join(t.TempDir(), "a.safetensors")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	fromFile, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer fromFile.Close()
	inMemory, err := FromBytes("a", b)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*File{fromFile, inMemory} {
		f.Forget("a")
		f.Forget("b")
		if tensor, ok := f.Tensor("a"); !ok || !bytes.Equal(tensor.Data, data) {
			t.Errorf("%s: another tensor after Forget", f.Name())
		}
	}
}
