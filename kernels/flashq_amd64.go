package kernels

import (
	"unsafe"
)

// quantJob is a tile of up to sixteen queries, its state and the kernel's scratch, for codes of 4 or 2 bits. Its layout is
// known in assembly.
type quantJob struct {
	config  [64]byte       // of the tiles
	rows    int            // 64
	groups  int            // 72: of dimensions
	bits    int            // 80
	offset  float32        // 88: what is subtracted from codes
	_       uint32         //
	low     unsafe.Pointer // 96: [32] bf16: the centred number of a code
	q       unsafe.Pointer // 104
	o       unsafe.Pointer // 112
	head    unsafe.Pointer // 120
	queries unsafe.Pointer // 128: [2, groups] tiles of queries times scales
	tiles   unsafe.Pointer // 136: two times four tiles of codes
	bias    unsafe.Pointer // 144: [2, 16, 16] float32
	scores  unsafe.Pointer // 152: [4, 16, 16] float32
	scales  unsafe.Pointer // 160: [groups, 2, 64] float32: values' scales, what is added to them
	weights unsafe.Pointer // 168: [groups, 2] tiles of weights times scales
	ahead   unsafe.Pointer // 176: what is to be fetched, from call to call of the assembly's own
	codes   int            // 184: bytes of a page's codes of keys
}

// quantPage is a page for the assembly.
type quantPage struct {
	data  unsafe.Pointer
	mask  *[flashRows]uint64 // nil: all is seen
	ahead uintptr            // how far from it the page to be fetched is
}

// A call of the assembly ends in less than 100 µs: by the number of dimensions of its pages.
const (
	quantDims     = 4096
	maxQuantPages = quantDims / QuantGroup
)

// quantTables are the bf16 numbers of codes of 4 and 2 bits, about their middle; the index's upper bits do not matter.
var quantTables = func() (t [2][tileWords]uint16) {
	for i := range tileWords {
		t[0][i] = nearestBF16(float32(i&15) - 7.5)
		t[1][i] = nearestBF16(float32(i&3) - 1.5)
	}
	return t
}()

// quantPages attends to quantised pages by their codes, if the tier can.
func (a *Attention) quantPages(pages []PageView) bool {
	if active != tierAMX || a.limit > 0 || a.format != PageBF16 || a.rows == 0 || a.d == 0 {
		return false
	}
	s := &a.quant
	if !s.used {
		s.setUp(a.rows, a.d)
	}
	for _, p := range pages {
		for r := range s.seen {
			s.seen[r] = s.seen[r] || p.Mask == nil || p.Mask[r] != 0
		}
	}
	for from := 0; from < len(pages); {
		to := from + 1
		for to < len(pages) && pages[to].Format == pages[from].Format && to-from < max(1, quantDims/a.d) {
			to++
		}
		if pages[from].Format == PageQ8 {
			for first := 0; first < a.rows; first += quant8Rows {
				a.quant8Tile(pages[from:to], first, min(quant8Rows, a.rows-first))
			}
		} else {
			for first := 0; first < a.rows; first += tileRows {
				a.quantTile(pages[from:to], first, min(tileRows, a.rows-first))
			}
		}
		from = to
	}
	return true
}

// visiblePages lists for the assembly the pages of which some of the rows see something.
func (a *Attention) visiblePages(pages []PageView, first, rows int) []quantPage {
	if a.tiles.quantPages == nil {
		a.tiles.quantPages, a.tiles.quantMasks = make([]quantPage, maxQuantPages), make([][flashRows]uint64, maxQuantPages)
	}
	list, masks := a.tiles.quantPages, a.tiles.quantMasks
	n := 0
	for i := range pages {
		p := &list[n]
		*p = quantPage{data: unsafe.Pointer(&pages[i].Data[0])}
		if pages[i].Mask != nil {
			own := pages[i].Mask[first:][:rows]
			all, any := ^uint64(0), uint64(0)
			for _, mask := range own {
				all, any = all&mask, any|mask
			}
			if any == 0 {
				continue
			}
			if all != ^uint64(0) {
				p.mask = &masks[n]
				copy(p.mask[:], own)
			}
		}
		if n > 0 {
			list[n-1].ahead = uintptr(p.data) - uintptr(list[n-1].data)
		}
		n++
	}
	return list[:n]
}

// quantTile attends with some rows to pages of one format of 4 or 2 bits.
func (a *Attention) quantTile(pages []PageView, first, rows int) {
	s, groups := &a.quant, a.d/QuantGroup
	list := a.visiblePages(pages, first, rows)
	if len(list) == 0 {
		return
	}
	format := pages[0].Format
	j := quantJob{rows: rows, groups: groups, bits: format.bits(), offset: float32(int(1)<<format.bits()-1) / 2}
	j.config[0] = 1
	for t := range 8 {
		j.config[16+2*t], j.config[48+t] = 64, byte(rows)
		if t >= 6 {
			j.config[48+t] = 16
		}
	}
	j.low, j.codes = unsafe.Pointer(&quantTables[0]), PageTokens*a.d*j.bits/8
	if format == PageQ2 {
		j.low = unsafe.Pointer(&quantTables[1])
	}
	j.q, j.o = unsafe.Pointer(&s.rows[first*a.d]), unsafe.Pointer(&s.o[first*a.d])
	j.head = unsafe.Pointer(&s.head[first*quantHead(a.d)])
	buf := scratchParts([]scratchPart{{&j.queries, 2 * tileBytes * groups}, {&j.tiles, 8 * tileBytes}, {&j.bias, 2 * tileBytes},
		{&j.scores, 4 * tileBytes}, {&j.scales, 512 * groups}, {&j.weights, 2 * tileBytes * groups}})
	flashQuantAMX(&j, &list[0], len(list))
	clear(list) // pages belong to others
	scratchPool.Put(buf)
}

// scratchPart is a part of scratch memory and who wants it.
type scratchPart struct {
	to   *unsafe.Pointer
	size int // a multiple of a line
}

// scratchParts hands out parts of a buffer, which goes back to scratchPool.
func scratchParts(parts []scratchPart) *[]byte {
	size := 0
	for _, part := range parts {
		size += part.size
	}
	buf, at := scratchBytes(size), 0
	for _, part := range parts {
		*part.to = unsafe.Pointer(&(*buf)[at])
		at += part.size
	}
	return buf
}

// flashQuantAMX attends with a tile to n > 0 quantised pages of one format.
//
//go:noescape
func flashQuantAMX(job *quantJob, pages *quantPage, n int)
