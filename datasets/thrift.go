package datasets

import (
	"errors"
	"fmt"
	"math"
)

// Types of Thrift's compact protocol. A field that holds a boolean carries its value in its type.
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
	thriftMap    = 11
	thriftStruct = 12
)

// maxThriftDepth bounds the nesting of structs and lists; Parquet's metadata needs less than half of it.
const maxThriftDepth = 16

// errShort says that a value goes on behind the bytes at hand.
var errShort = errors.New("ends within a value")

// thrift reads Thrift's compact protocol from bytes that nobody vouches for. Nothing is allocated: texts are windows on buf and a
// list is walked, not built. Whatever it accepts, a Thrift library reads the same way and without a surprise: lengths lie within buf,
// field numbers ascend (so that none comes twice), 32-bit values have 32 bits. The first failure sticks in err and ends every loop.
type thrift struct {
	buf   []byte
	pos   int
	depth int
	err   error
}

func (t *thrift) fail(err error) {
	if t.err == nil {
		t.err = err
		t.pos = len(t.buf)
	}
}

func (t *thrift) byte() byte {
	if t.pos >= len(t.buf) {
		t.fail(errShort)
		return 0
	}
	b := t.buf[t.pos]
	t.pos++
	return b
}

func (t *thrift) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := t.byte()
		if shift == 63 && b > 1 {
			break
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	t.fail(errors.New("an integer has more than 64 bits"))
	return 0
}

func (t *thrift) i64() int64 {
	v := t.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (t *thrift) i32() int32 {
	v := t.i64()
	if v < math.MinInt32 || v > math.MaxInt32 {
		t.fail(fmt.Errorf("%d does not fit 32 bits", v))
		return 0
	}
	return int32(v)
}

// binary returns a window on the bytes of a text.
func (t *thrift) binary() []byte {
	n := t.uvarint()
	if n > uint64(len(t.buf)-t.pos) {
		t.fail(errShort)
		return nil
	}
	b := t.buf[t.pos : t.pos+int(n)]
	t.pos += int(n)
	return b
}

// list calls each for every element of a list of the given type.
func (t *thrift) list(elem byte, each func()) {
	n, typ := t.listHeader()
	if n > 0 && typ != elem {
		t.fail(fmt.Errorf("a list has elements of type %d, want %d", typ, elem))
	}
	for ; n > 0 && t.err == nil; n-- {
		each()
	}
}

// listHeader returns the length of a list, which is at most the bytes left, since every element takes one.
func (t *thrift) listHeader() (n int, elem byte) {
	h := t.byte()
	size := uint64(h >> 4)
	if size == 15 {
		size = t.uvarint()
	}
	if size > uint64(len(t.buf)-t.pos) {
		t.fail(errShort)
		return 0, 0
	}
	return int(size), h & 15
}

// thriftField is a known field: its number, its type and what reads its value.
type thriftField struct {
	id   int16
	typ  byte
	read func()
}

// structure reads a struct: the known fields with their readers, all others by skipping over them. A known field of another type
// is refused. A boolean has no bytes: its reader is called if the value is the one that stands as its type.
func (t *thrift) structure(known ...thriftField) {
	if t.depth++; t.depth > maxThriftDepth {
		t.fail(errors.New("nested too deeply"))
	}
	last := int16(0)
	for t.err == nil {
		h := t.byte()
		if h == 0 {
			break
		}
		id := last + int16(h>>4)
		if h>>4 == 0 {
			v := t.i32()
			if v > math.MaxInt16 {
				v = -1
			}
			id = int16(v)
		}
		if id <= last {
			t.fail(errors.New("fields are out of order"))
			break
		}
		last = id
		t.field(id, h&15, known)
	}
	t.depth--
}

func (t *thrift) field(id int16, typ byte, known []thriftField) {
	for _, k := range known {
		switch {
		case k.id != id:
			continue
		case k.typ == typ:
			k.read()
		case k.typ > thriftFalse || typ > thriftFalse:
			t.fail(fmt.Errorf("field %d has type %d, want %d", id, typ, k.typ))
		}
		return
	}
	t.skip(typ, true)
}

// skip passes over a value. In a struct a boolean has no bytes of its own, in a list it has one.
func (t *thrift) skip(typ byte, inStruct bool) {
	switch typ {
	case thriftTrue, thriftFalse:
		if !inStruct {
			t.byte()
		}
	case thriftByte:
		t.byte()
	case thriftI16, thriftI32:
		t.i32()
	case thriftI64:
		t.i64()
	case thriftDouble:
		for range 8 {
			t.byte()
		}
	case thriftBinary:
		t.binary()
	case thriftList, thriftSet:
		t.skipList()
	case thriftStruct:
		t.structure()
	default:
		// Maps have this place too: Parquet's metadata has none, and libraries build them by their declared size.
		t.fail(fmt.Errorf("a value has type %d", typ))
	}
}

func (t *thrift) skipList() {
	if t.depth++; t.depth > maxThriftDepth {
		t.fail(errors.New("nested too deeply"))
	}
	n, elem := t.listHeader()
	for ; n > 0 && t.err == nil; n-- {
		t.skip(elem, false)
	}
	t.depth--
}

// Readers of single values, for the lists of known fields.

func (t *thrift) toI32(id int16, dst *int32) thriftField {
	return thriftField{id, thriftI32, func() { *dst = t.i32() }}
}

func (t *thrift) toI64(id int16, dst *int64) thriftField {
	return thriftField{id, thriftI64, func() { *dst = t.i64() }}
}

// unwanted refuses the field, for the reason given.
func (t *thrift) unwanted(id int16, typ byte, reason string) thriftField {
	return thriftField{id, typ, func() { t.fail(errors.New(reason)) }}
}
