package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// Limits on what a header can make us allocate beyond its own size: the number of dimensions of a tensor (PyTorch's
// own) and the number of tensors of a file or of metadata (all shards of the largest published models have fewer).
const (
	maxRank    = 64
	maxMembers = 1 << 17
)

// An entry is a tensor of the header before its data is attached.
type entry struct {
	Tensor
	begin, end uint64 // within the data
}

// readHeader parses the JSON header into entries, in the header's order, and keeps the metadata.
func (f *File) readHeader(header []byte) ([]entry, error) {
	if !utf8.Valid(header) {
		return nil, errors.New("not valid UTF-8; download the file again")
	}
	s := scanner{json.NewDecoder(bytes.NewReader(header))}
	s.UseNumber()
	var entries []entry
	err := s.object(func(name string) error {
		if name == "__metadata__" {
			return s.metadata(f)
		}
		e, err := s.entry(name)
		if err != nil {
			return fmt.Errorf("tensor %.100q: %w", name, err)
		}
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if _, err := s.Token(); err != io.EOF {
		return nil, errors.New("more text after the closing brace")
	}
	return entries, nil
}

// scanner walks JSON token by token: unlike unmarshalling, that shows names which occur twice.
type scanner struct{ *json.Decoder }

// object calls value once per member, positioned before its value.
func (s scanner) object(value func(name string) error) error {
	if err := s.delim('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for s.More() {
		name, err := s.text()
		if err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("%.100q occurs twice", name)
		}
		if len(seen) == maxMembers {
			return fmt.Errorf("more than %d members in one object", maxMembers)
		}
		seen[name] = true
		if err := value(name); err != nil {
			return err
		}
	}
	return s.delim('}')
}

func (s scanner) metadata(f *File) error {
	f.metadata = map[string]string{}
	err := s.object(func(key string) (err error) {
		f.metadata[key], err = s.text()
		return err
	})
	if err != nil {
		return fmt.Errorf("__metadata__: %w", err)
	}
	return nil
}

func (s scanner) entry(name string) (entry, error) {
	e := entry{Tensor: Tensor{Name: name}}
	var offsets []uint64
	err := s.object(func(key string) (err error) {
		switch key {
		case "dtype":
			e.DType, err = s.text()
		case "shape":
			var dims []uint64
			dims, err = s.numbers(maxRank)
			e.Shape = make([]int, len(dims))
			for i, d := range dims {
				if e.Shape[i] = int(d); uint64(e.Shape[i]) != d || e.Shape[i] < 0 {
					return fmt.Errorf("dimension %d of the shape is %d, which overflows", i, d)
				}
			}
		case "data_offsets":
			offsets, err = s.numbers(2)
		default:
			return fmt.Errorf("unknown field %.100q", key)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	switch {
	case err != nil:
		return e, err
	case e.DType == "" || e.Shape == nil || len(offsets) != 2:
		return e, errors.New("needs a dtype, a shape and two data_offsets")
	}
	e.begin, e.end = offsets[0], offsets[1]
	return e, e.checkSize()
}

// checkSize holds the declared byte range against dtype and shape.
func (e *entry) checkSize() error {
	size, err := byteSize(e.DType, e.Shape)
	if err != nil {
		return err
	}
	if e.end < e.begin || e.end-e.begin != size {
		return fmt.Errorf("data_offsets [%d, %d] do not hold the %d bytes of %s %v", e.begin, e.end, size, e.DType, e.Shape)
	}
	return nil
}

func (s scanner) delim(want json.Delim) error {
	t, err := s.token()
	if err == nil && t != want {
		err = fmt.Errorf("%.100v where %q belongs", t, want.String())
	}
	return err
}

func (s scanner) text() (string, error) {
	t, err := s.token()
	if err != nil {
		return "", err
	}
	text, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("%.100v where a string belongs", t)
	}
	return text, nil
}

// numbers reads an array of at most limit non-negative integers; it is never nil.
func (s scanner) numbers(limit int) ([]uint64, error) {
	if err := s.delim('['); err != nil {
		return nil, err
	}
	out := []uint64{}
	for s.More() {
		t, err := s.token()
		if err != nil {
			return nil, err
		}
		number, ok := t.(json.Number)
		if !ok {
			return nil, fmt.Errorf("%.100v where a number belongs", t)
		}
		n, err := strconv.ParseUint(number.String(), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s is not a non-negative 64-bit integer", number)
		}
		if len(out) == limit {
			return nil, fmt.Errorf("more than %d numbers", limit)
		}
		out = append(out, n)
	}
	return out, s.delim(']')
}

func (s scanner) token() (json.Token, error) {
	t, err := s.Token()
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return nil, errors.New("the JSON ends early; download the file again")
	case err != nil:
		return nil, fmt.Errorf("not valid JSON at byte %d: %w", s.InputOffset(), err)
	}
	return t, nil
}
