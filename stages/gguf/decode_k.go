package gguf

// The K types store 256 numbers in sub-blocks of 16 or 32 with scales of their own, which are themselves quantised.

// scaleMin returns the j-th of eight scales and least numbers, 6 bits each, that Q4_K and Q5_K pack into twelve bytes: four of each in
// the low bits of the first eight bytes; of the other four the low bits are in the last four bytes and the high ones above those first.
func scaleMin(j int, b []byte) (scale, least byte) {
	if j < 4 {
		return b[j] & 63, b[j+4] & 63
	}
	return b[j+4]&15 | b[j-4]>>6<<4, b[j+4]>>4 | b[j]>>6<<4
}

// decodeQ4K: two scales, twelve bytes of sub-scales, and 256 numbers of 4 bits: of each 32 bytes first the low halves, then the high.
func decodeQ4K(dst []float32, b []byte) {
	d, dmin, scales, qs := half(b), half(b[2:]), b[4:16], b[16:]
	for j := range 8 {
		s, m := scaleMin(j, scales)
		step, least := d*float32(s), dmin*float32(m)
		for i, q := range qs[j/2*32:][:32] {
			dst[j*32+i] = float32(step*float32(q>>(j%2*4)&15)) - least
		}
	}
}

// decodeQ5K is Q4_K with a fifth bit: bit j of byte i is that of number i of sub-block j.
func decodeQ5K(dst []float32, b []byte) {
	d, dmin, scales, high, qs := half(b), half(b[2:]), b[4:16], b[16:48], b[48:]
	for j := range 8 {
		s, m := scaleMin(j, scales)
		step, least := d*float32(s), dmin*float32(m)
		for i, q := range qs[j/2*32:][:32] {
			dst[j*32+i] = float32(step*float32(q>>(j%2*4)&15|high[i]>>j&1<<4)) - least
		}
	}
}

// decodeQ6K: low 4 bits, high 2 bits, sixteen signed scales, and a scale for those; less 32.
func decodeQ6K(dst []float32, b []byte) {
	low, high, scales, d := b[:128], b[128:192], b[192:208], half(b[208:])
	for n := range 2 { // 128 numbers each
		for j := range 4 { // 32 each
			for i := range 32 {
				q := low[n*64+j%2*32+i]>>(j/2*4)&15 | high[n*32+i]>>(2*j)&3<<4
				scale := int8(scales[n*8+j*2+i/16])
				dst[n*128+j*32+i] = d * float32(scale) * float32(int(q)-32)
			}
		}
	}
}

// decodeQ2K: sixteen bytes of a scale and a least number, 4 bits each, 256 numbers of 2 bits, and scales for those.
func decodeQ2K(dst []float32, b []byte) {
	scales, qs, d, dmin := b[:16], b[16:80], half(b[80:]), half(b[82:])
	for j := range 16 {
		step, least := d*float32(scales[j]&15), dmin*float32(scales[j]>>4)
		for i, q := range qs[j/8*32+j%2*16:][:16] {
			dst[j*16+i] = float32(step*float32(q>>(j%8/2*2)&3)) - least
		}
	}
}

// decodeQ3K: third bits, low 2 bits, sixteen scales of 6 bits less 32, and a scale for those. A third bit that is not set takes 4 off.
func decodeQ3K(dst []float32, b []byte) {
	third, qs, packed, d := b[:32], b[32:96], b[96:108], half(b[108:])
	for j := range 16 {
		low := packed[j%8] >> (j / 8 * 4) & 15
		scale := int(low|packed[8+j%4]>>(j/4*2)&3<<4) - 32
		step := d * float32(scale)
		for i := range 16 {
			at := j%2*16 + i
			q := int(qs[j/8*32+at] >> (j % 8 / 2 * 2) & 3)
			if third[at]>>(j/2)&1 == 0 {
				q -= 4
			}
			dst[j*16+i] = step * float32(q)
		}
	}
}

// uneven are the sixteen numbers, denser about zero, that the four bits of IQ4_NL and IQ4_XS choose from.
var uneven = [16]float32{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

// decodeIQ4NL: a scale and 32 numbers of 4 bits. The low halves of the bytes are the first sixteen.
func decodeIQ4NL(dst []float32, b []byte) {
	d := half(b)
	for i, q := range b[2:] {
		dst[i], dst[i+16] = d*uneven[q&15], d*uneven[q>>4]
	}
}

// decodeIQ4XS: a scale, of eight sub-scales the high 2 bits and the low 4, less 32, and 256 numbers as in eight IQ4_NL.
func decodeIQ4XS(dst []float32, b []byte) {
	d, high, low := half(b), uint(b[2])|uint(b[3])<<8, b[4:8]
	for j := range 8 {
		scale := int(low[j/2]>>(j%2*4)&15) | int(high>>(2*j)&3)<<4
		step := d * float32(scale-32)
		for i, q := range b[8+16*j:][:16] {
			dst[32*j+i], dst[32*j+16+i] = step*uneven[q&15], step*uneven[q>>4]
		}
	}
}
