package kernels

import (
	"fmt"
	"unsafe"
)

// A quantised page holds, in this order,
//
//	the codes of the keys    [d/32, 4] tiles of 16 tokens by 32 dimensions; of 8 bits [d/64, 4, 2], the dimensions
//	                         running fastest, and if d is no multiple of 64, then [4] of the last ones
//	the codes of the values  [d/32, 2, 2] tiles of 16 dimensions by 32 tokens, the tokens running fastest
//	scales and minima        binary16: keys' scales [2, d], minima [2, d], values' scales [d/32, 64], minima [d/32, 64]
//
// A tile is what AMX wants as its second operand, once its codes are bf16: sixteen rows of 32 numbers, of which number
// 2i+j of row r belongs to column i (a token of the keys, a dimension of the values) and to place 2r+j along the sum. Its
// codes lie in words of 16 bits: word w has number w of neighbouring rows, the first one lowest. Two tiles of codes of 8
// bits are an operand of bytes as they are.

// tileWords is the number of numbers in a row of a tile.
const tileWords = 32

// bits is the number of bits of a code; 0 for a format without codes.
func (f PageFormat) bits() int {
	switch f {
	case PageQ8:
		return 8
	case PageQ4:
		return 4
	case PageQ2:
		return 2
	}
	return 0
}

// pageCodes are the parts of a quantised page.
type pageCodes struct {
	bits, d                        int
	keys, vals                     []uint16
	keyScale, keyLo, valScale, vLo []uint16
}

func codesOf(f PageFormat, page []byte, d int) pageCodes {
	all := values[uint16](page)
	codes, params := PageTokens*d*f.bits()/16, 2*d
	p := pageCodes{bits: f.bits(), d: d, keys: all[:codes], vals: all[codes:][:codes]}
	all = all[2*codes:]
	p.keyScale, p.keyLo, p.valScale, p.vLo = all[:params], all[params:][:params], all[2*params:][:params], all[3*params:][:params]
	return p
}

// place is where the code of row r and number w of a tile lies: its word and shift.
func (p *pageCodes) place(tile, r, w int) (word, shift int) {
	per := 16 / p.bits
	return tile*tileWords*p.bits + r/per*tileWords + w, r % per * p.bits
}

func (p *pageCodes) code(from []uint16, tile, r, w int) uint32 {
	word, shift := p.place(tile, r, w)
	return uint32(from[word] >> shift & (1<<p.bits - 1))
}

func (p *pageCodes) setCode(to []uint16, tile, r, w int, code uint32) {
	word, shift := p.place(tile, r, w)
	to[word] |= uint16(code) << shift
}

// beside is the number of tiles of keys side by side in a step, and the most of them.
func (p *pageCodes) beside(step int) (n, most int) {
	if most = 1; p.bits == 8 {
		most = 2
	}
	return min(most, p.d/32-most*step), most
}

// keyTile is the first slot and dimension of a tile of keys.
func (p *pageCodes) keyTile(tile int) (slot, c int) {
	_, most := p.beside(0)
	step := tile / (4 * most)
	n, _ := p.beside(step)
	in := tile - 4*most*step
	return in / n * 16, 32 * (most*step + in%n)
}

// keyPlace is the tile, row and number of a key's code, valuePlace of a value's.
func (p *pageCodes) keyPlace(slot, c int) (tile, r, w int) {
	_, most := p.beside(0)
	step := c / (32 * most)
	n, _ := p.beside(step)
	return 4*most*step + slot/16*n + c/32 - most*step, c % 32 / 2, slot%16*2 + c%2
}

func (p *pageCodes) valuePlace(slot, c int) (tile, r, w int) {
	return c/16*2 + slot/32, slot % 32 / 2, c%16*2 + slot%2
}

