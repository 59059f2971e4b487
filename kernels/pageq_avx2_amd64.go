package kernels

import "unsafe"

// tileRowBytes is the size of the assembly's scratch: sixteen rows of a tile.
const tileRowBytes = tileRows * 2 * tileWords

// keysAVX2 is allKeys, valuesAVX2 is allValues.
func (p *pageCodes) keysAVX2(k []float32) {
	buf, scale, lo := wideParams(p.keyScale, p.keyLo)
	for tile := range PageTokens * p.d / (tileRows * tileWords) {
		slot, c := p.keyTile(tile)
		at := slot/QuantGroup*p.d + c
		keyTileAVX2(&k[slot*p.d+c], &p.keys[tile*tileWords*p.bits], &scale[at], &lo[at], &(*buf)[0], p.d, p.bits)
	}
	scratchPool.Put(buf)
}

func (p *pageCodes) valuesAVX2(v []float32) {
	buf, scale, lo := wideParams(p.valScale, p.vLo)
	for tile := range PageTokens * p.d / (tileRows * tileWords) {
		slot, c := tile%2*32, tile/2*16
		at := c/QuantGroup*PageTokens + slot
		valueTileAVX2(&v[slot*p.d+c], &p.vals[tile*tileWords*p.bits], &scale[at], &lo[at], &(*buf)[0], p.d, p.bits)
	}
	scratchPool.Put(buf)
}

// wideParams widens scales and minima, for which AVX2 alone has no instruction. They are in a buffer of scratchPool, behind
// the scratch of a tile.
func wideParams(scale, lo []uint16) (buf *[]byte, wideScale, wideLo []float32) {
	n := len(scale)
	buf = scratchBytes(tileRowBytes + 8*n)
	wide := values[float32]((*buf)[tileRowBytes:][:8*n])
	widen(wide[:n], F16, halfBytes(scale))
	widen(wide[n:], F16, halfBytes(lo))
	return buf, wide[:n], wide[n:]
}

// halfBytes views numbers of binary16 as bytes.
func halfBytes(x []uint16) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 2*len(x))
}

// keyTileAVX2 is keyTileAVX512 with widened parameters, valueTileAVX2 is valueTileAVX512; rows has sixteen rows of a tile.
//
//go:noescape
func keyTileAVX2(k *float32, codes *uint16, scale, lo *float32, rows *byte, d, bits int)

//go:noescape
func valueTileAVX2(v *float32, codes *uint16, scale, lo *float32, rows *byte, d, bits int)
