package kernels

import (
	"unsafe"
)

// quantJob is a tile of up to sixteen queries, its state and the kernel's scratch. Its layout is known in assembly.
type quantJob struct {
	config  [64]byte       // of the tiles
	rows    int            // 64
	groups  int            // 72: of dimensions
	bits    int            // 80
	offset  float32        // 88: what is subtracted from codes
	_       uint32         //
	low     unsafe.Pointer // 96: [32] bf16: the centred number of a code
	high    unsafe.Pointer // 104: the same for the upper halves of codes of 8 bits
	q       unsafe.Pointer // 112
	o       unsafe.Pointer // 120
	head    unsafe.Pointer // 128
	queries unsafe.Pointer // 136: [2, groups] tiles of queries times scales
	tiles   unsafe.Pointer // 144: two times four tiles of one or two halves, of codes
	bias    unsafe.Pointer // 152: [2, 16, 16] float32
	scores  unsafe.Pointer // 160: [4, 16, 16] float32
	scales  unsafe.Pointer // 168: [groups, 2, 64] float32: values' scales, what is added to them
	weights unsafe.Pointer // 176: [groups, 2] tiles of weights times scales
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
var quantTables = func() (t [3][tileWords]uint16) {
	for i := range tileWords {
		t[0][i] = nearestBF16(float32(i&15) - 7.5)
		t[1][i] = nearestBF16(16 * (float32(i&15) - 7.5))
		t[2][i] = nearestBF16(float32(i&3) - 1.5)
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
		for first := 0; first < a.rows; first += 16 {
			a.quantTile(pages[from:to], first, min(16, a.rows-first))
		}
		from = to
	}
	return true
}

// quantTile attends with some rows to pages of one format.
func (a *Attention) quantTile(pages []PageView, first, rows int) {
	s, groups := &a.quant, a.d/QuantGroup
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
	if n == 0 {
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
	j.low, j.high = unsafe.Pointer(&quantTables[0]), unsafe.Pointer(&quantTables[1])
	if format == PageQ2 {
		j.low = unsafe.Pointer(&quantTables[2])
	}
	j.q, j.o = unsafe.Pointer(&s.rows[first*a.d]), unsafe.Pointer(&s.o[first*a.d])
	j.head = unsafe.Pointer(&s.head[first*quantHead(a.d)])
	const tile = 1024
	buf := scratchBytes(16*tile + 2*tile + 4*tile + groups*(2*tile+512+2*tile))
	rest := *buf
	take := func(n int) unsafe.Pointer {
		part := unsafe.Pointer(&rest[0])
		rest = rest[n:]
		return part
	}
	j.queries, j.tiles = take(2*tile*groups), take(16*tile)
	j.bias, j.scores, j.scales = take(2*tile), take(4*tile), take(512*groups)
	j.weights = take(2 * tile * groups)
	flashQuantAMX(&j, &list[0], n)
	clear(list[:n]) // pages belong to others
	scratchPool.Put(buf)
}

// flashQuantAMX attends with a tile to n > 0 quantised pages of one format.
//
//go:noescape
func flashQuantAMX(job *quantJob, pages *quantPage, n int)