// key writes the numbers of a key to dst, value those of a value.
func (p *pageCodes) key(dst []float32, slot int) {
	params := slot / QuantGroup * p.d
	for c := range dst {
		tile, r, w := p.keyPlace(slot, c)
		code := p.code(p.keys, tile, r, w)
		dst[c] = float32(float32(code)*float16(uint32(p.keyScale[params+c]))) + float16(uint32(p.keyLo[params+c]))
	}
}

func (p *pageCodes) value(dst []float32, slot int) {
	for c := range dst {
		params := c/QuantGroup*PageTokens + slot
		tile, r, w := p.valuePlace(slot, c)
		code := p.code(p.vals, tile, r, w)
		dst[c] = float32(float32(code)*float16(uint32(p.valScale[params]))) + float16(uint32(p.vLo[params]))
	}
}

// QuantizePage quantises a full page src of PageF32 or PageBF16 to the page dst of format f, which is PageQ8, PageQ4 or
// PageQ2: as KIVI does, keys by channel in groups of QuantGroup tokens, values by token in groups of QuantGroup
// channels, with scales and minima in binary16 (see QuantizeKeys). It reports whether that is possible: a page with
// numbers that are not finite, or groups beyond the range of binary16, has to stay as it is; dst then holds anything.
func QuantizePage(f PageFormat, dst []byte, from PageFormat, src []byte, d int) bool {
	checkPage("QuantizePage", f, dst, d)
	checkPage("QuantizePage", from, src, d)
	if f.bits() == 0 || from.bits() != 0 {
		panic(fmt.Sprintf("kernels: QuantizePage: from %v to %v", from, f))
	}
	n, bits := PageTokens*d, f.bits()
	buf := scratchBytes(4 * (2*n + 4*2*d + 2*n*bits/32))
	defer scratchPool.Put(buf)
	x := values[float32](*buf)
	take := func(n int) (part []float32) {
		part, x = x[:n:n], x[n:]
		return part
	}
	words := func(n int) []uint32 {
		return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(take(n)))), n)
	}
	ks, kl, vs, vl := take(2*d), take(2*d), take(2*d), take(2*d)
	kc, vc := words(n*bits/32), words(n*bits/32)
	k, v := pageF32Of(take, from, src, d)
	if !finite(k) || !finite(v) {
		return false
	}
	QuantizeKeys(kc, ks, kl, k, F16, bits, PageTokens/QuantGroup, d)
	QuantizeValues(vc, vs, vl, v, F16, bits, PageTokens, d)
	if !finite(ks) || !finite(kl) || !finite(vs) || !finite(vl) {
		return false
	}
	p := codesOf(f, dst, d)
	p.set(kc, vc)
	for i := range 2 * d {
		p.keyScale[i], p.keyLo[i] = toF16(ks[i]), toF16(kl[i])
		row, group := i%PageTokens, i/PageTokens
		p.valScale[i], p.vLo[i] = toF16(vs[row*(d/QuantGroup)+group]), toF16(vl[row*(d/QuantGroup)+group])
	}
	return true
}

// pageF32Of is a page's keys and values in float32: its own memory, or what take gives.
func pageF32Of(take func(n int) []float32, f PageFormat, page []byte, d int) (k, v []float32) {
	if f == PageF32 {
		return pageF32(page, d)
	}
	keys, vals := pageBF16(page, d)
	k, v = take(PageTokens*d), take(PageTokens*d)
	for i, u := range keys {
		k[i] = fromBF16(u)
	}
	for t := range d {
		for slot, u := range vals[t*PageTokens:][:PageTokens] {
			v[slot*d+t] = fromBF16(u)
		}
	}
	return k, v
}

// setGo is the portable twin of set, which lays out the codes of QuantizeKeys and QuantizeValues.
func (p *pageCodes) setGo(keys, vals []uint32) {
	clear(p.keys)
	clear(p.vals)
	per, mask := 32/p.bits, uint32(1)<<p.bits-1
	for slot := range PageTokens {
		group, at := slot/QuantGroup, slot%QuantGroup
		words, shift := keys[(group*p.bits+at/per)*p.d:][:p.d], at%per*p.bits
		for c, word := range words {
			tile, r, w := p.keyPlace(slot, c)
			p.setCode(p.keys, tile, r, w, word>>shift&mask)
		}
		for c := range p.d {
			tile, r, w := p.valuePlace(slot, c)
			p.setCode(p.vals, tile, r, w, vals[(slot*p.d+c)/per]>>(c%per*p.bits)&mask)
		}
	}
}

