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
	f32        []float32 // the same bytes as values, where type, alignment and byte order allow it
	bf16       []uint16
	row        func(dst []byte, i int) // instead of data, where rows are made when they are read
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
	w := &Matrix{Type: dt, Rows: rows, Cols: cols, data: data}
	switch dt {
	case F32:
		w.f32 = view[float32](data)
	case BF16:
		w.bf16 = view[uint16](data)
	}
	return w, nil
}

// NewMatrixOf is a matrix whose rows are made each time they are read, as for weights that a file stores in another form: row writes the
// cols little-endian values of row i to dst. It is called from several goroutines at once. Nothing is kept but what Pack makes.
func NewMatrixOf(dt DType, rows, cols int, row func(dst []byte, i int)) *Matrix {
	if dt.Size() == 0 || rows < 0 || cols < 0 || row == nil {
		panic(fmt.Sprintf("kernels: NewMatrixOf: %v [%d, %d]", dt, rows, cols))
	}
	return &Matrix{Type: dt, Rows: rows, Cols: cols, row: row}
}

// stored calls use with a matrix that has its bytes, and at which of its rows the rows [lo, hi) of w begin. It ends with use.
func (w *Matrix) stored(lo, hi int, use func(m *Matrix, at int)) {
	if w.row == nil {
		use(w, lo)
		return
	}
	size := w.Cols * w.Type.Size()
	scratch := scratchBytes((hi - lo) * size)
	defer scratchPool.Put(scratch)
	data := (*scratch)[:(hi-lo)*size]
	for i := lo; i < hi; i++ {
		w.row(data[(i-lo)*size:][:size], i)
	}
	m, err := NewMatrix(w.Type, data, hi-lo, w.Cols)
	if err != nil {
		panic(err) // it was made for this
	}
	use(m, 0)
}

// view returns data as values of type T without a copy, or nil where that is impossible.
func view[T float32 | uint16](data []byte) []T {
	var zero T
	little := binary.NativeEndian.Uint16([]byte{1, 0}) == 1
	p := unsafe.Pointer(unsafe.SliceData(data))
	if !little || len(data) == 0 || uintptr(p)%unsafe.Alignof(zero) != 0 {
		return nil
	}
	return unsafe.Slice((*T)(p), len(data)/int(unsafe.Sizeof(zero)))
}

// Slice views the rows [lo, hi).
func (w *Matrix) Slice(lo, hi int) *Matrix {
	if lo < 0 || hi < lo || hi > w.Rows {
		panic(fmt.Sprintf("kernels: Matrix.Slice: rows [%d, %d) of a matrix [%d, %d]", lo, hi, w.Rows, w.Cols))
	}
	if w.row != nil {
		return NewMatrixOf(w.Type, hi-lo, w.Cols, func(dst []byte, i int) { w.row(dst, lo+i) })
	}
	size := w.Cols * w.Type.Size()
	m, err := NewMatrix(w.Type, w.data[lo*size:hi*size], hi-lo, w.Cols)
	if err != nil {
		panic(err) // it is part of one
	}
	return m
}

// Row widens row i, for the lookup of an embedding. dst has Cols values.
func (w *Matrix) Row(dst []float32, i int) {
	checkLen("Matrix.Row", "dst", len(dst), 1, w.Cols)
	if uint(i) >= uint(w.Rows) {
		panic(fmt.Sprintf("kernels: Matrix.Row: row %d of a matrix [%d, %d]", i, w.Rows, w.Cols))
	}
	w.stored(i, i+1, func(m *Matrix, at int) { m.widen(dst, at, 0) })
}

// widen converts the len(dst) values of row i that start at column c.
func (w *Matrix) widen(dst []float32, i, c int) {
	size := w.Type.Size()
	from := (i*w.Cols + c) * size
	Widen(dst, w.Type, w.data[from:from+len(dst)*size])
}
