package mapped

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Regular opens the regular file at path, or the one that a link there leads to, and says how many bytes it has. A folder, a pipe, which
// would block whoever opens it, and a device, which may have no end, are errors; of a file that is not there it wraps fs.ErrNotExist.
func Regular(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err == nil {
		err = regular(path, info)
	}
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// Small reads the file called name in files, as Regular opens it, if it has at most limit bytes.
func Small(files fs.FS, name string, limit int64) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err == nil {
		err = regular(name, info)
	}
	if err != nil {
		return nil, err
	}
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1)) // whatever Stat said
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes, which no such file needs", name, limit)
	}
	return data, nil
}

// regular is an error that says what is not a regular file.
func regular(name string, info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return fmt.Errorf("%s is a folder, not a file", name)
	case mode&fs.ModeNamedPipe != 0:
		return fmt.Errorf("%s is a pipe, not a regular file", name)
	}
	return fmt.Errorf("%s is a device, not a regular file", name)
}
