package kernels

import "unsafe"

// panelCall is one call of an AMX kernel: groups of rows with steps of one panel. The kernels know its fields by
// name.
type panelCall struct {
	a, b       unsafe.Pointer // rows and panel, where the chunk starts
	sums       unsafe.Pointer // [groups][32 or 16 rows][32] float32
	sumsStride int            // bytes from one group's sums to the next
	out        unsafe.Pointer // of the first row and output feature
	outStride  int            // bytes from one row to the next
	bias       unsafe.Pointer // of the first output feature, never nil
	next       uintptr        // what to fetch into the second-level cache meanwhile; may lie past the end
	fetch      int            // times 256 bytes, in each step
	groups     int
	steps      int
	rows       int    // that exist
	columns    uint32 // a bit for each of the 32 that exist
	add        uint32 // columns, or 0 if out is to be replaced
	load       bool   // start from sums, not from zero
	last       bool   // finish: the epilogue to out
}

// productBlock computes block b of the rows with the panels [p0, p1).
func productBlock(out []float32, x *Rows, w *Weight, e *Epilogue, b, p0, p1 int) {
	if active != tierAMX || x.packed.steps == 0 {
		productBlockGo(out, x, w, e, b, p0, p1)
		return
	}
	l := &x.packed
	rows := l.rows(b)
	sumBytes := rows * panelCols * 4
	turns := l.steps > outerSteps && rows > groupRows
	need := sumBytes
	if turns {
		need *= p1 - p0
	}
	scratch := scratchBytes(need)
	defer scratchPool.Put(scratch)
	call := panelCall{outStride: 4 * w.Rows, groups: rows / l.group, rows: min(l.block, l.m-b*l.block)}
	chunks := ceilDiv(l.steps, l.chunk)
	turn := chunks
	if turns {
		turn = outerSteps / l.chunk
	}
	if chunks > 1 {
		call.sumsStride = l.group * panelCols * 4
	}
	for c0 := 0; c0 < chunks; c0 += turn {
		for p := p0; p < p1; p++ {
			call.sums = pointer(*scratch)
			if turns {
				call.sums = unsafe.Add(call.sums, (p-p0)*sumBytes)
			}
			call.target(out[b*l.block*w.Rows:], w, e, p)
			for c := c0; c < min(c0+turn, chunks); c++ {
				call.load, call.last = c > 0, c == chunks-1
				call.run(x, w, b, c, p)
			}
		}
	}
}

// noBias is the bias of a weight without one.
var noBias [panelCols]float32

// target sets where panel p goes to in out, the rows of the block.
func (call *panelCall) target(out []float32, w *Weight, e *Epilogue, p int) {
	n := min(panelCols, w.Rows-p*panelCols)
	call.columns = uint32(1<<n - 1)
	call.out = pointer(out[p*panelCols:])
	if call.add = 0; e.Add {
		call.add = call.columns
	}
	call.bias = pointer(noBias[:])
	if e.Bias != nil {
		call.bias = pointer(e.Bias[p*panelCols:])
	}
}

// run does chunk c of panel p and block b.
func (call *panelCall) run(x *Rows, w *Weight, b, c, p int) {
	l := &x.packed
	call.a = pointer(x.bf16[l.at(b, c):])
	call.b = pointer(w.panel(p)[c*l.chunk*stepBytes:])
	call.steps = l.width(c)
	switch {
	case call.groups == 1: // the weight is what is read: run ahead of it
		call.next, call.fetch = uintptr(call.b)+fetchAhead, stepBytes/fetchBytes
	default: // the panel's next chunk while this one is used
		call.next, call.fetch = uintptr(call.b)+uintptr(call.steps*stepBytes), ceilDiv(stepBytes/fetchBytes, call.groups)
	}
	if l.group == tileRows {
		amxPanel16(call)
	} else {
		amxPanel32(call)
	}
}

const (
	fetchAhead = 8 << 10
	fetchBytes = 256
)

// amxPanel32 adds to the sums of groups of 32 rows the products with steps of a panel.
//
//go:noescape
func amxPanel32(call *panelCall)

// amxPanel16 is for one group of 16 rows.
//
//go:noescape
func amxPanel16(call *panelCall)

// roundSteps rounds n steps of 32 values to places stride values apart.
func roundSteps(to []uint16, from []float32, n, stride int) {
	if active != tierAMX {
		roundStepsGo(to, from, n, stride)
		return
	}
	if n > 0 {
		_, _ = to[(n-1)*stride+stepCols-1], from[n*stepCols-1]
		roundStepsAMX(&to[0], &from[0], n, 2*stride)
	}
}

// roundBF16 rounds to bf16, to nearest even.
func roundBF16(dst []uint16, src []float32) {
	n := len(dst) / stepCols
	roundSteps(dst, src, n, stepCols)
	roundBF16Go(dst[n*stepCols:], src[n*stepCols:])
}

// packTiles interleaves the pairs of sixteen rows, stride values apart, for steps steps.
func packTiles(to, from []uint16, stride, steps int) {
	if active != tierAMX {
		packTilesGo(to, from, stride, steps)
		return
	}
	_, _ = to[(steps-1)*stepBytes/2+tileBytes/2-1], from[(tileRows-1)*stride+steps*stepCols-1]
	packTilesAMX(&to[0], &from[0], 2*stride, steps)
}

// roundStepsAMX rounds n > 0 steps to places stride bytes apart.
//
//go:noescape
func roundStepsAMX(to *uint16, from *float32, n, stride int)

// packTilesAMX packs steps > 0 tiles from rows stride bytes apart.
//
//go:noescape
func packTilesAMX(to, from *uint16, stride, steps int)
