package kernels

import (
	"math"
	"unsafe"
)

// A tile is sixteen neighbouring queries, the last one filled up with zeros. Its memory is
//
//	[16] float32  PageBF16: minus the running maximum, in powers of two; PageF32: the maximum itself
//	[16] float32  sum of weights
//	[16] float32  PageBF16: 0 until the query has seen a key, then -1
//	[16]          unused
//	q             PageBF16: for every 32 dimensions an AMX tile, [16 pairs of dimensions, 16 queries, 2] bf16
//	              PageF32: [d, 16] float32
//	o             [d, 16] float32, not yet divided
const (
	flashRows = 16
	flashHead = 4 * 64
	flashSums = 16 // where the sums are, in float32
	flashGate = 32
)

// flashUnit is work for the assembly: one tile's attention to one page. Its layout is known there.
type flashUnit struct {
	k, v  unsafe.Pointer
	tile  unsafe.Pointer
	mask  *tileMask // nil: all of the tile's queries see the whole page
	union uint64    // what any of the tile's queries sees
	ahead unsafe.Pointer
	lines int // of memory from ahead on that will be read soon, a sixteenth of them
	step  int // PageF32: bytes of it for each slot and sixteen dimensions of its value
}

// tileMask has, for each of a tile's queries, the slots 0 … 31 and 32 … 63 that it sees.
type tileMask [2 * flashRows]uint32

// A call of the assembly ends in less than 100 µs: by the number of dimensions of its units, which is their work, and by
// the bytes of its pages, should they come from memory. So few of its pages of PageBF16 may be partly visible, because
// their values are copied.
const (
	maxUnits    = 256
	maxDimsBF16 = maxUnits * 64
	maxDimsF32  = maxUnits * 8
	maxBytes    = 1 << 20
	maxClean    = 16
)

// tileState is the state of an Attention in tiles.
type tileState struct {
	memory []byte // the tiles and one more for the first unit's predecessor
	size   int    // of a tile
	n      int    // number of tiles
	limit  int    // of units in a call
	run    func(units *flashUnit, n int, scratch *byte, d int)
	bytes  int // of the pages collected so far
	// distance is how many pages ahead memory is fetched: AMX reads the keys of the next page with this one's values.
	distance int
	dims     int // bytes of q in a tile
	scratch  []byte
	clean    []byte // room for the values of maxClean pages
	cleaned  int
	units    []flashUnit // [0] stands for the first unit's predecessor
	masks    []tileMask
	rows     []float32 // sixteen rows

	quantPages []quantPage // maxQuantPages of them, and their masks
	quantMasks [][flashRows]uint64
}

func (a *Attention) startTiles(q []float32, scale float32) bool {
	if a.d == 0 || a.rows == 0 || active == tierGo {
		return false
	}
	s := &a.tiles
	switch a.format {
	case PageBF16:
		if active != tierAMX || a.d%32 != 0 {
			return false
		}
		s.dims, s.distance, s.limit = flashRows*a.d*2, 2, maxDimsBF16/a.d
	case PageF32:
		if active < tierAVX512 || a.d%16 != 0 {
			return false
		}
		s.dims, s.distance, s.limit = flashRows*a.d*4, 1, maxDimsF32/a.d
	}
	s.limit = max(1, min(maxUnits, s.limit))
	s.run = a.kernel()
	s.n = (a.rows + flashRows - 1) / flashRows
	s.size = flashHead + s.dims + 4*flashRows*a.d
	s.memory = grown(&s.memory, (s.n+1)*s.size)
	s.scratch = grown(&s.scratch, flashScratch)
	s.rows = resize(s.rows, flashRows*a.d)
	if cap(s.units) == 0 {
		s.units, s.masks = make([]flashUnit, 1, maxUnits+2), make([]tileMask, maxUnits)
	}
	for i := range s.n {
		rows := min(flashRows, a.rows-i*flashRows)
		a.startTile(s.tile(i), q[i*flashRows*a.d:][:rows*a.d], scale*math.Log2E, rows)
	}
	return true
}

// flashScratch is two blocks of scores [64, 16] float32 and two of weights [32, 16, 2] bf16.
const flashScratch = 2*4096 + 2*2048

