package kernels

import (
	"fmt"
	"unsafe"
)

// Epilogue is what Product does with a sum before it stores it.
type Epilogue struct {
	Bias []float32 // [Rows] of the weight, added to every row; nil for none
	Add  bool      // add the result to what is in out already, the residual stream, rather than replace it
}

// Product computes out[m, w.Rows] = x·wᵀ, x being [m, w.Cols] and both of the same precision, and then the
// epilogue: (sum + bias) + out. Row i of out depends on row i of x alone, bit for bit. out must not overlap x.
//
// In f32 a sum adds up its products in the order of the columns; where the tier has an instruction for both, a product
// and its addition round once.
//
// In bf16 a sum runs over steps of 32 columns: the products of the even columns of a step are added up in order,
// those of the odd ones too, then the two, and the step's sum is added to the chunk's. That is what AMX does. A
// chunk is 16 steps, or all if they are at most 20; the chunks' sums are added up in order.
func Product(pool *Pool, out []float32, x *Rows, w *Weight, e Epilogue) {
	if x.precision != w.Precision || x.k != w.Cols {
		panic(fmt.Sprintf("kernels: Product: x is [%d, %d] of %v, w [%d, %d] of %v",
			x.m, x.k, x.precision, w.Rows, w.Cols, w.Precision))
	}
	checkLen("Product", "out", len(out), x.m, w.Rows)
	if e.Bias != nil {
		checkLen("Product", "bias", len(e.Bias), 1, w.Rows)
	}
	if w.Precision == PrecisionF32 {
		productF32(pool, out, x, w, &e)
		return
	}
	l := &x.packed
	blocks, panels := ceilDiv(x.m, l.block), ceilDiv(w.Rows, panelCols)
	each := l.panelsPerTask()
	across := ceilDiv(panels, each)
	pool.Run(blocks*across, func(i int) {
		b, first := i/across, i%across*each
		productBlock(out, x, w, &e, b, first, min(first+each, panels))
	})
}

// turn is the number of chunks of a block that a task takes at once, with all its panels: as many as the
// second-level cache keeps beside what passes through it. The sums of the panels wait meanwhile.
func (l *layout) turn() int {
	switch {
	case l.block <= groupRows || l.steps <= 4*chunkSteps:
		return l.chunks()
	default:
		return 2
	}
}

// panelsPerTask is the number of panels that one task computes for one block of rows: enough to be worth handing
// out, and where the block is taken in turns, enough to be worth reading it.
func (l *layout) panelsPerTask() int {
	const most, work = 16, 1 << 25 // multiply-adds, some 30 µs of AMX
	if l.turn() < l.chunks() {
		return most
	}
	if l.block <= groupRows { // few rows: reading the weight is the work, 128 KB in some 8 µs
		return max(128<<10/(max(l.steps, 1)*stepBytes), 1)
	}
	return min(max(work/(max(l.block, 2*groupRows)*max(l.steps, 1)*stepCols*panelCols), 1), most)
}

// productBlockGo is the portable twin: block b of the rows with the panels [p0, p1).
func productBlockGo(out []float32, x *Rows, w *Weight, e *Epilogue, b, p0, p1 int) {
	l := &x.packed
	data := values[uint16](x.bf16)
	for p := p0; p < p1; p++ {
		panel := values[uint16](w.panel(p))
		n := min(panelCols, w.Rows-p*panelCols)
		for in := range min(l.block, l.m-b*l.block) {
			var sums, chunk [panelCols]float32
			for c := range l.chunks() {
				clear(chunk[:])
				for s := range l.width(c) {
					at := l.at(b, c)/2 + ((in/l.group*l.width(c)+s)*l.group+in%l.group)*stepCols
					stepGo(&chunk, data[at:][:stepCols], panel[(c*l.chunk+s)*stepBytes/2:][:stepBytes/2])
				}
				for i, v := range chunk {
					sums[i] += v
				}
			}
			at := (b*l.block+in)*w.Rows + p*panelCols
			for i := range n {
				if e.Bias != nil {
					sums[i] += e.Bias[p*panelCols+i]
				}
				if e.Add {
					sums[i] += out[at+i]
				}
			}
			copy(out[at:][:n], sums[:])
		}
	}
}

// stepGo adds a step's sums: a[32] with the two tiles of step.
func stepGo(sums *[panelCols]float32, a, step []uint16) {
	for i := range sums {
		tile := step[i/tileRows*tileBytes/2+2*(i%tileRows):]
		var even, odd float32
		for p := range stepCols / 2 {
			even += float32(fromBF16(a[2*p]) * fromBF16(tile[p*stepCols]))
			odd += float32(fromBF16(a[2*p+1]) * fromBF16(tile[p*stepCols+1]))
		}
		sums[i] += even + odd
	}
}

// pointer is the address of the first element of a slice that may be empty.
func pointer[T any](s []T) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s)) }