// finiteGo is the portable twin of finite, which reports whether all numbers are.
func finiteGo(x []float32) bool {
	for _, v := range x {
		if v-v != 0 {
			return false
		}
	}
	return true
}

// unpack writes the codes of a tile, row by row.
func (p *pageCodes) unpack(dst *[tileRows * tileWords]uint8, from []uint16, tile int) {
	from = from[tile*tileWords*p.bits:][:tileWords*p.bits]
	per, mask := 16/p.bits, uint16(1)<<p.bits-1
	for r := range tileRows {
		words, shift := from[r/per*tileWords:][:tileWords], r%per*p.bits
		row := dst[r*tileWords:][:tileWords]
		for w, word := range words {
			row[w] = uint8(word >> shift & mask)
		}
	}
}

// allKeysGo is the portable twin of allKeys, which writes the numbers of all keys to k[PageTokens, d].
func (p *pageCodes) allKeysGo(k []float32) {
	var codes [tileRows * tileWords]uint8
	for tile := range PageTokens * p.d / len(codes) {
		p.unpack(&codes, p.keys, tile)
		slot, c := p.keyTile(tile)
		params := slot/QuantGroup*p.d + c
		var scale, lo [QuantGroup]float32
		for i := range scale {
			scale[i], lo[i] = float16(uint32(p.keyScale[params+i])), float16(uint32(p.keyLo[params+i]))
		}
		for t := range 16 {
			row := k[(slot+t)*p.d+c:][:QuantGroup]
			for i := range row {
				row[i] = float32(float32(codes[i/2*tileWords+2*t+i%2])*scale[i]) + lo[i]
			}
		}
	}
}

// allValuesGo is the portable twin of allValues, which writes the numbers of all values to v[PageTokens, d].
func (p *pageCodes) allValuesGo(v []float32) {
	var codes [tileRows * tileWords]uint8
	for tile := range PageTokens * p.d / len(codes) {
		p.unpack(&codes, p.vals, tile)
		slot, c := tile%2*32, tile/2*16
		for t := range 32 {
			params := c/QuantGroup*PageTokens + slot + t
			scale, lo := float16(uint32(p.valScale[params])), float16(uint32(p.vLo[params]))
			row := v[(slot+t)*p.d+c:][:16]
			for i := range row {
				row[i] = float32(float32(codes[t/2*tileWords+2*i+t%2])*scale) + lo
			}
		}
	}
}

// dequantizePage writes the numbers of a quantised page to a page of PageF32 or, rounded, PageBF16.
func dequantizePage(to PageFormat, dst []byte, f PageFormat, src []byte, d int) {
	if to == PageF32 {
		p := codesOf(f, src, d)
		k, v := pageF32(dst, d)
		p.allKeys(k)
		p.allValues(v)
		return
	}
	buf := scratchBytes(8 * PageTokens * d)
	defer scratchPool.Put(buf)
	wide := (*buf)[:8*PageTokens*d]
	dequantizePage(PageF32, wide, f, src, d)
	k, v := pageF32(wide, d)
	keys, vals := pageBF16(dst, d)
	storeBF16(keys, vals, k, v, PageTokens, d)
}

// keysOf returns the keys of a quantised page; the buffer goes back to scratchPool.
func keysOf(f PageFormat, page []byte, d int) (k []float32, buf *[]byte) {
	buf = scratchBytes(4 * PageTokens * d)
	k = values[float32]((*buf)[:4*PageTokens*d])
	p := codesOf(f, page, d)
	p.allKeys(k)
	return k, buf
}