func (s *tileState) tile(i int) []byte { return s.memory[i*s.size:][:s.size] }

// startTile packs queries and empties the rest of a tile. Rows that do not exist have a query of 0 and a maximum of 1,
// which no score of theirs can reach.
func (a *Attention) startTile(tile []byte, q []float32, scale float32, rows int) {
	if rows < flashRows {
		clear(a.tiles.rows[rows*a.d:])
		copy(a.tiles.rows, q)
		q = a.tiles.rows
	}
	head := values[float32](tile[:flashHead])
	packed := unsafe.Pointer(&tile[flashHead])
	clear(head)
	clear(tile[flashHead+a.tiles.dims:])
	if a.format == PageF32 {
		flashPackAVX512((*float32)(packed), &q[0], a.d, scale)
		for r := range flashRows {
			head[r] = -math.MaxFloat32
		}
		return
	}
	flashPackAMX((*uint16)(packed), &q[0], a.d, scale)
	for r := rows; r < flashRows; r++ {
		head[r], head[flashGate+r] = -1, -1
	}
}

func (a *Attention) tilePages(pages []PageView) {
	s := &a.tiles
	for i := range pages {
		if s.bytes += len(pages[i].Data); s.bytes > maxBytes || s.cleaned == maxClean {
			a.flush()
			s.bytes, s.cleaned = 0, 0
		}
		if a.unions[i] == 0 {
			continue
		}
		var next []byte // of partly visible pages too much would be fetched
		if j := i + s.distance; j < len(pages) && a.unions[j] == ^uint64(0) {
			next = pages[j].Data
		}
		a.addPage(&pages[i], a.unions[i], next)
	}
	a.flush()
	s.bytes, s.cleaned = 0, 0
	clear(s.units[:cap(s.units)]) // pages belong to others
}

// addPage appends the units of a page, or runs them when there is no room for more.
func (a *Attention) addPage(p *PageView, union uint64, next []byte) {
	s := &a.tiles
	k := unsafe.Pointer(&p.Data[0])
	v := unsafe.Pointer(&p.Data[len(p.Data)/2])
	if union != ^uint64(0) && a.format == PageBF16 {
		v = s.cleanValues(v, union, a.d)
	}
	// The units share the work of fetching the next page.
	lines := (len(next)/lineSize + 16*s.n - 1) / (16 * s.n)
	for i := range s.n {
		if len(s.units) > s.limit {
			a.flush()
		}
		u := flashUnit{k: k, v: v, tile: unsafe.Pointer(&s.memory[i*s.size]), union: ^uint64(0)}
		if p.Mask != nil {
			rows := p.Mask[i*flashRows : min((i+1)*flashRows, a.rows)]
			all, any := ^uint64(0), uint64(0)
			for _, mask := range rows {
				all &= mask
				any |= mask
			}
			if any == 0 {
				continue
			}
			if u.union = any; all != ^uint64(0) {
				u.mask = &s.masks[len(s.units)-1]
				u.mask.set(rows)
			}
		}
		if at := 16 * lines * i * lineSize; at < len(next) {
			u.ahead, u.lines, u.step = unsafe.Pointer(&next[at]), lines, 128*lines/a.d
		}
		s.units = append(s.units, u)
	}
}

func (m *tileMask) set(rows []uint64) {
	clear(m[:])
	for r, mask := range rows {
		m[r], m[flashRows+r] = uint32(mask), uint32(mask>>32)
	}
}

// cleanValues copies transposed values with zeros for the slots that nobody sees: a product with a weight of 0 is
// only 0 if the value is finite.
func (s *tileState) cleanValues(v unsafe.Pointer, union uint64, d int) unsafe.Pointer {
	bytes := 2 * PageTokens * d
	s.clean = grown(&s.clean, maxClean*bytes)
	to := unsafe.Pointer(&s.clean[s.cleaned*bytes])
	s.cleaned++
	flashCleanAMX(to, v, union, d)
	return to
}

