package kernels

import (
	"fmt"
	"math"
	"unsafe"
)

// PageFormat is how a page of the KV cache holds PageTokens keys and values of one KV head. A page is PageBytes long
// and starts on a 64-byte boundary; keys come first.
type PageFormat uint8

const (
	PageF32  PageFormat = iota // keys [PageTokens, d], values [PageTokens, d], float32
	PageBF16                   // keys [PageTokens, d], values transposed [d, PageTokens], bf16
	PageQ8                     // KIVI's codes of 8 bits: whole pages only, made by QuantizePage; QuantGroup divides d
	PageQ4                     // of 4 bits
	PageQ2                     // of 2 bits
)

// String is "f32", "bf16", "q8", "q4" or "q2".
func (f PageFormat) String() string {
	switch f {
	case PageF32:
		return "f32"
	case PageBF16:
		return "bf16"
	case PageQ8, PageQ4, PageQ2:
		return fmt.Sprintf("q%d", f.bits())
	}
	return fmt.Sprintf("PageFormat(%d)", uint8(f))
}

// size is the number of bytes of one value that is not quantised.
func (f PageFormat) size() int {
	if f == PageF32 {
		return 4
	}
	return 2
}

// PageBytes is the size of a page of heads of d dimensions.
func PageBytes(f PageFormat, d int) int {
	if bits := f.bits(); bits > 0 { // codes; scales and minima
		return 2*PageTokens*d*bits/8 + 2*2*2*2*d
	}
	return 2 * PageTokens * d * f.size()
}

func checkPage(kernel string, f PageFormat, page []byte, d int) {
	if f > PageQ2 {
		panic(fmt.Sprintf("kernels: %s: %v is no page format", kernel, f))
	}
	if f.bits() > 0 && d%QuantGroup != 0 {
		panic(fmt.Sprintf("kernels: %s: %v has whole groups of %d dimensions, not %d", kernel, f, QuantGroup, d))
	}
	checkLen(kernel, "page (in bytes)", len(page), PageBytes(f, d), 1)
	if uintptr(unsafe.Pointer(unsafe.SliceData(page)))%lineSize != 0 {
		panic(fmt.Sprintf("kernels: %s: the page does not start on a %d-byte boundary", kernel, lineSize))
	}
}

// pageF32 is a page of PageF32 as its keys and values.
func pageF32(page []byte, d int) (k, v []float32) {
	all := values[float32](page)
	return all[:PageTokens*d], all[PageTokens*d:]
}

// pageBF16 is a page of PageBF16 as its keys and transposed values.
func pageBF16(page []byte, d int) (k, v []uint16) {
	all := values[uint16](page)
	return all[:PageTokens*d], all[PageTokens*d:]
}

// StoreSlot writes key k[d] and value v[d] to a slot of a page, rounding to nearest even for bf16. A value that is
// not finite (for bf16, not finite after rounding) is stored as 0, and the key's first number as NaN: so all queries
// that see the slot become NaN, and those that do not are not touched by it even where the arithmetic multiplies by
// a weight of 0. LoadK and LoadV read what is stored.
func StoreSlot(f PageFormat, page []byte, slot int, k, v []float32, d int) {
	StoreSlots(f, page, slot, k, v, 1, d)
}

// StoreSlots is StoreSlot for n slots from the given one on; k and v are [n, d].
func StoreSlots(f PageFormat, page []byte, slot int, k, v []float32, n, d int) {
	checkPage("StoreSlots", f, page, d)
	if f.bits() > 0 {
		panic(fmt.Sprintf("kernels: StoreSlots: pages of %v are made by QuantizePage", f))
	}
	checkLen("StoreSlots", "k", len(k), n, d)
	checkLen("StoreSlots", "v", len(v), n, d)
	if slot < 0 || slot+n > PageTokens {
		panic(fmt.Sprintf("kernels: StoreSlots: slots [%d, %d) are not in a page of %d", slot, slot+n, PageTokens))
	}
	if n == 0 || d == 0 {
		return
	}
	if f == PageF32 {
		keys, vals := pageF32(page, d)
		copy(keys[slot*d:], k)
		storeF32(vals[slot*d:][:n*d], keys[slot*d:], v, d)
		return
	}
	keys, vals := pageBF16(page, d)
	storeBF16(keys[slot*d:], vals[slot:], k, v, n, d)
}

// storeF32 copies the values v and replaces those that are not finite.
func storeF32(dst, keys, v []float32, d int) {
	copy(dst, v)
	for i, x := range dst {
		if x-x != 0 {
			dst[i] = 0
			keys[i/d*d] = nanF32
		}
	}
}

