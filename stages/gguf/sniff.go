package gguf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

const magic = "GGUF"

// A signature recognises a file of another format by its first bytes.
type signature struct {
	prefix string
	advice string
}

const notRead = "Pickled checkpoints can run code and are never read: take the model's .gguf or .safetensors files"

// signatures lists what people pass by mistake. Pickle's protocol byte 0x80 is followed by the protocol, 2 to 5.
var signatures = []signature{
	{"PK\x03\x04", "a zip archive, as PyTorch (.bin, .pt) and NumPy (.npz) write them. " + notRead},
	{"\x80\x02", "a Python pickle (.bin, .pt, .ckpt). " + notRead},
	{"\x80\x03", "a Python pickle (.bin, .pt, .ckpt). " + notRead},
	{"\x80\x04", "a Python pickle (.bin, .pt, .ckpt). " + notRead},
	{"\x80\x05", "a Python pickle (.bin, .pt, .ckpt). " + notRead},
	{"FUGG", "a GGUF file of a big-endian machine, which is not read. Take the little-endian file, or convert it (gguf_convert_endian.py)"},
	{"tjgg", "a GGJT file, what GGUF was before 2023. Convert the model anew"},
	{"lmgg", "a GGML file, what GGUF was before 2023. Convert the model anew"},
	{"fmgg", "a GGMF file, what GGUF was before 2023. Convert the model anew"},
	{"version https://git-lfs", "a Git LFS pointer, not the file itself. Run `git lfs pull` in the model's folder, or download the file"},
	{"<!doctype html", "an HTML page, probably a login or error page saved under this name. Download the file itself"},
	{"<html", "an HTML page, probably a login or error page saved under this name. Download the file itself"},
	{"{", "JSON text, probably a server's error message saved under this name. Download the file itself"},
}

// sniff checks magic and version.
func sniff(b []byte) error {
	switch {
	case len(b) == 0:
		return errors.New("the file is empty; download it again")
	case !bytes.HasPrefix(b, []byte(magic)):
		return foreign(b)
	case len(b) < 24:
		return fmt.Errorf("truncated: %d bytes, shorter than the smallest GGUF file; download it again", len(b))
	}
	version := binary.LittleEndian.Uint32(b[4:])
	switch {
	case version == 2 || version == 3:
		return nil
	case version == 1:
		return errors.New("version 1 of GGUF, of August 2023, is not read; convert the model anew")
	case version&0xffff == 0:
		return fmt.Errorf("the file is big-endian (version %d seen from there), which is not read; take the little-endian file, or convert it (gguf_convert_endian.py)", bits.ReverseBytes32(version))
	}
	return fmt.Errorf("version %d of GGUF is not read; versions 2 and 3 are", version)
}

func foreign(b []byte) error {
	start := bytes.ToLower(bytes.TrimLeft(b[:min(len(b), 256)], " \t\r\n"))
	for _, s := range signatures {
		if bytes.HasPrefix(b, []byte(s.prefix)) || s.prefix[0] == '<' && bytes.HasPrefix(start, []byte(s.prefix)) {
			return fmt.Errorf("not a GGUF file but %s", s.advice)
		}
	}
	if len(b) > 8 && b[8] == '{' {
		return errors.New("not a GGUF file but a safetensors file. Give the folder that holds it and its config.json")
	}
	return fmt.Errorf("not a GGUF file: it begins with %q, not %q; download it again", b[:min(len(b), 4)], magic)
}
