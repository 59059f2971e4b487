package gguf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Limits on what a header can make us allocate beyond its own size, and on what names may be.
const (
	maxKeys    = 1 << 16
	maxTensors = 1 << 17
	maxKey     = 1<<16 - 1 // bytes, of the format
	maxName    = 64        // bytes, of the format
	maxRank    = 4         // of the format
	leastKey   = 8 + 1 + 4 + 1
	leastEntry = 8 + 1 + 4 + 8 + 4 + 8
)

// cursor reads a header front to back and never beyond its end.
type cursor struct {
	b  []byte
	at int
}

// errShort is what is wrong where the bytes end early.
var errShort = errors.New("the file ends inside its header; download it again")

// take returns the next n bytes.
func (c *cursor) take(n uint64) ([]byte, error) {
	if n > uint64(len(c.b)-c.at) {
		return nil, fmt.Errorf("at byte %d: %w (%d bytes wanted, %d there)", c.at, errShort, n, len(c.b)-c.at)
	}
	part := c.b[c.at : c.at+int(n)]
	c.at += int(n)
	return part, nil
}

func (c *cursor) u32() (uint32, error) {
	b, err := c.take(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

func (c *cursor) u64() (uint64, error) {
	b, err := c.take(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// name reads a string of 1 to limit printable ASCII characters, or, if wide, of any but NUL.
func (c *cursor) name(limit uint64, wide bool) (string, error) {
	n, err := c.u64()
	if err != nil {
		return "", err
	}
	if n == 0 || n > limit {
		return "", fmt.Errorf("at byte %d: a name of %d bytes, want 1 to %d", c.at, n, limit)
	}
	b, err := c.take(n)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(b, func(x byte) bool { return x == 0 || !wide && (x <= ' ' || x > '~') }) {
		return "", fmt.Errorf("at byte %d: the name %.100q has characters that names do not have", c.at, b)
	}
	return string(b), nil
}

// fromBytes parses and checks one file.
func fromBytes(name string, b []byte) (*File, error) {
	f := &File{name: name, values: map[string]value{}, tensors: map[string]Tensor{}, parts: 1}
	if err := f.read(b); err != nil {
		return nil, fmt.Errorf("gguf: %s: %w", name, err)
	}
	return f, nil
}

func (f *File) read(b []byte) error {
	if err := sniff(b); err != nil {
		return err
	}
	c := &cursor{b, 8}
	tensors, err := c.count("tensors", maxTensors, leastEntry)
	if err != nil {
		return err
	}
	keys, err := c.count("metadata keys", maxKeys, leastKey)
	if err != nil {
		return err
	}
	for i := range keys {
		if err := f.readValue(c); err != nil {
			return fmt.Errorf("metadata %d of %d: %w", i+1, keys, err)
		}
	}
	if err := f.readSplit(); err != nil {
		return err
	}
	align, err := f.alignment()
	if err != nil {
		return err
	}
	entries := make([]entry, 0, tensors)
	for i := range tensors {
		e, err := readEntry(c)
		if err != nil {
			return fmt.Errorf("tensor %d of %d: %w", i+1, tensors, err)
		}
		entries = append(entries, e)
	}
	return f.attach(entries, c.at, align, b)
}

// count reads how many things of at least size bytes follow.
func (c *cursor) count(what string, limit, size uint64) (int, error) {
	n, err := c.u64()
	if err != nil {
		return 0, err
	}
	if left := uint64(len(c.b) - c.at); n > limit || n > left/size {
		return 0, fmt.Errorf("declares %d %s; the format's readers take %d, and the file has room for %d: it is damaged or cut off", n, what, limit, left/size)
	}
	return int(n), nil
}

// readValue reads one key and its value.
func (f *File) readValue(c *cursor) error {
	key, err := c.name(maxKey, false)
	if err != nil {
		return err
	}
	if f.Has(key) {
		return fmt.Errorf("%.100q occurs twice", key)
	}
	v, err := c.value()
	if err != nil {
		return fmt.Errorf("%.100q: %w", key, err)
	}
	f.keys, f.values[key] = append(f.keys, key), v
	return nil
}

func (c *cursor) value() (v value, err error) {
	k, err := c.u32()
	if err != nil {
		return v, err
	}
	v = value{kind: kind(k), n: 1}
	if v.kind == kindArray {
		if k, err = c.u32(); err != nil {
			return v, err
		}
		n, err := c.u64()
		if err != nil {
			return v, err
		}
		v.kind, v.array = kind(k), true
		if v.kind == kindArray {
			return v, errors.New("arrays of arrays are not read, by llama.cpp neither")
		}
		if size := v.kind.size(); size > 0 && n > uint64(len(c.b)-c.at)/uint64(size) {
			return v, fmt.Errorf("declares an array of %d elements: %w", n, errShort)
		}
		v.n = int(n)
	}
	if v.kind.size() == 0 {
		return v, fmt.Errorf("has a value of unknown type, %d; the file is damaged or newer than this program", uint32(v.kind))
	}
	start := c.at
	if err := c.skip(v); err != nil {
		return v, err
	}
	v.raw = c.b[start:c.at:c.at]
	return v, nil
}

// size is the least bytes of a value; 0: there is no such kind, or it is an array.
func (k kind) size() int {
	if int(k) < len(kindSizes) {
		return kindSizes[k]
	}
	return 0
}

// skip passes over a value's elements and checks them.
func (c *cursor) skip(v value) error {
	if v.kind != kindString {
		b, err := c.take(uint64(v.n) * uint64(v.kind.size()))
		if err == nil && v.kind == kindBool && slices.ContainsFunc(b, func(x byte) bool { return x > 1 }) {
			err = errors.New("has a bool that is neither 0 nor 1")
		}
		return err
	}
	for range v.n {
		n, err := c.u64()
		if err != nil {
			return err
		}
		if _, err := c.take(n); err != nil {
			return err
		}
	}
	return nil
}

// alignment is what tensors begin at multiples of.
func (f *File) alignment() (uint64, error) {
	const key, most = "general.alignment", 1 << 20
	n := int64(32)
	if _, err := f.Lookup(key, &n); err != nil {
		return 0, err
	}
	if n < 1 || n > most || n&(n-1) != 0 {
		return 0, fmt.Errorf("%s is %d, want a power of two up to %d", key, n, most)
	}
	return uint64(n), nil
}
