package kernels

import (
	"fmt"
	"unsafe"
)

// In bf16 a packed weight is cut into panels of 32 output features, a panel into steps of 32 input features, and a step
// into two tiles of 16 output features: [panels][steps][2][16 pairs of inputs][16 outputs][2 inputs] in bf16. That
// is the order in which the tiles are read, and, pairs of inputs side by side, the order inside a tile that AMX
// wants. What is missing from the last panel and the last step is zero.
const (
	panelCols = 32
	stepCols  = 32
	tileRows  = 16
	tileBytes = 1 << 10
	stepBytes = 2 * tileBytes
)

// Weight is a matrix [Rows, Cols] prepared for Product. Its methods may be called from several goroutines; Close
// not while one computes.
type Weight struct {
	Precision  Precision
	Rows, Cols int
	stored     DType  // of the panels' values: bf16, and in f32 as in the matrix
	packed     []byte // panels
	free       func()
}

// Pack prepares w for products of the given precision: a packed copy outside the Go heap, which Close gives back. In f32
// its values are w's, of w's type; in bf16 they are rounded to nearest even where w is not bf16 already.
func (w *Matrix) Pack(pool *Pool, p Precision) *Weight {
	packed := &Weight{Precision: p, Rows: w.Rows, Cols: w.Cols, stored: BF16}
	switch p {
	case PrecisionF32:
		packed.stored = w.Type
		size := gemmCols * w.Cols * w.Type.Size()
		packed.packed, packed.free = hugeBytes(ceilDiv(w.Rows, gemmCols) * size)
		pool.Run(ceilDiv(w.Rows, gemmCols), func(i int) {
			w.stored(i*gemmCols, min((i+1)*gemmCols, w.Rows), func(m *Matrix, at int) { m.packGEMM(packed.packed[i*size:][:size], at) })
		})
	case PrecisionBF16:
		packed.packed, packed.free = hugeBytes(PackedSize(w.Rows, w.Cols))
		pool.Run(ceilDiv(w.Rows, panelCols), func(i int) {
			w.stored(i*panelCols, min((i+1)*panelCols, w.Rows), func(m *Matrix, at int) { m.packPanel(packed.panel(i), at) })
		})
	default:
		panic(fmt.Sprintf("kernels: Pack: no such precision: %v", p))
	}
	return packed
}

// PackedSize is the number of bytes of a packed weight [rows, cols].
func PackedSize(rows, cols int) int {
	return ceilDiv(rows, panelCols) * ceilDiv(cols, stepCols) * stepBytes
}

// PackedSize is the number of bytes of memory that Pack of the given precision takes.
func (w *Matrix) PackedSize(p Precision) int64 {
	if p == PrecisionBF16 {
		return int64(PackedSize(w.Rows, w.Cols))
	}
	return int64(ceilDiv(w.Rows, gemmCols)) * gemmCols * int64(w.Cols) * int64(w.Type.Size())
}

// PackedBytes is what Pack made, to be written to a file: nil in f32. The bytes depend on the matrix alone, not on
// the tier or the machine, and end with Close.
func (w *Weight) PackedBytes() []byte {
	if w.Precision == PrecisionF32 {
		return nil
	}
	return w.packed
}

// Bytes is the size of what Product reads of the weight, padding included.
func (w *Weight) Bytes() int64 { return int64(len(w.packed)) }

// WeightFromPacked views data, which PackedBytes of a weight [rows, cols] of bf16 has given, without a copy: data
// stays the caller's and must not change. It has to start on a multiple of 64 bytes in memory. It is an error when
// it does not, or has another length.
func WeightFromPacked(data []byte, rows, cols int) (*Weight, error) {
	if rows < 0 || cols < 0 || len(data) != PackedSize(rows, cols) {
		return nil, fmt.Errorf("kernels: a packed weight [%d, %d] does not fit its %d bytes: pack it again",
			rows, cols, len(data))
	}
	if uintptr(unsafe.Pointer(unsafe.SliceData(data)))%lineSize != 0 {
		return nil, fmt.Errorf("kernels: a packed weight [%d, %d] does not start on a multiple of %d bytes",
			rows, cols, lineSize)
	}
	return &Weight{Precision: PrecisionBF16, Rows: rows, Cols: cols, stored: BF16, packed: data, free: func() {}}, nil
}

