package kernels

import "unsafe"

// quant8Job is a tile of up to eight queries, its state and the kernel's scratch, for codes of 8 bits. Its layout is known
// in assembly.
type quant8Job struct {
	config   [64]byte       // of the tiles
	rows     int            // 64
	groups   int            // 72: of dimensions
	half     int            // 80: bytes of the upper bytes in a tile, after which the lower ones come
	steps    int            // 88: of 64 dimensions
	codes    int            // 96: bytes of a page's codes of keys
	quarter  int            // 104: of all its codes
	fetch    int            // 112: how often four lines of the next page are fetched for a row and group of keys, or of values
	more     int            // 120: the same for each of what follows these
	count    int            // 128: for the assembly alone
	q        unsafe.Pointer // 136
	o        unsafe.Pointer // 144
	head     unsafe.Pointer // 152
	info     unsafe.Pointer // 160: [8, 64] float32
	products unsafe.Pointer // 168: [steps, rows, 64] float32: queries times scales
	queries  unsafe.Pointer // 176: [2, steps] tiles of them
	scores   unsafe.Pointer // 184: [4] tiles of int32
	scales   unsafe.Pointer // 192: [groups, 2, 64] float32: values' scales, what is added to them
	weights  unsafe.Pointer // 200: [groups] tiles of weights times scales
	units    unsafe.Pointer // 208: [rows, groups] float32: what a unit of the tiles is worth
	sums     unsafe.Pointer // 216: [groups, 2] tiles of int32
}

// quant8Rows is the number of queries of a job: each has two rows of a tile.
const quant8Rows = tileRows / 2

// quant8Tile attends with some rows to pages of PageQ8.
func (a *Attention) quant8Tile(pages []PageView, first, rows int) {
	s, groups := &a.quant, a.d/QuantGroup
	list := a.visiblePages(pages, first, rows)
	if len(list) == 0 {
		return
	}
	j := quant8Job{rows: rows, groups: groups, half: rows * 64, steps: ceilDiv(groups, 2), codes: PageTokens * a.d}
	j.quarter, j.fetch, j.more = j.codes/2, ceilDiv(4, rows), ceilDiv(4, rows)
	if rows > 4 {
		j.fetch, j.more = ceilDiv(8, rows), 0
	}
	j.config[0] = 1
	for t := range 8 {
		j.config[16+2*t], j.config[48+t] = 64, byte(2*rows)
		if t >= 6 {
			j.config[48+t] = tileRows
		}
	}
	j.q, j.o = unsafe.Pointer(&s.rows[first*a.d]), unsafe.Pointer(&s.o[first*a.d])
	j.head = unsafe.Pointer(&s.head[first*quantHead(a.d)])
	buf := scratchParts([]scratchPart{{&j.info, 256 * quant8Rows}, {&j.products, 256 * quant8Rows * j.steps},
		{&j.queries, 2 * tileBytes * j.steps}, {&j.scores, 4 * tileBytes}, {&j.scales, 512 * groups},
		{&j.weights, tileBytes * groups}, {&j.units, lineSize * ceilDiv(4*quant8Rows*groups, lineSize)}, {&j.sums, 2 * tileBytes * groups}})
	flashQuant8AMX(&j, &list[0], len(list))
	clear(list) // pages belong to others
	scratchPool.Put(buf)
}

// flashQuant8AMX attends with a tile to n > 0 pages of PageQ8.
//
//go:noescape
func flashQuant8AMX(job *quant8Job, pages *quantPage, n int)
