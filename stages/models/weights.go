package models

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/zeebo/blake3"

	"scbench/kernels"
	"scbench/stages/models/safetensors"
)

// Weights are the tensors of one checkpoint: a folder with a single model.safetensors or the shards that
// model.safetensors.index.json lists, or a GGUF file, whose tensors have the names they would have in such a folder. Tensors are views of
// the mapped files and live until Close. Weights are safe for concurrent use.
type Weights struct {
	name     string // the folder, for messages
	files    []tensorFile
	owner    map[string]tensorFile // tensor → its file
	forms    map[string]form       // of tensors that are not computed from as they lie; nil: all are
	names    []string              // sorted
	unlisted []string              // tensors in shards that the index does not mention, sorted
	notes    []string
	decoding func() error // what was wrong with tensors that were decoded; nil: none are
	params   int64        // of all tensors
	bytes    int64

	mu   sync.Mutex
	used map[string]bool
	hash string // empty until first asked for
}

// tensorFile is one open file of tensors.
type tensorFile interface {
	Name() string
	Names() []string
	Tensor(name string) (safetensors.Tensor, bool)
	Forget(name string)
	Close() error
}

// OpenWeights maps the safetensors files of the folder dir. A folder that has only pickles, an index that does not
// match its shards and a damaged file are errors that say what to do.
func OpenWeights(dir string) (*Weights, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("weights: %w; give the folder of a Hugging Face checkpoint", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("weights: %s is a file; give the folder that holds it", dir)
	}
	return readWeights(dir, os.DirFS(dir), func(name string) (*safetensors.File, error) {
		return safetensors.Open(filepath.Join(dir, name))
	})
}

// FSWeights reads the checkpoint at the root of fsys into memory, as for the embedded one; OpenWeights maps instead.
func FSWeights(fsys fs.FS) (*Weights, error) {
	return readWeights("embedded checkpoint", fsys, func(name string) (*safetensors.File, error) {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		return safetensors.FromBytes(name, b)
	})
}

// readWeights opens the files that hold the weights and decides which of them owns which tensor.
func readWeights(name string, fsys fs.FS, open func(string) (*safetensors.File, error)) (_ *Weights, err error) {
	w := &Weights{name: name, owner: map[string]tensorFile{}, used: map[string]bool{}}
	defer func() {
		if err != nil {
			w.Close()
			err = fmt.Errorf("weights of %s: %w", name, err)
		}
	}()
	shards, index, err := shardsOf(fsys)
	if err != nil {
		return nil, err
	}
	holder := map[string]string{} // the shard that has it, listed or not
	for _, shard := range shards {
		f, err := open(shard)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("shard %s, which %s lists, is missing; download it: %w", shard, indexFile, err)
		}
		if err != nil {
			return nil, err
		}
		w.files = append(w.files, f)
		for _, tensor := range f.Names() {
			if other := holder[tensor]; other != "" {
				return nil, fmt.Errorf("tensor %q is in %s and in %s: which of them a program takes is chance; download the checkpoint again", tensor, other, shard)
			}
			holder[tensor] = shard
			if index == nil || index.Shard[tensor] == shard {
				w.owner[tensor] = f
			} else if index.Shard[tensor] == "" {
				w.unlisted = append(w.unlisted, tensor)
			}
		}
	}
	for tensor := range w.owner {
		w.names = append(w.names, tensor)
	}
	slices.Sort(w.names)
	w.count()
	slices.Sort(w.unlisted)
	if index != nil {
		return w, w.match(index)
	}
	return w, nil
}

// count adds up the sizes of all tensors.
func (w *Weights) count() {
	for _, tensor := range w.names {
		t, _ := w.owner[tensor].Tensor(tensor)
		w.params += int64(t.Len())
		w.bytes += int64(len(t.Data))
	}
}

// match checks that every tensor of the index is in the shard it names.
func (w *Weights) match(index *shardIndex) error {
	for _, tensor := range index.names {
		if w.owner[tensor] == nil {
			return fmt.Errorf("%s: tensor %q is not in the shard named for it, %s; download the checkpoint again", indexFile, tensor, index.Shard[tensor])
		}
	}
	if index.TotalSize != 0 && index.TotalSize != w.bytes {
		w.notes = append(w.notes, fmt.Sprintf("weights of %s: %s promises %d bytes, the tensors have %d", w.name, indexFile, index.TotalSize, w.bytes))
	}
	return nil
}

// fault is what was wrong with tensors that have been decoded so far.
func (w *Weights) fault() error {
	if w.decoding == nil {
		return nil
	}
	return w.decoding()
}

// Notes says what is odd about the checkpoint without being wrong; usually it is empty.
func (w *Weights) Notes() []string { return w.notes }

// Names lists the tensors in ascending order. The caller owns the slice.
func (w *Weights) Names() []string { return slices.Clone(w.names) }

// Has reports whether there is a tensor of that name. It does not count as use.
func (w *Weights) Has(name string) bool { return w.owner[name] != nil }

// Tensor returns a tensor as it lies in its file.
func (w *Weights) Tensor(name string) (safetensors.Tensor, error) {
	f := w.owner[name]
	if f == nil {
		return safetensors.Tensor{}, fmt.Errorf("weights of %s: tensor %q is missing; the checkpoint is incomplete or of another architecture", w.name, name)
	}
	w.mu.Lock()
	w.used[name] = true
	w.mu.Unlock()
	t, _ := f.Tensor(name)
	return t, nil
}

