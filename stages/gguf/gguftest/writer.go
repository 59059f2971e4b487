// Package gguftest writes GGUF files for tests: any metadata and tensors, and whole models, made from the checkpoint folders of
// Hugging Face by the conventions of llama.cpp's converter.
package gguftest

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"scbench/stages/gguf"
)

// Writer collects what a file is to hold, in order. The zero value is an empty file of version 3 with the usual alignment, 32.
type Writer struct {
	Version   uint32 // 0: 3
	Alignment uint32 // 0: 32, and not said
	keys      []byte
	count     uint64
	table     []byte
	tensors   uint64
	data      []byte
}

// The numbers of the types of metadata values.
const (
	kindU32  = 4
	kindI32  = 5
	kindF32  = 6
	kindBool = 7
	kindText = 8
	kindList = 9
	kindU64  = 10
)

func text(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

func u32(b []byte, n uint32) []byte { return binary.LittleEndian.AppendUint32(b, n) }

// Set adds a key with a value of type uint32, int (as u32), uint64, float32, float64 (as f32), bool, string, []string, []int32, []float32 or
// []bool; of others it panics.
func (w *Writer) Set(key string, v any) {
	w.count++
	w.keys = text(w.keys, key)
	switch v := v.(type) {
	case uint32:
		w.keys = u32(u32(w.keys, kindU32), v)
	case int:
		w.keys = u32(u32(w.keys, kindU32), uint32(v))
	case uint64:
		w.keys = binary.LittleEndian.AppendUint64(u32(w.keys, kindU64), v)
	case float32:
		w.keys = u32(u32(w.keys, kindF32), math.Float32bits(v))
	case float64:
		w.keys = u32(u32(w.keys, kindF32), math.Float32bits(float32(v)))
	case bool:
		w.keys = append(u32(w.keys, kindBool), bit(v))
	case string:
		w.keys = text(u32(w.keys, kindText), v)
	case []string:
		list(w, kindText, v, text)
	case []int32:
		list(w, kindI32, v, func(b []byte, n int32) []byte { return u32(b, uint32(n)) })
	case []float32:
		list(w, kindF32, v, func(b []byte, x float32) []byte { return u32(b, math.Float32bits(x)) })
	case []bool:
		list(w, kindBool, v, func(b []byte, x bool) []byte { return append(b, bit(x)) })
	default:
		panic(fmt.Sprintf("gguftest: Set of a %T", v))
	}
}

func bit(v bool) byte {
	if v {
		return 1
	}
	return 0
}

func list[T any](w *Writer, kind uint32, v []T, one func([]byte, T) []byte) {
	w.keys = binary.LittleEndian.AppendUint64(u32(u32(w.keys, kindList), kind), uint64(len(v)))
	for _, x := range v {
		w.keys = one(w.keys, x)
	}
}

// Add adds a tensor; the last dimension of shape is the contiguous one.
func (w *Writer) Add(name string, t gguf.Type, data []byte, shape ...int) {
	w.tensors++
	w.table = u32(text(w.table, name), uint32(len(shape)))
	for _, d := range slices.Backward(shape) {
		w.table = binary.LittleEndian.AppendUint64(w.table, uint64(d))
	}
	w.table = binary.LittleEndian.AppendUint64(u32(w.table, uint32(t)), uint64(len(w.data)))
	w.data = w.pad(append(w.data, data...))
}

func (w *Writer) pad(b []byte) []byte {
	align := 32
	if w.Alignment != 0 {
		align = int(w.Alignment)
	}
	for len(b)%align != 0 {
		b = append(b, 0)
	}
	return b
}

// Bytes is the file.
func (w *Writer) Bytes() []byte {
	version := w.Version
	if version == 0 {
		version = 3
	}
	if w.Alignment != 0 {
		w.Set("general.alignment", w.Alignment)
	}
	b := u32([]byte("GGUF"), version)
	b = binary.LittleEndian.AppendUint64(b, w.tensors)
	b = binary.LittleEndian.AppendUint64(b, w.count)
	b = append(append(b, w.keys...), w.table...)
	return append(w.pad(b), w.data...)
}
