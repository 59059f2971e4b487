package gguf

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// An entry is a tensor of the table before its data is attached.
type entry struct {
	Tensor
	begin, size uint64 // of the data
}

func readEntry(c *cursor) (entry, error) {
	var e entry
	var err error
	if e.Name, err = c.name(maxName, true); err != nil {
		return e, err
	}
	rank, err := c.u32()
	if err != nil {
		return e, err
	}
	if rank < 1 || rank > maxRank {
		return e, fmt.Errorf("%.100q has %d dimensions, want 1 to %d", e.Name, rank, maxRank)
	}
	e.Shape = make([]int, rank)
	for i := range e.Shape {
		d, err := c.u64()
		if err != nil {
			return e, err
		}
		if d == 0 || d > math.MaxInt32 {
			return e, fmt.Errorf("%.100q: dimension %d is %d, want 1 to %d", e.Name, i, d, math.MaxInt32)
		}
		e.Shape[len(e.Shape)-1-i] = int(d) // the file has the contiguous one first
	}
	t, err := c.u32()
	if err != nil {
		return e, err
	}
	e.Type = Type(t)
	if e.begin, err = c.u64(); err != nil {
		return e, err
	}
	if err := e.checkSize(); err != nil {
		return e, fmt.Errorf("%.100q: %w", e.Name, err)
	}
	return e, nil
}

// checkSize computes the bytes of the data from type and shape.
func (e *entry) checkSize() error {
	values, size := e.Type.Block()
	if values == 0 {
		return fmt.Errorf("is stored as %v, which is not read; read are %s. Take another file of the model", e.Type, Readable)
	}
	last := e.Shape[len(e.Shape)-1]
	if last%values != 0 {
		return fmt.Errorf("has rows of %d numbers, not a multiple of the %d in a block of %v", last, values, e.Type)
	}
	n := uint64(size) * uint64(last/values)
	for _, d := range e.Shape[:len(e.Shape)-1] {
		high, low := bits.Mul64(n, uint64(d))
		if high != 0 || low > math.MaxInt64 {
			return fmt.Errorf("shape %v overflows", e.Shape)
		}
		n = low
	}
	e.size = n
	return nil
}

// attach gives every entry its bytes, which begin where the header ends at the next multiple of align, and checks that together they tile
// them: each tensor begins at the first multiple of align after the one before it.
func (f *File) attach(entries []entry, header int, align uint64, b []byte) error {
	start := padded(uint64(header), align)
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.begin, b.begin) })
	at := uint64(0)
	for i := range entries {
		e := &entries[i]
		if e.begin != at {
			return fmt.Errorf("tensor %.100q begins at byte %d of the data, where %d follows what is before it: tensors overlap or leave a hole; download the file again", e.Name, e.begin, at)
		}
		if e.begin+e.size < e.begin || start+e.begin+e.size > uint64(len(b)) {
			return fmt.Errorf("truncated: tensor %.100q ends at byte %d of the file, which has %d; download it again", e.Name, start+e.begin+e.size, len(b))
		}
		if _, twice := f.tensors[e.Name]; twice {
			return fmt.Errorf("tensor %.100q occurs twice", e.Name)
		}
		lo, hi := start+e.begin, start+e.begin+e.size
		e.Data = b[lo:hi:hi]
		f.tensors[e.Name], f.names = e.Tensor, append(f.names, e.Name)
		at = padded(e.begin+e.size, align)
	}
	if extra := uint64(len(b)); len(entries) > 0 && extra > start+at {
		return fmt.Errorf("%d bytes follow the last tensor; download the file again", extra-start-at)
	}
	slices.Sort(f.names)
	return nil
}

// padded is the first multiple of align from n on; n is far below what could overflow.
func padded(n, align uint64) uint64 { return (n + align - 1) &^ (align - 1) }

// readSplit reads which part of a split file this is.
func (f *File) readSplit() error {
	parts, part, total := int64(1), int64(0), int64(0)
	_, err1 := f.Lookup("split.count", &parts)
	_, err2 := f.Lookup("split.no", &part)
	_, err3 := f.Lookup("split.tensors.count", &total)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if parts == 0 {
		parts = 1 // llama-gguf-split writes so when it merges
	}
	if parts < 1 || parts > maxParts || part < 0 || part >= parts || total < 0 || total > maxTensors {
		return fmt.Errorf("split.no is %d of split.count %d with split.tensors.count %d: not a part of a split file", part, parts, total)
	}
	f.parts, f.part, f.total = int(parts), int(part), int(total)
	return nil
}
