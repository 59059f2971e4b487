package kernels

// tileScratch is the assembly's scratch: sixteen rows of a tile, then scales and minima of 32 tokens.
const tileScratch = 1024 + 256

// allKeys writes the numbers of all keys to k[PageTokens, d].
func (p *pageCodes) allKeys(k []float32) {
	if active == tierGo {
		p.allKeysGo(k)
		return
	}
	if active == tierAVX2 {
		p.keysAVX2(k)
		return
	}
	buf := scratchBytes(tileScratch)
	for tile := range 4 * p.d / tileWords {
		slot, c := p.keyTile(tile)
		at := slot/QuantGroup*p.d + c
		keyTileAVX512(&k[slot*p.d+c], &p.keys[tile*tileWords*p.bits], &p.keyScale[at], &p.keyLo[at], &(*buf)[0], p.d, p.bits)
	}
	scratchPool.Put(buf)
}

// allValues writes the numbers of all values to v[PageTokens, d].
func (p *pageCodes) allValues(v []float32) {
	if active == tierGo {
		p.allValuesGo(v)
		return
	}
	if active == tierAVX2 {
		p.valuesAVX2(v)
		return
	}
	buf := scratchBytes(tileScratch)
	for tile := range 4 * p.d / tileWords {
		slot, c := tile%2*32, tile/2*16
		at := c/QuantGroup*PageTokens + slot
		valueTileAVX512(&v[slot*p.d+c], &p.vals[tile*tileWords*p.bits], &p.valScale[at], &p.vLo[at], &(*buf)[0], p.d, p.bits)
	}
	scratchPool.Put(buf)
}

// set lays out the codes of QuantizeKeys and QuantizeValues.
func (p *pageCodes) set(keys, vals []uint32) {
	if active < tierAVX512 {
		p.setGo(keys, vals)
		return
	}
	buf := scratchBytes(tileScratch)
	for tile := range 4 * p.d / tileWords {
		to := tile * tileWords * p.bits
		slot, c := p.keyTile(tile)
		packKeysAVX512(&p.keys[to], &keys[slot*p.bits/32*p.d+c], &(*buf)[0], p.d, p.bits)
		slot, c = tile%2*32, tile/2*16
		packValuesAVX512(&p.vals[to], &vals[(slot*p.d+c)*p.bits/32], &(*buf)[0], p.d, p.bits)
	}
	scratchPool.Put(buf)
}

// finite reports whether all numbers are.
func finite(x []float32) bool {
	n := 0
	if active >= tierAVX512 {
		if n = len(x) &^ 31; n > 0 && largestAVX512(&x[0], n) >= 0x7f800000 {
			return false
		}
	}
	return finiteGo(x[n:])
}

// keyTileAVX512 writes a tile of keys, sixteen tokens by 32 dimensions, to rows d numbers apart. scale and lo are those
// of its dimensions; rows is tileScratch long, as in the others.
//
//go:noescape
func keyTileAVX512(k *float32, codes, scale, lo *uint16, rows *byte, d, bits int)

// valueTileAVX512 does the same for a tile of values, 32 tokens by sixteen dimensions; scale and lo are the tokens'.
//
//go:noescape
func valueTileAVX512(v *float32, codes, scale, lo *uint16, rows *byte, d, bits int)

// packKeysAVX512 makes a tile of keys of QuantizeKeys' words, from the tile's first token and dimension on.
//
//go:noescape
func packKeysAVX512(codes *uint16, words *uint32, rows *byte, d, bits int)

// packValuesAVX512 makes a tile of values of QuantizeValues' words.
//
//go:noescape
func packValuesAVX512(codes *uint16, words *uint32, rows *byte, d, bits int)

// largestAVX512 returns the largest of n numbers without its sign, as bits: NaN is the largest. n is a positive multiple
// of 32.
//
//go:noescape
func largestAVX512(x *float32, n int) uint32
