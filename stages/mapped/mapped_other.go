//go:build !unix

package mapped

import (
	"io"
	"os"
)

// File reads the first size bytes of f: the twin of the Unix mapping for systems without one.
func File(f *os.File, size int) (data []byte, unmap func() error, err error) {
	data = make([]byte, size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, nil, err
	}
	return data, func() error { return nil }, nil
}

// Forget can do nothing here.
func Forget([]byte) {}
