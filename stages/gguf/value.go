package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// kind is the type of a metadata value.
type kind uint32

const (
	kindU8 kind = iota
	kindI8
	kindU16
	kindI16
	kindU32
	kindI32
	kindF32
	kindBool
	kindString
	kindArray
	kindU64
	kindI64
	kindF64
)

var kindNames = [...]string{"u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64"}

// kindSizes is the bytes of a value of each kind; of a string, the least: those of its length.
var kindSizes = [...]int{1, 1, 2, 2, 4, 4, 4, 1, 8, 0, 8, 8, 8}

func (k kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint32(k))
}

// value is one value of the metadata as it lies in the file, already checked.
type value struct {
	kind  kind
	array bool
	n     int    // elements of an array; 1
	raw   []byte // of all elements
}

// Has reports whether the metadata have the key.
func (f *File) Has(key string) bool {
	_, ok := f.values[key]
	return ok
}

// Lookup copies the value of key to dst and says whether there is one; if there is none it leaves dst alone. dst is a *string, *bool,
// *int64, *float64, *[]string, *[]int64, *[]float64 or *[]bool. Integers of any width are read as int64, and numbers of any kind as float64.
// A value of another type is an error that names file, key and both types.
func (f *File) Lookup(key string, dst any) (bool, error) {
	v, ok := f.values[key]
	if !ok {
		return false, nil
	}
	want, array := "", false
	switch dst := dst.(type) {
	case *string:
		want, ok = "a string", one(v, dst, text)
	case *bool:
		want, ok = "a bool", one(v, dst, truth)
	case *int64:
		want, ok = "a whole number", one(v, dst, whole)
	case *float64:
		want, ok = "a number", one(v, dst, number)
	case *[]string:
		want, array, ok = "strings", true, list(v, dst, text)
	case *[]int64:
		want, array, ok = "whole numbers", true, list(v, dst, whole)
	case *[]float64:
		want, array, ok = "numbers", true, list(v, dst, number)
	case *[]bool:
		want, array, ok = "bools", true, list(v, dst, truth)
	default:
		panic(fmt.Sprintf("gguf: Lookup to a %T", dst))
	}
	if ok {
		return true, nil
	}
	if array {
		want = "an array of " + want
	}
	return false, fmt.Errorf("gguf: %s: metadata %q is %s, want %s", f.name, key, v, want)
}

// IsArray reports whether the value of key is an array.
func (f *File) IsArray(key string) bool { return f.values[key].array }

// String describes the value's type.
func (v value) String() string {
	if v.array {
		return fmt.Sprintf("an array of %d %s", v.n, v.kind)
	}
	return "a " + v.kind.String()
}

// A getter reads the first element of a kind and returns how many bytes it takes; 0: it is not of a type that the getter reads.
type getter[T any] func(k kind, raw []byte) (x T, size int)

func one[T any](v value, dst *T, get getter[T]) bool {
	if v.array {
		return false
	}
	x, size := get(v.kind, v.raw)
	if size > 0 {
		*dst = x
	}
	return size > 0
}

func list[T any](v value, dst *[]T, get getter[T]) bool {
	if !v.array {
		return false
	}
	out := make([]T, v.n) // its bytes are there
	raw := v.raw
	for i := range out {
		x, size := get(v.kind, raw)
		if size == 0 {
			return false
		}
		out[i], raw = x, raw[size:]
	}
	*dst = out
	return true
}

func text(k kind, raw []byte) (string, int) {
	if k != kindString {
		return "", 0
	}
	end := 8 + int(binary.LittleEndian.Uint64(raw))
	return string(raw[8:end]), end
}

func truth(k kind, raw []byte) (bool, int) {
	if k != kindBool {
		return false, 0
	}
	return raw[0] == 1, 1
}

func whole(k kind, raw []byte) (int64, int) {
	switch k {
	case kindU8:
		return int64(raw[0]), 1
	case kindI8:
		return int64(int8(raw[0])), 1
	case kindU16:
		return int64(binary.LittleEndian.Uint16(raw)), 2
	case kindI16:
		return int64(int16(binary.LittleEndian.Uint16(raw))), 2
	case kindU32:
		return int64(binary.LittleEndian.Uint32(raw)), 4
	case kindI32:
		return int64(int32(binary.LittleEndian.Uint32(raw))), 4
	case kindU64, kindI64:
		n := binary.LittleEndian.Uint64(raw)
		if k == kindU64 && n > math.MaxInt64 {
			return 0, 0
		}
		return int64(n), 8
	}
	return 0, 0
}

func number(k kind, raw []byte) (float64, int) {
	switch k {
	case kindF32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))), 4
	case kindF64:
		return math.Float64frombits(binary.LittleEndian.Uint64(raw)), 8
	}
	n, size := whole(k, raw)
	return float64(n), size
}