// Settle moves a weight of WeightFromPacked to memory of its own, on huge pages where the system has them; data is not
// needed any more. Products of few rows, which read all of a weight for little work, read it a fifth faster there than from
// a mapped file, whose pages may be small.
func (w *Weight) Settle(pool *Pool) {
	const part = 4 << 20
	own, free := hugeBytes(len(w.packed))
	pool.Run(ceilDiv(len(own), part), func(i int) { copy(own[i*part:min((i+1)*part, len(own))], w.packed[i*part:]) })
	w.free()
	w.packed, w.free = own, free
}

// Close gives the memory of a packed copy back; the weight must not be used afterwards. Closing twice does nothing.
func (w *Weight) Close() {
	w.free()
	w.free, w.packed = func() {}, nil
}

// panel returns the bytes of panel i.
func (w *Weight) panel(i int) []byte {
	size := ceilDiv(w.Cols, stepCols) * stepBytes
	return w.packed[i*size:][:size]
}

// packPanel packs the up to 32 rows from r on, sixteen rows and packChunk columns at a time.
func (w *Matrix) packPanel(panel []byte, r int) {
	const packChunk = 512
	var scratch [tileRows * packChunk]uint16
	for half := range 2 {
		first := r + half*tileRows
		rows := min(tileRows, w.Rows-first)
		for c := 0; c < w.Cols && rows > 0; c += packChunk {
			width := min(packChunk, w.Cols-c)
			steps := ceilDiv(width, stepCols)
			to := values[uint16](panel[c/stepCols*stepBytes+half*tileBytes:])
			if w.bf16 != nil && rows == tileRows && width%stepCols == 0 {
				packTiles(to, w.bf16[first*w.Cols+c:], w.Cols, steps)
				continue
			}
			clear(scratch[:])
			for i := range rows {
				w.rounded(scratch[i*packChunk:][:width], first+i, c)
			}
			packTiles(to, scratch[:], packChunk, steps)
		}
	}
}

// rounded writes the len(dst) values of row i that start at column c as bf16.
func (w *Matrix) rounded(dst []uint16, i, c int) {
	if w.bf16 != nil {
		copy(dst, w.bf16[i*w.Cols+c:])
		return
	}
	var wide [256]float32
	for at := 0; at < len(dst); at += len(wide) {
		n := min(len(wide), len(dst)-at)
		w.widen(wide[:n], i, c+at)
		if w.Type == BF16 {
			for j, v := range wide[:n] {
				dst[at+j] = upperHalf(v)
			}
			continue
		}
		roundBF16(dst[at:][:n], wide[:n])
	}
}

// packTilesGo is the portable twin: it interleaves the pairs of sixteen rows, stride values apart, for steps steps
// of 32 columns. A step takes the first of two tiles of to; the other half of the panel has the second.
func packTilesGo(to, from []uint16, stride, steps int) {
	for s := range steps {
		tile := to[s*stepBytes/2:][:tileBytes/2]
		for j := range tileRows {
			row := from[j*stride+s*stepCols:][:stepCols]
			for p := range stepCols / 2 {
				tile[p*stepCols+2*j], tile[p*stepCols+2*j+1] = row[2*p], row[2*p+1]
			}
		}
	}
}

// packGEMM packs the up to 48 rows from r on.
func (w *Matrix) packGEMM(panel []byte, r int) {
	if rows := min(gemmCols, w.Rows-r); w.Type.Size() == 4 {
		interleave(items[[4]byte](panel), items[[4]byte](w.data)[r*w.Cols:], w.Cols, rows)
	} else {
		interleave(items[[2]byte](panel), items[[2]byte](w.data)[r*w.Cols:], w.Cols, rows)
	}
}

// items views bytes as groups of bytes.
func items[T [2]byte | [4]byte](b []byte) []T {
	var zero T
	return unsafe.Slice((*T)(pointer(b)), len(b)/len(zero))
}

// interleave writes from[rows][cols] to the panel [cols][48], eight rows at a time: more would share cache sets.
func interleave[T any](panel, from []T, cols, rows int) {
	for r := 0; r < rows; r += 8 {
		for c := range cols {
			to := panel[c*gemmCols+r:][:min(8, rows-r)]
			for i := range to {
				to[i] = from[(r+i)*cols+c]
			}
		}
	}
}