// flush runs the units collected so far.
func (a *Attention) flush() {
	s := &a.tiles
	if n := len(s.units) - 1; n > 0 {
		s.units[0] = flashUnit{k: s.units[1].k, v: s.units[1].v, tile: unsafe.Pointer(&s.memory[s.n*s.size]), union: ^uint64(0)}
		s.units = append(s.units, s.units[n])
		s.run(&s.units[1], n, &s.scratch[0], a.d)
	}
	s.units = s.units[:1]
}

// few reports whether the kernel for up to four queries is used, whose o is [4, d]. Its results are the same.
func (a *Attention) few() bool { return a.format == PageF32 && a.rows <= 4 }

// kernel is the choice of assembly.
func (a *Attention) kernel() func(units *flashUnit, n int, scratch *byte, d int) {
	switch {
	case a.few():
		return flashFewAVX512
	case a.format == PageF32:
		return flashAVX512
	case a.d == 64:
		return flashAMX64
	case a.d == 128:
		return flashAMX128
	}
	return flashAMX
}

// eachTile calls f with the tiles and their rows.
func (a *Attention) eachTile(f func(tile []byte, head []float32, first, rows int)) {
	for i := range a.tiles.n {
		tile := a.tiles.tile(i)
		f(tile, values[float32](tile[:flashHead]), i*flashRows, min(flashRows, a.rows-i*flashRows))
	}
}

// unpack writes a tile's o, multiplied, to rows of out.
func (a *Attention) unpack(out []float32, tile []byte, by *[flashRows]float32, rows int) {
	o := (*float32)(unsafe.Pointer(&tile[flashHead+a.tiles.dims]))
	if a.few() {
		for i, v := range values[float32](tile[flashHead+a.tiles.dims:])[:rows*a.d] {
			out[i] = v * by[i/a.d]
		}
		return
	}
	if rows == flashRows {
		flashUnpackAVX512(&out[0], o, by, a.d)
		return
	}
	flashUnpackAVX512(&a.tiles.rows[0], o, by, a.d)
	copy(out, a.tiles.rows[:rows*a.d])
}

func (a *Attention) finishTiles(out []float32) {
	a.eachTile(func(tile []byte, head []float32, first, rows int) {
		by := [flashRows]float32{}
		for r := range by {
			if r < rows {
				by[r] = 1 / a.divisor(first+r, head[flashSums+r])
			}
		}
		a.unpack(out[first*a.d:][:rows*a.d], tile, &by, rows)
	})
}

func (a *Attention) partialTiles(o, m, l []float32) {
	ones := [flashRows]float32{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
	sign := float32(math.Ln2)
	if a.format == PageBF16 {
		sign = -sign
	}
	a.eachTile(func(tile []byte, head []float32, first, rows int) {
		a.unpack(o[first*a.d:][:rows*a.d], tile, &ones, rows)
		for r := range rows {
			m[first+r] = sign * head[r]
		}
		copy(l[first:first+rows], head[flashSums:])
	})
}

// The kernels go through n units in order; units[-1] and units[n] exist, and what is computed for them is not used.
// Those of AMX need a d that is a multiple of 32, the others one of 16.

//go:noescape
func flashAMX(units *flashUnit, n int, scratch *byte, d int)

//go:noescape
func flashAMX64(units *flashUnit, n int, scratch *byte, d int)

//go:noescape
func flashAMX128(units *flashUnit, n int, scratch *byte, d int)

//go:noescape
func flashAVX512(units *flashUnit, n int, scratch *byte, d int)

//go:noescape
func flashFewAVX512(units *flashUnit, n int, scratch *byte, d int)

// flashPackAMX scales q[16, d], rounds it to bf16 and packs it as a tile's q.
//
//go:noescape
func flashPackAMX(dst *uint16, q *float32, d int, scale float32)

//go:noescape
func flashPackAVX512(dst, q *float32, d int, scale float32)

// flashUnpackAVX512 multiplies o[d, 16] by by[16] and writes its transpose to out[16, d].
//
//go:noescape
func flashUnpackAVX512(out, o *float32, by *[16]float32, d int)

// flashCleanAMX copies v[d, PageTokens] bf16 with zeros in the columns that are not in the union.
//
//go:noescape
func flashCleanAMX(dst, v unsafe.Pointer, union uint64, d int)
