package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// format is how a file of rows is encoded.
type format int

const (
	formatParquet format = iota
	formatJSONL
)

func (f format) String() string { return [...]string{"Parquet", "JSON lines"}[f] }

// foreign lists what people hand over instead of rows: how the file begins, what it is, and what to do.
var foreign = []struct{ magic, is, do string }{
	{"PK\x03\x04", "a zip archive (PyTorch checkpoints and .npz files are zip archives too)", "unpack it and give the .jsonl or .parquet file inside"},
	{"\x80\x02", pickle, noPickle}, {"\x80\x03", pickle, noPickle}, {"\x80\x04", pickle, noPickle}, {"\x80\x05", pickle, noPickle},
	{"\x1f\x8b", "gzip-compressed", "decompress it with gunzip"},
	{"\x28\xb5\x2f\xfd", "zstd-compressed", "decompress it with unzstd"},
	{"BZh", "bzip2-compressed", "decompress it with bunzip2"},
	{"\xfd7zXZ\x00", "xz-compressed", "decompress it with unxz"},
	{"version https://git-lfs", "a Git LFS pointer and not the data", "fetch the data with git lfs pull, or download the file itself"},
	{"ARROW1", "an Arrow IPC file", "save it as Parquet"},
	{"SQLite format 3", "an SQLite database", "export the rows as JSON lines"},
	{"\x93NUMPY", "a NumPy array", "give the published .jsonl or .parquet file"},
	{"\xff\xfe", "UTF-16 text", "save it as UTF-8 without a byte order mark"},
	{"\xfe\xff", "UTF-16 text", "save it as UTF-8 without a byte order mark"},
	{"\xef\xbb\xbf", "text with a byte order mark", "save it as UTF-8 without one"},
	{"PARE", "an encrypted Parquet file", "write it without encryption"},
}

const (
	pickle   = "a Python pickle"
	noPickle = "pickles can run any code and are never read; give the published .jsonl or .parquet file"
)

// formatOf tells by its first bytes, not by its name, what a file is. Whatever is neither Parquet nor JSON lines is an error that says
// what it looks like and what to do.
func formatOf(path string) (format, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%s: not a regular file; name the .jsonl or .parquet file itself", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	head = head[:n]
	if bytes.HasPrefix(head, []byte("PAR1")) {
		return formatParquet, nil
	}
	for _, k := range foreign {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return 0, fmt.Errorf("%s: this is %s; %s", path, k.is, k.do)
		}
	}
	text := bytes.ToLower(bytes.TrimLeft(head, " \t\r\n"))
	switch {
	case len(text) == 0:
		return 0, fmt.Errorf("%s: the file is empty; download it again", path)
	case text[0] == '{':
		return formatJSONL, nil
	case text[0] == '[':
		return 0, fmt.Errorf("%s: this is one JSON array; write one object a line, as jq -c '.[]' does", path)
	case bytes.HasPrefix(text, []byte("<!doctype")), bytes.HasPrefix(text, []byte("<html")), bytes.HasPrefix(text, []byte("<?xml")):
		return 0, fmt.Errorf("%s: this is a web page and not the data; download the file itself (on Hugging Face: /resolve/, not /blob/)", path)
	case strings.EqualFold(filepath.Ext(path), ".parquet"):
		return 0, fmt.Errorf("%s: the file does not begin as Parquet does; download it again", path)
	}
	return 0, fmt.Errorf("%s: neither Parquet nor JSON lines; give the published .jsonl or .parquet file", path)
}

// wantFormat refuses a file of another format than want and gives the advice.
func wantFormat(path string, want format, advice string) error {
	have, err := formatOf(path)
	if err != nil {
		return err
	}
	if have != want {
		return fmt.Errorf("%s: this is a %s file; %s", path, have, advice)
	}
	return nil
}
