package kernels

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unsafe"
)

// Matrix is a weight [Rows, Cols] in row-major order, Rows being the output features, as checkpoints store it.
// It is a view: the bytes belong to the caller, who must keep them mapped and unchanged.
type Matrix struct {
	Type       DType
	Rows, Cols int
	data       []byte
	f32        []float32 // the same bytes as float32, where type, alignment and byte order allow it
}

// NewMatrix views data as rows·cols little-endian values of type dt, at any alignment. It is an error when the
// type is unknown, a dimension is negative, or data has another length than they say.
func NewMatrix(dt DType, data []byte, rows, cols int) (*Matrix, error) {
	if dt.Size() == 0 || rows < 0 || cols < 0 {
		return nil, fmt.Errorf("kernels: no matrix of %v [%d, %d]: unknown type or negative dimension", dt, rows, cols)
	}
	high, values := bits.Mul64(uint64(rows), uint64(cols))
	over, size := bits.Mul64(values, uint64(dt.Size()))
	if high != 0 || over != 0 || size != uint64(len(data)) {
		return nil, fmt.Errorf("kernels: a matrix of %v [%d, %d] does not fit its %d bytes: the tensor's shape and "+
			"its data disagree", dt, rows, cols, len(data))
	}
	return &Matrix{Type: dt, Rows: rows, Cols: cols, data: data, f32: viewF32(dt, data)}, nil
}

// viewF32 returns data as float32 without a copy, or nil where that is impossible.
func viewF32(dt DType, data []byte) []float32 {
	little := binary.NativeEndian.Uint16([]byte{1, 0}) == 1
	if dt != F32 || len(data) == 0 || !little {
		return nil
	}
	p := unsafe.Pointer(unsafe.SliceData(data))
	if uintptr(p)%unsafe.Alignof(float32(0)) != 0 {
		return nil
	}
	return unsafe.Slice((*float32)(p), len(data)/4)
}

// Row widens row i, for the lookup of an embedding. dst has Cols values.
func (w *Matrix) Row(dst []float32, i int) {
	checkLen("Matrix.Row", "dst", len(dst), 1, w.Cols)
	if uint(i) >= uint(w.Rows) {
		panic(fmt.Sprintf("kernels: Matrix.Row: row %d of a matrix [%d, %d]", i, w.Rows, w.Cols))
	}
	w.widen(dst, i, 0)
}

// widen converts the len(dst) values of row i that start at column c.
func (w *Matrix) widen(dst []float32, i, c int) {
	size := w.Type.Size()
	from := (i*w.Cols + c) * size
	Widen(dst, w.Type, w.data[from:from+len(dst)*size])
}
