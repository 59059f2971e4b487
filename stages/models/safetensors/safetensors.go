// Package safetensors reads the safetensors checkpoint format: an 8-byte little-endian header length, a JSON header
// that gives every tensor's dtype, shape and byte range, and the raw tensor data.
//
// A file is checked completely before the first tensor is handed out: nothing is allocated from a declared length that
// the bytes at hand do not back, and the byte ranges must tile the data with neither hole nor overlap, as the format
// demands. Tensors are views: on Unix the file is mapped, so opening a 16 GB shard costs no memory and no copying.
// Pickled checkpoints are recognised only to be refused; no code here can execute what a file contains.
//
// The header checks are the ones of the reference implementation (huggingface/safetensors, tensor.rs).
//
// Differs from the reference: a name that occurs twice is refused, where there the last one wins, and so are a shape of
// more than 64 dimensions and a header of more than 131072 tensors.
package safetensors

import (
	"fmt"
	"path/filepath"
	"slices"

	"scbench/stages/mapped"
)

// File is one open safetensors file. It is safe for concurrent use until Close.
type File struct {
	name     string
	data     []byte // the whole file
	unmap    func() error
	tensors  map[string]Tensor
	names    []string // sorted
	metadata map[string]string
}

// Open maps the file at path (reads it where mapping is not available) and checks its header. The error names the
// file, what is wrong and what to do. The file must not be truncated by others while it is open: touching a mapped
// page that no longer exists kills the process.
func Open(path string) (*File, error) {
	f, size, err := mapped.Regular(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	defer f.Close() // a mapping outlives its descriptor
	if int64(int(size)) != size {
		return nil, fmt.Errorf("safetensors: %s: %d bytes do not fit this machine's address space", path, size)
	}
	data, unmap, err := mapped.File(f, int(size))
	if err != nil {
		return nil, fmt.Errorf("safetensors: mapping %s: %w", path, err)
	}
	file, err := FromBytes(filepath.Base(path), data)
	if err != nil {
		unmap()
		return nil, err
	}
	file.unmap = unmap
	return file, nil
}

// FromBytes reads a safetensors file that is already in memory; name is used in errors only. Tensors are views of b,
// which must not change afterwards. It has the same checks and errors as Open.
func FromBytes(name string, b []byte) (*File, error) {
	file := &File{name: name, data: b, tensors: map[string]Tensor{}}
	header, body, err := split(b)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %s: %w", name, err)
	}
	tensors, err := file.readHeader(header)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %s: header: %w", name, err)
	}
	if err := attach(tensors, body); err != nil {
		return nil, fmt.Errorf("safetensors: %s: %w", name, err)
	}
	for _, t := range tensors {
		file.tensors[t.Name] = t.Tensor
		file.names = append(file.names, t.Name)
	}
	slices.Sort(file.names)
	return file, nil
}

// Name is the file's name without its folder, or the name given to FromBytes.
func (f *File) Name() string { return f.name }

// Tensor returns the tensor called name, and whether there is one.
func (f *File) Tensor(name string) (Tensor, bool) {
	t, ok := f.tensors[name]
	return t, ok
}

// Forget gives back the memory of a mapped tensor, of which a copy was made: it is read from the file again when it is used
// again. It does nothing to tensors that are not mapped or not there.
func (f *File) Forget(name string) {
	if f.unmap != nil {
		mapped.Forget(f.tensors[name].Data)
	}
}

// Names lists the tensors in ascending order. The caller owns the slice.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Metadata is the header's free-form __metadata__ table, nil where the file has none. It must not be changed.
func (f *File) Metadata() map[string]string { return f.metadata }

// Close unmaps the file. Every tensor's Data, and every view made of it, is invalid afterwards; reading one of a
// mapped file crashes the process. A second Close does nothing.
func (f *File) Close() error {
	unmap := f.unmap
	f.unmap, f.data, f.tensors, f.names = nil, nil, nil, nil
	if unmap == nil {
		return nil
	}
	if err := unmap(); err != nil {
		return fmt.Errorf("safetensors: closing %s: %w", f.name, err)
	}
	return nil
}
