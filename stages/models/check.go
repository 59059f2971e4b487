package models

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"slices"

	"scbench/kernels"
	"scbench/stages/models/safetensors"
)

// Check looks for all that is wrong with the checkpoint in the folder dir and returns it, up to a hundred faults, each of which names file,
// tensor or field: files that are missing, damaged or of another format, tensors that the architecture asks for and does not find, or of
// another shape or type, tensors that it does not know, a configuration that is not understood, and weights that are not numbers. It reads
// all weights once. The outline is nil where there are faults; of an encoder it has sizes, and no shape but the vocabulary. Tokenizer and template are not the concern of this package.
func Check(dir string, pool *kernels.Pool, p Choice) (*Outline, []error) {
	if faults := checkFiles(dir); len(faults) > 0 {
		return nil, faults
	}
	c, err := openCheckpoint(dir)
	if err != nil {
		return nil, []error{err}
	}
	var o *Outline
	var faults []error
	if isEncoder(c.config) {
		o, faults = &Outline{Config: c.config, Architecture: Architecture{Name: c.config.Architectures[0]}}, surveyEncoder(c)
		o.Shape.Vocab, o.DTypes = c.config.Vocab, c.weights.dtypes()
		o.Params, o.Stored = c.weights.Size()
	} else {
		o, faults = c.survey(p)
	}
	faults = append(faults, c.weights.notNumbers(pool)...)
	if err := c.weights.Close(); err != nil {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		o = nil
	}
	return o, faults[:min(len(faults), maxFaults)]
}

// checkFiles opens every file of the weights by itself, so that a damaged one does not hide the next. Nothing is said of a folder that has
// none: opening it says it better.
func checkFiles(dir string) (faults []error) {
	shards, _, err := shardsOf(os.DirFS(dir))
	if err != nil {
		return nil
	}
	for _, shard := range shards {
		f, err := safetensors.Open(filepath.Join(dir, shard))
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("shard %s, which %s lists, is missing; download it: %w", shard, indexFile, err)
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("weights of %s: %w", dir, err))
		}
	}
	return faults
}

// notNumbers names the tensors that hold NaN or infinities, and the first of them by its index.
func (w *Weights) notNumbers(pool *kernels.Pool) []error {
	found := make([]error, len(w.names))
	pool.Run(len(w.names), func(i int) {
		t, _ := w.owner[w.names[i]].Tensor(w.names[i])
		if first, n := notFinite(t); n > 0 {
			found[i] = fmt.Errorf("weights of %s: %s: tensor %q: %d of %d numbers are NaN or infinite, the first at %v; download the file again",
				w.name, w.owner[t.Name].Name(), t.Name, n, t.Len(), at(t.Shape, first))
		}
		w.decode(t)
		w.Forget(t.Name)
	})
	return slices.DeleteFunc(append(found, w.fault()), func(err error) bool { return err == nil })
}

// decode decodes a tensor that is stored in blocks, so that fault knows of it.
func (w *Weights) decode(t safetensors.Tensor) {
	f := w.forms[t.Name]
	if _, plain := exponents[t.DType]; plain || f.row == nil {
		return
	}
	cols := t.Shape[len(t.Shape)-1]
	row := make([]byte, cols*f.dt.Size())
	for i := range t.Len() / cols {
		f.row(row, i)
	}
}

// exponents are the types of numbers that may be none: how many bytes they have, and the bits of the exponent, which are all set then.
var exponents = map[string]struct {
	size     int
	exponent uint64
}{
	"F64": {8, 0x7ff0_0000_0000_0000}, "F32": {4, 0x7f80_0000_7f80_0000}, "F16": {2, 0x7c00_7c00_7c00_7c00}, "BF16": {2, 0x7f80_7f80_7f80_7f80},
}

// notFinite returns which number of a tensor is the first that is NaN or infinite, and how many are.
func notFinite(t safetensors.Tensor) (first, n int) {
	f, ok := exponents[t.DType]
	if !ok {
		return 0, 0
	}
	sign := uint64(1) << (8*f.size - 1) // of every number in eight bytes
	for shift := 8 * f.size; shift < 64; shift *= 2 {
		sign |= sign << shift
	}
	lowest := f.exponent & -f.exponent // of one number; of every number:
	for shift := 8 * f.size; shift < 64; shift *= 2 {
		lowest |= lowest << shift
	}
	const word = 8
	var last [word]byte
	for lo := 0; lo < len(t.Data); lo += word {
		b := t.Data[lo:]
		if len(b) < word {
			last = [word]byte{}
			copy(last[:], b)
			b = last[:]
		}
		// All ones and one more carry into the place of the sign.
		hits := (binary.LittleEndian.Uint64(b)&f.exponent + lowest) & sign
		for ; hits != 0; hits &= hits - 1 {
			if n == 0 {
				first = lo/f.size + bits.TrailingZeros64(hits)/(8*f.size)
			}
			n++
		}
	}
	return first, n
}

// at is the index of element i of a tensor of that shape.
func at(shape []int, i int) []int {
	out := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		out[d], i = i%shape[d], i/shape[d]
	}
	return out
}
