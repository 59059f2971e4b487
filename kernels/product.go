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
// In bf16 a sum runs over steps of 32 columns: the products of the even columns of a step are added up in order,
// those of the odd ones too, then the two, and the step's sum is added to the total. That is what AMX does.
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
		productF32(pool, out, x, w.matrix, e)
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

// productF32 is MatMul with an epilogue.
func productF32(pool *Pool, out []float32, x *Rows, w *Matrix, e Epilogue) {
	to := out
	if e.Add {
		scratch := scratchBytes(4 * len(out))
		defer scratchPool.Put(scratch)
		to = values[float32]((*scratch)[:4*len(out)])
	}
	MatMul(pool, to, x.f32, w, x.m)
	if e.Bias != nil {
		AddBias(to, e.Bias, x.m)
	}
	if e.Add {
		Add(out, to)
	}
}

// outerSteps is what a block of rows may have in the second-level cache at once; more columns are summed up in
// turns, the sums of a task's panels waiting in scratch.
const outerSteps = 64

// panelsPerTask is the number of panels that one task computes for one block of rows: enough to be worth handing
// out, and where the block is read in turns, enough to be worth reading it.
func (l *layout) panelsPerTask() int {
	const work = 1 << 25 // multiply-adds of AMX, some 40 µs
	n := work / (max(l.block, 64) * max(l.steps, 1) * stepCols * panelCols)
	if l.steps > outerSteps && l.group == groupRows && l.block > groupRows {
		return max(n, 16)
	}
	return min(max(n, 1), 16)
}

// productBlockGo is the portable twin: block b of the rows with the panels [p0, p1).
func productBlockGo(out []float32, x *Rows, w *Weight, e *Epilogue, b, p0, p1 int) {
	l := &x.packed
	data := values[uint16](x.bf16)
	for p := p0; p < p1; p++ {
		panel := values[uint16](w.panel(p))
		n := min(panelCols, w.Rows-p*panelCols)
		for in := range min(l.block, l.m-b*l.block) {
			var sums [panelCols]float32
			for c := 0; c*l.chunk < l.steps; c++ {
				for s := range l.width(c) {
					at := l.at(b, c)/2 + ((in/l.group*l.width(c)+s)*l.group+in%l.group)*stepCols
					stepGo(&sums, data[at:][:stepCols], panel[(c*l.chunk+s)*stepBytes/2:][:stepBytes/2])
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
