package safetensors

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// Tensor is one tensor of a file.
type Tensor struct {
	Name  string
	DType string // as the format spells it: F32, BF16, I64, …
	Shape []int  // empty for a scalar; row-major, the last dimension is contiguous
	Data  []byte // a view of the file, little-endian, of no particular alignment; must not be written to
}

// Len is the number of elements, 1 for a scalar.
func (t Tensor) Len() int {
	n := 1 // cannot overflow: the reader has checked the product
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// A dtype is an element type of the format with its width; some are narrower than a byte.
type dtype struct {
	name string
	bits uint64
}

// dtypes lists the format's element types, widest last.
var dtypes = []dtype{
	{"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6},
	{"BOOL", 8}, {"U8", 8}, {"I8", 8}, {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8},
	{"I16", 16}, {"U16", 16}, {"F16", 16}, {"BF16", 16},
	{"I32", 32}, {"U32", 32}, {"F32", 32},
	{"C64", 64}, {"F64", 64}, {"I64", 64}, {"U64", 64},
}

// byteSize is the number of bytes of a tensor; a product that overflows is an error, and so is a partly filled byte.
func byteSize(name string, shape []int) (uint64, error) {
	i := slices.IndexFunc(dtypes, func(d dtype) bool { return d.name == name })
	if i < 0 {
		return 0, fmt.Errorf("unknown dtype %.100q", name)
	}
	size := dtypes[i].bits
	empty := slices.Contains(shape, 0)
	for _, d := range shape {
		high, low := bits.Mul64(size, uint64(max(d, 1)))
		if high != 0 {
			return 0, fmt.Errorf("shape %v overflows", shape)
		}
		size = low
	}
	switch {
	case empty:
		return 0, nil
	case size%8 != 0:
		return 0, fmt.Errorf("%s %v does not fill whole bytes", name, shape)
	}
	return size / 8, nil
}

// attach gives every entry its bytes and checks that together they tile the data exactly.
func attach(entries []entry, body []byte) error {
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.Name, b.Name))
	})
	have, at := uint64(len(body)), uint64(0)
	for i := range entries {
		e := &entries[i]
		switch {
		case e.begin < at:
			return fmt.Errorf("tensor %.100q begins at byte %d, inside the one before it, which ends at %d; download the file again", e.Name, e.begin, at)
		case e.begin > at:
			return fmt.Errorf("a hole of %d bytes before tensor %.100q; download the file again", e.begin-at, e.Name)
		}
		at = e.end
	}
	switch {
	case at > have:
		return fmt.Errorf("truncated: %d bytes are missing (%d of %d bytes of tensor data are there); download it again", at-have, have, at)
	case at < have:
		return fmt.Errorf("%d bytes follow the last tensor; download it again", have-at)
	}
	for i := range entries {
		e := &entries[i]
		e.Data = body[e.begin:e.end:e.end]
	}
	return nil
}
