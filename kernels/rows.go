package kernels

import "fmt"

// Rows is the left operand of Product, a matrix [m, k], prepared once by what produces it and used by all products
// of it. The zero value is empty and ready for Set; the memory is kept and reused. One goroutine at a time may set
// it; any number may read it.
//
// In bf16 it lies in the order in which AMX reads it. Rows are cut into blocks (as many as fit the second-level
// cache), columns into chunks (what a panel of the weight may have in the first-level cache), and inside these:
// [blocks][chunks][groups][steps][16 or 32 rows][32 columns]. What is missing from the last group and the last
// step is zero, or anything if the row is missing: a row's results do not depend on the rows beside it.
type Rows struct {
	precision Precision
	m, k      int
	stride    int       // in float32: from one row to the next
	f32       []float32 // the rows
	bf16      []byte
	own       []byte // memory of f32 and bf16
	packed    layout
}

// layout says where a row's columns are in Rows of bf16.
type layout struct {
	m, steps int // rows; steps of 32 columns
	group    int // rows of a group: 16 or 32
	block    int // rows of a block, a multiple of group
	chunk    int // steps of a chunk
}

const (
	groupRows  = 2 * tileRows
	blockRows  = 8 * groupRows
	chunkSteps = 16 // the panel of a chunk, 32 KB, leaves a third of the first-level cache to the rows
	wholeSteps = 20 // up to which a chunk is all there is
)

// newLayout chooses. The chunks are part of the order of summation and depend on k alone.
func newLayout(m, k int) layout {
	l := layout{m: m, steps: ceilDiv(k, stepCols), group: groupRows, block: blockRows, chunk: chunkSteps}
	if l.steps <= wholeSteps {
		l.chunk = max(l.steps, 1)
	}
	if m <= groupRows {
		if m <= tileRows {
			l.group = tileRows
		}
		l.block = l.group
	}
	return l
}

// chunks is the number of chunks.
func (l *layout) chunks() int { return ceilDiv(l.steps, l.chunk) }

// rows is the number of rows of block b with those missing from its last group.
func (l *layout) rows(b int) int { return ceilDiv(min(l.block, l.m-b*l.block), l.group) * l.group }

// size is that of the whole in bytes.
func (l *layout) size() int { return ceilDiv(l.m, l.group) * l.group * l.steps * stepCols * 2 }

// at is where chunk c of block b starts, in bytes; the chunk's groups follow each other.
func (l *layout) at(b, c int) int {
	return (b*l.block*l.steps + l.rows(b)*c*l.chunk) * stepCols * 2
}

// width is the number of steps of chunk c.
func (l *layout) width(c int) int { return min(l.chunk, l.steps-c*l.chunk) }

// Set makes a copy of x[m, k], rounded to the precision, the rows.
func (x *Rows) Set(pool *Pool, p Precision, from []float32, m, k int) {
	checkLen("Rows.Set", "x", len(from), m, k)
	x.reset(p, m, k)
	x.fill(pool, func(_ []float32, r int) []float32 { return from[r*k:][:k] })
}

// SetRMSNorm makes the normalised rows of x[m, k] the rows, as RMSNorm does.
func (x *Rows) SetRMSNorm(pool *Pool, p Precision, from, weight []float32, eps float32, m, k int) {
	checkLen("Rows.SetRMSNorm", "x", len(from), m, k)
	checkLen("Rows.SetRMSNorm", "weight", len(weight), 1, k)
	x.reset(p, m, k)
	x.fill(pool, func(row []float32, r int) []float32 {
		RMSNorm(row, from[r*k:][:k], weight, eps, 1, k)
		return row
	})
}

// SetSiLUMul makes silu(gate)·up of gate[m, k] and up[m, k] the rows, as SiLUMul does; gate is left as it is.
func (x *Rows) SetSiLUMul(pool *Pool, p Precision, gate, up []float32, m, k int) {
	checkLen("Rows.SetSiLUMul", "gate", len(gate), m, k)
	checkLen("Rows.SetSiLUMul", "up", len(up), m, k)
	x.reset(p, m, k)
	x.fill(pool, func(row []float32, r int) []float32 {
		copy(row, gate[r*k:][:k])
		SiLUMul(row, up[r*k:][:k])
		return row
	})
}

func (x *Rows) reset(p Precision, m, k int) {
	x.precision, x.m, x.k, x.f32, x.bf16 = p, m, k, nil, nil
	switch p {
	case PrecisionF32:
		// An odd number of lines: else rows might share the sets of a cache, as they do where k is a power of two.
		x.stride = (ceilDiv(k, lineSize/4) | 1) * (lineSize / 4)
		x.f32 = values[float32](grown(&x.own, 4*m*x.stride))
	case PrecisionBF16:
		x.packed = newLayout(m, k)
		x.bf16 = grown(&x.own, x.packed.size())
	default:
		panic(fmt.Sprintf("kernels: Rows: no such precision: %v", p))
	}
}

// fill calls produce for every row, which returns the row or writes it to the scratch it is given, and keeps the
// results.
func (x *Rows) fill(pool *Pool, produce func(scratch []float32, r int) []float32) {
	const atOnce = 8
	if x.precision == PrecisionF32 {
		pool.Run(ceilDiv(x.m, atOnce), func(i int) {
			for r := i * atOnce; r < min((i+1)*atOnce, x.m); r++ {
				row := x.f32[r*x.stride:][:x.k]
				if made := produce(row, r); pointer(made) != pointer(row) {
					copy(row, made)
				}
			}
		})
		return
	}
	pool.Run(ceilDiv(x.m, atOnce), func(i int) {
		scratch := scratchBytes(4 * x.k)
		defer scratchPool.Put(scratch)
		for r := i * atOnce; r < min((i+1)*atOnce, x.m); r++ {
			x.packed.scatter(values[uint16](x.bf16), produce(values[float32]((*scratch)[:4*x.k]), r), r)
		}
	})
}

// scatter rounds row r to its places in to.
func (l *layout) scatter(to []uint16, row []float32, r int) {
	b := r / l.block
	in := r % l.block
	for c := range l.chunks() {
		width := l.width(c)
		at := l.at(b, c)/2 + (in/l.group*l.group*width+in%l.group)*stepCols
		from := row[min(c*l.chunk*stepCols, len(row)):]
		whole := min(width, len(from)/stepCols)
		roundSteps(to[at:], from, whole, l.group*stepCols)
		if whole < width {
			var last [stepCols]float32
			copy(last[:], from[whole*stepCols:])
			roundSteps(to[at+whole*l.group*stepCols:], last[:], 1, 0)
		}
	}
}

// roundStepsGo is the portable twin: it rounds n steps of 32 values to places stride values apart.
func roundStepsGo(to []uint16, from []float32, n, stride int) {
	for s := range n {
		roundBF16Go(to[s*stride:][:stepCols], from[s*stepCols:][:stepCols])
	}
}