// Forget gives back the memory of a tensor that has been copied and will hardly be read again; if it is, all is as before.
func (w *Weights) Forget(name string) {
	if f := w.owner[name]; f != nil {
		f.Forget(name)
	}
}

// Matrix views the tensor name, of shape [rows, cols] and type F32, BF16 or F16, without copying it. A tensor of a GGUF file that is stored
// in another form is decoded row by row, where and when it is read.
func (w *Weights) Matrix(name string, rows, cols int) (*kernels.Matrix, error) {
	t, dt, err := w.typed(name, rows, cols)
	if err != nil {
		return nil, err
	}
	if f := w.forms[name]; f.row != nil {
		return kernels.NewMatrixOf(dt, rows, cols, f.row), nil
	}
	m, err := kernels.NewMatrix(dt, t.Data, rows, cols)
	if err != nil {
		return nil, fmt.Errorf("weights of %s: %s: tensor %q: %w", w.name, w.owner[name].Name(), name, err)
	}
	return m, nil
}

// Vector returns the n values of the tensor name, of type F32, BF16 or F16, widened to float32. The caller owns them.
func (w *Weights) Vector(name string, n int) ([]float32, error) {
	return w.values(name, n)
}

// values returns all numbers of a tensor, widened to float32.
func (w *Weights) values(name string, shape ...int) ([]float32, error) {
	t, dt, err := w.typed(name, shape...)
	if err != nil {
		return nil, err
	}
	out := make([]float32, t.Len())
	f := w.forms[name]
	if f.row == nil {
		kernels.Widen(out, dt, t.Data)
		return out, nil
	}
	cols := shape[len(shape)-1]
	row := make([]byte, cols*dt.Size())
	for i := range len(out) / cols {
		f.row(row, i)
		kernels.Widen(out[i*cols:][:cols], dt, row)
	}
	return out, nil
}

// Buffer returns a tensor's bytes as an Arrow buffer that views the mapped file, nil if there is no such tensor.
func (w *Weights) Buffer(name string) *memory.Buffer {
	t, err := w.Tensor(name)
	if err != nil {
		return nil
	}
	return memory.NewBufferBytes(t.Data)
}

// storage lists the types that kernels compute with.
var storage = []kernels.DType{kernels.F32, kernels.BF16, kernels.F16}

// typed returns a tensor of the wanted shape and the type that is computed from.
func (w *Weights) typed(name string, shape ...int) (safetensors.Tensor, kernels.DType, error) {
	t, err := w.Tensor(name)
	if err != nil {
		return t, 0, err
	}
	if !slices.Equal(t.Shape, shape) {
		return t, 0, fmt.Errorf("weights of %s: %s: tensor %q has shape %v, want %v: configuration and weights are not of one model", w.name, w.owner[name].Name(), name, t.Shape, shape)
	}
	if f := w.forms[name]; f.row != nil {
		return t, f.dt, nil
	}
	for _, dt := range storage {
		if strings.EqualFold(dt.String(), t.DType) {
			return t, dt, nil
		}
	}
	return t, 0, fmt.Errorf("weights of %s: %s: tensor %q is stored as %s, want F32, BF16 or F16: quantised checkpoints are not supported", w.name, w.owner[name].Name(), name, t.DType)
}

// Size is the number of weights and of their bytes.
func (w *Weights) Size() (params, bytes int64) { return w.params, w.bytes }

// Unused lists, in ascending order, the tensors that nobody has asked for, those included that shards hold although the
// index does not mention them. A model that leaves tensors unused is probably not the model of this checkpoint.
func (w *Weights) Unused() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := slices.Clone(w.unlisted)
	for _, name := range w.names {
		if !w.used[name] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Hash returns the BLAKE3 hash, in hex, of every tensor's name, type, shape and bytes in ascending order of names. It
// does not depend on how the checkpoint is cut into shards or on metadata. The first call reads all weights, and leaves no more
// of them in memory than the largest tensor: most have been forgotten by then, as packed copies take their place.
func (w *Weights) Hash() (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hash != "" {
		return w.hash, nil
	}
	if len(w.names) == 0 {
		return "", fmt.Errorf("weights of %s: nothing to hash: no tensors, or closed", w.name)
	}
	h := blake3.New()
	count := func(n int) { h.Write(binary.LittleEndian.AppendUint64(nil, uint64(n))) }
	for _, name := range w.names {
		t, _ := w.owner[name].Tensor(name)
		for _, part := range [][]byte{[]byte(t.Name), []byte(t.DType)} {
			count(len(part))
			h.Write(part)
		}
		count(len(t.Shape))
		for _, d := range t.Shape {
			count(d)
		}
		count(len(t.Data))
		h.Write(t.Data)
		w.owner[name].Forget(name)
	}
	w.hash = hex.EncodeToString(h.Sum(nil))
	return w.hash, nil
}

// Close unmaps the files. Every view of the weights, and so every model made of them, is invalid afterwards: using one
// crashes the process. A second Close does nothing.
func (w *Weights) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, f := range w.files {
		errs = append(errs, f.Close())
	}
	w.files, w.names, w.unlisted = nil, nil, nil
	clear(w.owner)
	return errors.Join(errs...)
}
