package kernels

import "unsafe"

// panelCall is one call of an AMX kernel: groups of rows with a chunk of a panel. The kernels know its fields by
// name, and count rows and groups down.
type panelCall struct {
	a, b          unsafe.Pointer // rows and panel, where the chunk starts
	sums          unsafe.Pointer // [groups][32 or 16 rows][32] float32, the chunk's
	sumsStride    int            // bytes from one group's sums to the next; 0 if they are finished one by one
	earlier       unsafe.Pointer // [rows][32] float32, the sum of the chunks before
	earlierStride int            // bytes from one row of it to the next
	out           unsafe.Pointer // of the first row and output feature
	outStride     int            // bytes from one row to the next
	bias          unsafe.Pointer // of the first output feature, never nil
	ahead         int            // bytes from one group's out to the next; 0 for the last, whose next may not exist
	next          uintptr        // what to fetch into the second-level cache meanwhile
	fetch         int            // times 256 bytes, in each step
	groups        int
	steps         int
	chunk         int    // steps that are summed up together, by amxPanel16; the others take one chunk
	rows          int    // to finish; 0 if the chunk's sums are to stay where they are
	columns       uint32 // a bit for each of the 32 that exist
	add           uint32 // columns, or 0 if out is to be replaced
	more          uint32 // all, or 0 if there is nothing earlier
}

// productBlock computes block b of the rows with the panels [p0, p1).
func productBlock(out []float32, x *Rows, w *Weight, e *Epilogue, b, p0, p1 int) {
	l := &x.packed
	switch {
	case active != tierAMX || l.steps == 0:
		productBlockGo(out, x, w, e, b, p0, p1)
	case l.group == tileRows:
		productFew(out, x, w, e, p0, p1)
	default:
		productMany(out, x, w, e, b, p0, p1)
	}
}

// productMany takes the panels of a few chunks, then those of the next.
func productMany(out []float32, x *Rows, w *Weight, e *Epilogue, b, p0, p1 int) {
	l := &x.packed
	rows, chunks, turn := l.rows(b), l.chunks(), l.turn()
	size, waiting := rows*panelCols*4, 1
	if turn < chunks {
		waiting = p1 - p0
	}
	scratch := scratchBytes(groupBytes + waiting*size)
	defer scratchPool.Put(scratch)
	one := pointer(*scratch)
	for c0 := 0; c0 < chunks; c0 += turn {
		for p := p0; p < p1; p++ {
			sums := unsafe.Add(one, groupBytes+(p-p0)%waiting*size)
			for c := c0; c < min(c0+turn, chunks); c++ {
				call := panelCall{sums: one, out: sums, outStride: panelCols * 4, bias: pointer(noBias[:]), earlier: pointer(noBias[:])}
				switch {
				case c == chunks-1:
					call.finish(out[b*l.block*w.Rows:], w, e, p)
					call.rows = min(l.block, l.m-b*l.block)
					if c > 0 {
						call.earlier, call.earlierStride, call.more = sums, panelCols*4, allColumns
					}
				case c == 0:
					call.sums, call.sumsStride = sums, groupBytes
				default:
					call.columns, call.add, call.rows = allColumns, allColumns, rows
				}
				call.run(x, w, b, c, p)
			}
		}
	}
}

const (
	groupBytes = groupRows * panelCols * 4 // the sums of a group
	allColumns = 1<<panelCols - 1
)

// noBias is the bias of a weight without one, and what is read where nothing is wanted: a masked load is slow where
// there is no page.
var noBias [gemmCols]float32

// finish makes the call write panel p to out, the rows of the block.
func (call *panelCall) finish(out []float32, w *Weight, e *Epilogue, p int) {
	n := min(panelCols, w.Rows-p*panelCols)
	call.columns = uint32(1<<n - 1)
	call.out, call.outStride = pointer(out[p*panelCols:]), 4*w.Rows
	if e.Add {
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
	call.ahead = groupRows * call.outStride
	call.a = pointer(x.bf16[l.at(b, c):])
	call.b = pointer(w.panel(p)[c*l.chunk*stepBytes:])
	call.steps = l.width(c)
	call.groups = l.rows(b) / l.group
	// Asking for memory that is not there costs a walk of the page tables for every line, so at the end of the
	// weight, and of the rows, something is asked for that is.
	next := call.steps * stepBytes
	if c == l.chunks()-1 && (p+1)*panelCols >= w.Rows {
		next = 0
	}
	call.next, call.fetch = uintptr(call.b)+uintptr(next), ceilDiv(stepBytes/fetchBytes, call.groups)
	amxPanel32(call)
}

// productFew is productBlock for up to sixteen rows, all columns of a panel at once.
func productFew(out []float32, x *Rows, w *Weight, e *Epilogue, p0, p1 int) {
	l := &x.packed
	scratch := scratchBytes(groupBytes)
	defer scratchPool.Put(scratch)
	for p := p0; p < p1; p++ {
		panel := w.panel(p)
		call := panelCall{a: pointer(x.bf16), b: pointer(panel), sums: pointer(*scratch), earlier: pointer((*scratch)[groupBytes/2:]),
			earlierStride: 4 * panelCols, steps: l.steps, chunk: l.chunk, rows: l.m, fetch: stepBytes / fetchBytes}
		call.next = uintptr(call.b) + fetchAhead
		if (p+1)*panelCols >= w.Rows {
			call.next = uintptr(call.b)
		}
		if l.chunks() > 1 {
			call.more = allColumns
		}
		call.finish(out, w, e, p)
		amxPanel16(&call)
	}
}

const (
	fetchBytes = 256
	fetchAhead = stepBytes // as far as a read at the speed of memory needs
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
