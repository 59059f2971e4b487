// Package gguf reads GGUF, the format of llama.cpp: metadata, a table of tensors, and their data, which may be stored in blocks of
// quantised numbers.
//
// A file is checked completely before anything is handed out: nothing is allocated from a declared length that the bytes at hand do not
// back, names are unique, and the tensors tile the data with no more between them than the padding that the alignment asks for, as
// llama.cpp demands too. Metadata and tensors are views: on Unix the file is mapped, so opening it costs neither memory nor copying.
//
// Versions 2 and 3 are read, little-endian, in one file or in the parts that llama-gguf-split makes of one.
//
// Same as the reference (ggml-org/ggml, docs/gguf.md and gguf.cpp), but that tensors without elements, more than 65536 keys and more
// than 131072 tensors are refused.
package gguf

import (
	"fmt"
	"path/filepath"
	"slices"

	"scbench/stages/mapped"
)

// File is one open GGUF file, with all its parts if it was split. It is safe for concurrent use until Close.
type File struct {
	name    string
	keys    []string // in the file's order
	values  map[string]value
	tensors map[string]Tensor
	names   []string // sorted
	unmap   []func() error
	parts   int // of a split file; 1
	part    int
	total   int // tensors of all parts, 0 where not said
}

// Tensor is one tensor of a file.
type Tensor struct {
	Name  string
	Type  Type
	Shape []int  // the last dimension is contiguous: the file's order, reversed
	Data  []byte // a view of the file; must not be written to
}

// Len is the number of elements.
func (t Tensor) Len() int {
	n := 1 // cannot overflow: the reader has checked the product
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Open maps the file at path (reads it where mapping is not available) and checks it; of a split file path is the first part, and the
// others are opened beside it. The error names the file, what is wrong and what to do. The file must not be truncated by others while
// it is open: touching a mapped page that no longer exists kills the process.
func Open(path string) (*File, error) {
	f, err := openOne(path)
	if err != nil {
		return nil, err
	}
	if err := f.join(path); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// openOne maps one file.
func openOne(path string) (*File, error) {
	f, size, err := mapped.Regular(path)
	if err != nil {
		return nil, fmt.Errorf("gguf: %w", err)
	}
	defer f.Close() // a mapping outlives its descriptor
	if int64(int(size)) != size {
		return nil, fmt.Errorf("gguf: %s: %d bytes do not fit this machine's address space", path, size)
	}
	data, unmap, err := mapped.File(f, int(size))
	if err != nil {
		return nil, fmt.Errorf("gguf: mapping %s: %w", path, err)
	}
	file, err := fromBytes(filepath.Base(path), data)
	if err != nil {
		unmap()
		return nil, err
	}
	file.unmap = append(file.unmap, unmap)
	return file, nil
}

// FromBytes reads a file that is already in memory and that is not split; name is used in errors only. Tensors are views of b, which must
// not change afterwards. It has the same checks and errors as Open.
func FromBytes(name string, b []byte) (*File, error) {
	f, err := fromBytes(name, b)
	if err == nil && f.parts > 1 {
		return nil, fmt.Errorf("gguf: %s is part %d of %d of a split file; give the path of the first part", name, f.part+1, f.parts)
	}
	return f, err
}

// Name is the file's name without its folder, or the name given to FromBytes.
func (f *File) Name() string { return f.name }

// Keys lists the metadata's keys in the file's order. The caller owns the slice.
func (f *File) Keys() []string { return slices.Clone(f.keys) }

// Tensor returns the tensor called name, and whether there is one.
func (f *File) Tensor(name string) (Tensor, bool) {
	t, ok := f.tensors[name]
	return t, ok
}

// Names lists the tensors in ascending order. The caller owns the slice.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Forget gives back the memory of a mapped tensor, of which a copy was made: it is read from the file again when it is used again. It does
// nothing to tensors that are not mapped or not there.
func (f *File) Forget(name string) {
	if len(f.unmap) > 0 {
		mapped.Forget(f.tensors[name].Data)
	}
}

// Close unmaps the file. Every view of it is invalid afterwards; reading one of a mapped file crashes the process. A second Close does
// nothing.
func (f *File) Close() error {
	all := f.unmap
	f.unmap, f.keys, f.values, f.tensors, f.names = nil, nil, nil, nil, nil
	for _, unmap := range all {
		if err := unmap(); err != nil {
			return fmt.Errorf("gguf: closing %s: %w", f.name, err)
		}
	}
	return nil
}