var nanF32 = float32(math.NaN())

// storeBF16Go is the portable twin: keys k[n, d] to rows, values v[n, d] to columns PageTokens apart.
func storeBF16Go(keys, vals []uint16, k, v []float32, n, d int) {
	roundBF16Go(keys[:n*d], k)
	for i := range n {
		for t, x := range v[i*d : (i+1)*d] {
			u := nearestBF16(x)
			if u&0x7f80 == 0x7f80 {
				u, keys[i*d] = 0, 0x7fc0
			}
			vals[t*PageTokens+i] = u
		}
	}
}

// LoadK widens the key of a slot to dst[d].
func LoadK(f PageFormat, dst []float32, page []byte, slot int) {
	d := len(dst)
	checkPage("LoadK", f, page, d)
	if f.bits() > 0 {
		p := codesOf(f, page, d)
		p.key(dst, slot)
		return
	}
	if f == PageF32 {
		k, _ := pageF32(page, d)
		copy(dst, k[slot*d:(slot+1)*d])
		return
	}
	k, _ := pageBF16(page, d)
	for t, u := range k[slot*d : (slot+1)*d] {
		dst[t] = fromBF16(u)
	}
}

// LoadV widens the value of a slot to dst[d].
func LoadV(f PageFormat, dst []float32, page []byte, slot int) {
	d := len(dst)
	checkPage("LoadV", f, page, d)
	if f.bits() > 0 {
		p := codesOf(f, page, d)
		p.value(dst, slot)
		return
	}
	if f == PageF32 {
		_, v := pageF32(page, d)
		copy(dst, v[slot*d:(slot+1)*d])
		return
	}
	_, v := pageBF16(page, d)
	for t := range dst {
		dst[t] = fromBF16(v[t*PageTokens+slot])
	}
}

// KeyScoresPage writes scale·(q·k) for the first len(dst) keys of a page. For bf16 pages q is not rounded.
func KeyScoresPage(f PageFormat, dst []float32, page []byte, q []float32, scale float32) {
	d := len(q)
	checkPage("KeyScoresPage", f, page, d)
	if len(dst) > PageTokens {
		panic(fmt.Sprintf("kernels: KeyScoresPage: %d scores of a page of %d", len(dst), PageTokens))
	}
	if f.bits() > 0 {
		k, buf := keysOf(f, page, d)
		defer scratchPool.Put(buf)
		KeyScores(dst, q, k, scale)
		return
	}
	pageScores(f, dst, page, q, scale)
}

// pageScoresGo is the portable twin.
func pageScoresGo(f PageFormat, dst []float32, page []byte, q []float32, scale float32) {
	d := len(q)
	if f == PageF32 {
		k, _ := pageF32(page, d)
		KeyScores(dst, q, k, scale)
		return
	}
	k, _ := pageBF16(page, d)
	row := func(i int) []uint16 { return k[min(i, PageTokens-1)*d:][:d] }
	for i := 0; i < len(dst); i += 8 {
		var s [8]float32
		s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = dot8bf16(q, row(i), row(i+1), row(i+2), row(i+3), row(i+4), row(i+5), row(i+6), row(i+7))
		for j := range dst[i:min(i+8, len(dst))] {
			dst[i+j] = scale * s[j]
		}
	}
}

// MinMaxPage writes the smallest and the largest number of each channel of the keys of slots [from, to) to lo[d] and
// hi[d], as MinMax does.
func MinMaxPage(f PageFormat, lo, hi []float32, page []byte, from, to int) {
	d := len(lo)
	checkPage("MinMaxPage", f, page, d)
	if from < 0 || from > to || to > PageTokens {
		panic(fmt.Sprintf("kernels: MinMaxPage: slots [%d, %d) are not in a page of %d", from, to, PageTokens))
	}
	if f.bits() > 0 {
		k, buf := keysOf(f, page, d)
		defer scratchPool.Put(buf)
		MinMax(lo, hi, k[from*d:to*d], to-from, d)
		return
	}
	if f == PageF32 {
		k, _ := pageF32(page, d)
		MinMax(lo, hi, k[from*d:to*d], to-from, d)
		return
	}
	k, _ := pageBF16(page, d)
	MinMax(lo, hi, nil, 0, d)
	hi = hi[:d]
	for r := from; r < to; r++ {
		for t, u := range k[r*d : (r+1)*d] {
			v := fromBF16(u)
			if v < lo[t] {
				lo[t] = v
			}
			if v > hi[t] {
				hi[t] = v
			}
		}
	}
}
