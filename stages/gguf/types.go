package gguf

import "fmt"

// Type is how a tensor's numbers are stored: ggml_type of the format.
type Type uint32

// Types that tensors may have: plain numbers, and blocks that share scales.
const (
	F32  Type = 0
	F16  Type = 1
	Q4_0 Type = 2
	Q4_1 Type = 3
	Q5_0 Type = 6
	Q5_1 Type = 7
	Q8_0 Type = 8
	Q2_K Type = 10
	Q3_K Type = 11
	Q4_K Type = 12
	Q5_K Type = 13
	Q6_K Type = 14
	IQ4N Type = 20 // IQ4_NL
	IQ4X Type = 23 // IQ4_XS
	BF16 Type = 30
)

// typeInfo is what the format says of a type: numbers in a block and its bytes; 0 where it is not read.
type typeInfo struct {
	name          string
	values, bytes int
	decode        func(dst []float32, block []byte)
}

// types lists all types of the format, so that those which are not read can be refused by name.
var types = map[Type]typeInfo{
	F32: {"F32", 1, 4, nil}, F16: {"F16", 1, 2, nil}, BF16: {"BF16", 1, 2, nil},
	Q4_0: {"Q4_0", 32, 18, decodeQ40}, Q4_1: {"Q4_1", 32, 20, decodeQ41},
	Q5_0: {"Q5_0", 32, 22, decodeQ50}, Q5_1: {"Q5_1", 32, 24, decodeQ51},
	Q8_0: {"Q8_0", 32, 34, decodeQ80},
	Q2_K: {"Q2_K", 256, 84, decodeQ2K}, Q3_K: {"Q3_K", 256, 110, decodeQ3K}, Q4_K: {"Q4_K", 256, 144, decodeQ4K},
	Q5_K: {"Q5_K", 256, 176, decodeQ5K}, Q6_K: {"Q6_K", 256, 210, decodeQ6K},
	IQ4N: {"IQ4_NL", 32, 18, decodeIQ4NL}, IQ4X: {"IQ4_XS", 256, 136, decodeIQ4XS},
	9: {name: "Q8_1"}, 15: {name: "Q8_K"}, 16: {name: "IQ2_XXS"}, 17: {name: "IQ2_XS"}, 18: {name: "IQ3_XXS"}, 19: {name: "IQ1_S"},
	21: {name: "IQ3_S"}, 22: {name: "IQ2_S"}, 24: {name: "I8"}, 25: {name: "I16"},
	26: {name: "I32"}, 27: {name: "I64"}, 28: {name: "F64"}, 29: {name: "IQ1_M"}, 34: {name: "TQ1_0"}, 35: {name: "TQ2_0"},
	39: {name: "MXFP4"}, 40: {name: "NVFP4"},
}

// Readable is the names of the types that are read.
const Readable = "F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL and IQ4_XS"

// String is the type's name as llama.cpp has it.
func (t Type) String() string {
	if info, ok := types[t]; ok {
		return info.name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// Block returns how many numbers of the type are stored together and in how many bytes; a number that stands for itself is a block of one.
func (t Type) Block() (values, bytes int) {
	return types[t].values, types[t].bytes
}

// Quantised says whether the type's numbers are stored in blocks that share scales.
func (t Type) Quantised() bool { return types[t].decode != nil }

// Decode writes the numbers of blocks of quantised type t, in llama.cpp's order: dst has as many as the blocks. It panics if it has
// another number or t is not quantised.
//
// Same as the reference (ggml-quants.c, dequantize_row_*): every product and sum is rounded to float32.
func Decode(dst []float32, t Type, blocks []byte) {
	info := types[t]
	if info.decode == nil || len(blocks)%info.bytes != 0 || len(blocks)/info.bytes*info.values != len(dst) {
		panic(fmt.Sprintf("gguf: Decode: %d bytes of %v to %d numbers", len(blocks), t, len(dst)))
	}
	for ; len(blocks) > 0; dst, blocks = dst[info.values:], blocks[info.bytes:] {
		info.decode(dst[:info.values], blocks[:info.bytes])
	}
}
