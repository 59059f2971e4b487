package kernels

import "unsafe"

// Scorer computes the products of many queries with the keys of pages, as matrix products: some ten times as fast, a query, as
// KeyScoresPage is for one. The zero value is ready for Start; one is for one goroutine, and keeps its memory for the next.
//
// A query's products depend on that query and the page alone. Queries meet keys of PageBF16 in bf16, rounded as in Attention, on tiers
// that compute in bf16, and in float32 otherwise; so the products are not those of KeyScoresPage bit for bit.
type Scorer struct {
	rows   Rows
	weight Weight
	buf    []byte    // of weight
	q      []float32 // scaled
	wide   []float32 // keys of a quantised page
}

// Start takes the queries q[m, d], multiplied by scale, to be met by pages of the given format or quantised ones.
func (s *Scorer) Start(format PageFormat, q []float32, scale float32, m, d int) {
	checkLen("Scorer.Start", "q", len(q), m, d)
	s.q = resize(s.q, len(q))
	for i, x := range q {
		s.q[i] = scale * x
	}
	p := PrecisionF32
	if format == PageBF16 && active == tierAMX {
		p = PrecisionBF16
	}
	s.rows.Set(nil, p, s.q, m, d)
}

// Page writes the products of the queries with all keys of a page to dst[m, PageTokens].
func (s *Scorer) Page(dst []float32, format PageFormat, page []byte) {
	d := s.rows.k
	checkPage("Scorer.Page", format, page, d)
	checkLen("Scorer.Page", "dst", len(dst), s.rows.m, PageTokens)
	keys := Matrix{Type: F32, Rows: PageTokens, Cols: d}
	switch {
	case format.bits() > 0:
		s.wide = resize(s.wide, PageTokens*d)
		p := codesOf(format, page, d)
		p.allKeys(s.wide)
		keys.data, keys.f32 = floatBytes(s.wide), s.wide
	case format == PageBF16:
		keys.Type, keys.data = BF16, page[:PageTokens*d*2]
		keys.bf16, _ = pageBF16(page, d)
	default:
		keys.data = page[:PageTokens*d*4]
		keys.f32, _ = pageF32(page, d)
	}
	s.weight = Weight{Precision: s.rows.precision, Rows: PageTokens, Cols: d, stored: BF16}
	if s.rows.precision == PrecisionF32 {
		s.weight.stored = keys.Type
		size := gemmCols * d * keys.Type.Size()
		s.weight.packed = grown(&s.buf, ceilDiv(PageTokens, gemmCols)*size)
		for i := range ceilDiv(PageTokens, gemmCols) {
			keys.packGEMM(s.weight.packed[i*size:][:size], i*gemmCols)
		}
	} else {
		s.weight.packed = grown(&s.buf, PackedSize(PageTokens, d))
		for i := range ceilDiv(PageTokens, panelCols) {
			keys.packPanel(s.weight.panel(i), i*panelCols)
		}
	}
	Product(nil, dst, &s.rows, &s.weight, Epilogue{})
}

// floatBytes views numbers as bytes.
func floatBytes(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
