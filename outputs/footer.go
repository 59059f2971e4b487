package outputs

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxFooter bounds the footer of a file we read: 100 row groups take 1.5 MB.
const maxFooter = 4 << 20

// checkFooter looks at the frame of a Parquet file and walks its footer, before the library does: the library allocates
// whatever length a footer declares, and running out of memory cannot be recovered from.
func checkFooter(r io.ReaderAt, size int64) error {
	var head [4]byte
	var tail [8]byte
	if size < int64(len(head)+len(tail)) {
		return fmt.Errorf("it has %d bytes, too few for a Parquet file", size)
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return err
	}
	if _, err := r.ReadAt(tail[:], size-int64(len(tail))); err != nil {
		return err
	}
	if string(head[:]) != "PAR1" || string(tail[4:]) != "PAR1" {
		return fmt.Errorf("it does not begin and end as a Parquet file does; it may have been cut off")
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > size-int64(len(head)+len(tail)) || n > maxFooter {
		return fmt.Errorf("its footer claims %d bytes", n)
	}
	footer := make([]byte, n)
	if _, err := r.ReadAt(footer, size-int64(len(tail))-n); err != nil {
		return err
	}
	w := thriftWalk{b: footer}
	w.structure(0)
	if w.bad || len(w.b) != 0 {
		return fmt.Errorf("its footer is not well formed")
	}
	return nil
}

// thriftWalk steps over a value in Thrift's compact protocol, and turns bad where a length exceeds the bytes that exist.
type thriftWalk struct {
	b   []byte
	bad bool
}

// Types of the compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftStruct = 12
)

const maxThriftDepth = 16

func (w *thriftWalk) structure(depth int) {
	for !w.bad {
		h := w.byte()
		if h == 0 {
			return
		}
		if h>>4 == 0 {
			w.varint() // the field's id, where it is no small step from the last
		}
		if t := h & 15; t != thriftTrue && t != thriftFalse { // a boolean field is all in its header
			w.value(t, depth+1)
		}
	}
}

func (w *thriftWalk) value(t byte, depth int) {
	if depth > maxThriftDepth {
		w.bad = true
		return
	}
	switch t {
	case thriftTrue, thriftFalse, thriftByte: // as an element, a boolean is a byte
		w.skip(1)
	case thriftI16, thriftI32, thriftI64:
		w.varint()
	case thriftDouble:
		w.skip(8)
	case thriftBinary:
		w.skip(w.varint())
	case thriftList, thriftSet:
		w.list(depth)
	case thriftStruct:
		w.structure(depth)
	default: // Parquet's metadata have no maps
		w.bad = true
	}
}

func (w *thriftWalk) list(depth int) {
	h := w.byte()
	n := uint64(h >> 4)
	if n == 15 {
		n = w.varint()
	}
	if n > uint64(len(w.b)) { // every element takes a byte at least
		w.bad = true
	}
	for ; n > 0 && !w.bad; n-- {
		w.value(h&15, depth+1)
	}
}

func (w *thriftWalk) byte() byte {
	if len(w.b) == 0 {
		w.bad = true
		return 0
	}
	c := w.b[0]
	w.b = w.b[1:]
	return c
}

func (w *thriftWalk) varint() uint64 {
	v, n := binary.Uvarint(w.b)
	w.skip(uint64(max(n, 0)))
	w.bad = w.bad || n <= 0
	return v
}

func (w *thriftWalk) skip(n uint64) {
	if n > uint64(len(w.b)) {
		w.bad = true
		return
	}
	w.b = w.b[n:]
}
