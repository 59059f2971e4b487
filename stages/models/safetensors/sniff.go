package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// maxHeader is the format's own limit on the header's length, in bytes.
const maxHeader = 100_000_000

// split cuts a file into its JSON header and its tensor data. Both lengths are checked against what is there.
func split(b []byte) (header, body []byte, err error) {
	if len(b) > 8 && b[8] == '{' {
		n := binary.LittleEndian.Uint64(b)
		have := uint64(len(b) - 8)
		switch {
		case n > maxHeader:
			return nil, nil, fmt.Errorf("declares a header of %d bytes, the format allows %d: not a safetensors file, or a damaged one; download it again", n, maxHeader)
		case n > have:
			return nil, nil, fmt.Errorf("truncated inside its header: %d bytes are missing (%d of %d); download it again", n-have, have, n)
		}
		return b[8 : 8+n], b[8+n:], nil
	}
	if err := foreign(b); err != nil {
		return nil, nil, err
	}
	if len(b) <= 8 {
		return nil, nil, fmt.Errorf("truncated: %d bytes, shorter than the smallest safetensors file; download it again", len(b))
	}
	n := binary.LittleEndian.Uint64(b)
	return nil, nil, fmt.Errorf("not a safetensors file: its header (declared length %d bytes, limit %d) does not begin with '{'; download it again", n, maxHeader)
}

// A signature recognises a file of another format by its first bytes. It is consulted only for files whose ninth byte
// is not the '{' of a header, because the length before that may look like anything.
type signature struct {
	prefix string
	advice string
}

const toSafetensors = "Pickled checkpoints can run code and are never read: convert it where it is trusted (safetensors.torch.save_file), or download the model's .safetensors files"

// signatures lists what people pass by mistake. Pickle's protocol byte 0x80 is followed by the protocol, 2 to 5.
var signatures = []signature{
	{"PK\x03\x04", "a zip archive, as PyTorch (.bin, .pt) and NumPy (.npz) write them. " + toSafetensors},
	{"PK\x05\x06", "an empty zip archive. Download the file itself"},
	{"\x80\x02", "a Python pickle (.bin, .pt, .ckpt). " + toSafetensors},
	{"\x80\x03", "a Python pickle (.bin, .pt, .ckpt). " + toSafetensors},
	{"\x80\x04", "a Python pickle (.bin, .pt, .ckpt). " + toSafetensors},
	{"\x80\x05", "a Python pickle (.bin, .pt, .ckpt). " + toSafetensors},
	{"GGUF", "a GGUF file. Give the file itself as the model, under a name that ends in .gguf"},
	{"\x89HDF", "an HDF5 file, as Keras writes them (.h5). Download the model's .safetensors files"},
	{"\x1f\x8b", "a gzip archive. Unpack it"},
	{"PAR1", "a Parquet file"},
	{"version https://git-lfs", "a Git LFS pointer, not the file itself. Run `git lfs pull` in the model's folder, or download the file"},
	{"<!doctype html", "an HTML page, probably a login or error page saved under this name. Download the file itself"},
	{"<html", "an HTML page, probably a login or error page saved under this name. Download the file itself"},
	{"<?xml", "an XML page, probably a server's error message saved under this name. Download the file itself"},
}

const jsonText = "JSON text, probably a server's error message saved under this name. Download the file itself"

// Foreign says what a file that begins with b is, and what to do, if it is of a format that people take for a part of a checkpoint by
// mistake; "" if it is of none of those, or if it is JSON, which other parts are.
func Foreign(b []byte) string {
	start := bytes.ToLower(bytes.TrimLeft(b[:min(len(b), 256)], "\ufeff \t\r\n"))
	for _, s := range signatures {
		if bytes.HasPrefix(b, []byte(s.prefix)) || s.prefix[0] == '<' && bytes.HasPrefix(start, []byte(s.prefix)) {
			return s.advice
		}
	}
	return ""
}

func foreign(b []byte) error {
	what := Foreign(b)
	switch {
	case len(b) == 0:
		return errors.New("the file is empty; download it again")
	case what == "" && b[0] == '{':
		what = jsonText
	}
	if what == "" {
		return nil
	}
	return fmt.Errorf("not a safetensors file but %s", what)
}
