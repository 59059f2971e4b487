package kernels

import "math"

// quantState is an Attention's state for quantised pages where there is a kernel that reads their codes. It is merged with the state for the other pages at the end.
type quantState struct {
	q      []float32 // the queries of Start
	scale  float32
	used   bool   // rows have been set up
	seen   []bool // per row: has it seen a quantised key?
	memory []byte
	rows   []float32 // [rows, d] queries, scaled
	o      []float32 // [rows, d] sums of weighted codes
	head   []float32 // [rows, quantHead(d)]
	part   []float32 // o, m and l of all rows
	merged []float32 // a row

	dequantised []byte // a few pages, where there is no such kernel
	views       []PageView
}

// A head is sixteen times the maximum in powers of two; the sum of weights in sixteen parts; and for each group of
// dimensions, in sixteen parts, what is added to the sums of weighted codes.
func quantHead(d int) int { return 32 + 16*d/QuantGroup }

func (s *quantState) start(q []float32, scale float32) {
	s.q, s.scale, s.used = append(s.q[:0], q...), scale, false
}

// setUp empties the state.
func (s *quantState) setUp(rows, d int) {
	sizes := [3]int{rows * d, rows * d, rows * quantHead(d)}
	s.memory = grown(&s.memory, 4*(sizes[0]+sizes[1]+sizes[2]))
	all := values[float32](s.memory)
	clear(all)
	s.rows, s.o, s.head = all[:sizes[0]], all[sizes[0]:][:sizes[1]], all[sizes[0]+sizes[1]:][:sizes[2]]
	for i, v := range s.q {
		s.rows[i] = v * (s.scale * math.Log2E)
	}
	for r := range rows {
		for j := range 16 {
			s.head[r*quantHead(d)+j] = float32(math.Inf(-1))
		}
	}
	s.seen = resize(s.seen, rows)
	clear(s.seen)
	s.used = true
}

// row reads the state of a row as Partial has it.
func (s *quantState) row(o []float32, r int) (m, l float32) {
	d := len(o)
	head := s.head[r*quantHead(d):][:quantHead(d)]
	m, l = head[0]*math.Ln2, sum16(head[16:])
	for g := range d / QuantGroup {
		base := sum16(head[32+16*g:])
		for c := g * QuantGroup; c < (g+1)*QuantGroup; c++ {
			o[c] = s.o[r*d+c] + base
		}
	}
	return m, l
}

// sum16 adds up sixteen numbers.
func sum16(x []float32) (s float32) {
	for _, v := range x[:16] {
		s += v
	}
	return s
}

func (a *Attention) formatOf(p *PageView) PageFormat {
	if p.Format.bits() > 0 {
		return p.Format
	}
	return a.format
}

// quantBatch is how many pages are dequantised at a time.
const quantBatch = 4

// mixedPages attends to runs of pages of one kind each.
func (a *Attention) mixedPages(pages []PageView) {
	unions := a.unions
	for from := 0; from < len(pages); {
		quantised, to := pages[from].Format.bits() > 0, from+1
		for to < len(pages) && (pages[to].Format.bits() > 0) == quantised {
			to++
		}
		a.unions = unions[from:to]
		switch {
		case !quantised:
			a.ownPages(pages[from:to])
		case !a.quantPages(pages[from:to]):
			a.dequantisedPages(pages[from:to])
		}
		from = to
	}
	a.unions = unions
}

// dequantisedPages attends to quantised pages in the Attention's own format.
func (a *Attention) dequantisedPages(pages []PageView) {
	unions, s := a.unions, &a.quant
	bytes := PageBytes(a.format, a.d)
	s.dequantised = grown(&s.dequantised, quantBatch*bytes)
	for from := 0; from < len(pages); from += quantBatch {
		batch := pages[from:min(from+quantBatch, len(pages))]
		s.views = s.views[:0]
		for i, p := range batch {
			data := s.dequantised[i*bytes:][:bytes]
			if unions[from+i] != 0 {
				dequantizePage(a.format, data, p.Format, p.Data, a.d)
			}
			s.views = append(s.views, PageView{Data: data, Mask: p.Mask})
		}
		a.unions = unions[from:][:len(batch)]
		a.ownPages(s.views)
	}
	a.unions = unions
	clear(s.views)
}

// finishQuant rewrites the results of the rows that have seen quantised keys.
func (a *Attention) finishQuant(out []float32) {
	if !a.quant.used {
		return
	}
	n := a.rows * a.d
	a.quant.part = resize(a.quant.part, n+2*a.rows)
	o, m, l := a.quant.part[:n], a.quant.part[n:][:a.rows], a.quant.part[n+a.rows:][:a.rows]
	a.Partial(o, m, l)
	for r, seen := range a.quant.seen {
		if seen {
			for t, v := range o[r*a.d:][:a.d] {
				out[r*a.d+t] = v / l[r]
			}
		}
	}
}

// partialQuant adds the state for quantised pages to the others'.
func (a *Attention) partialQuant(o, m, l []float32) {
	if !a.quant.used {
		return
	}
	a.quant.merged = resize(a.quant.merged, a.d)
	row := a.quant.merged
	for r, seen := range a.quant.seen {
		if !seen {
			continue
		}
		if l[r] == 0 {
			m[r] = float32(math.Inf(-1))
		}
		m2, l2 := a.quant.row(row, r)
		MergePartial(o[r*a.d:][:a.d], m[r:r+1], l[r:r+1], row, []float32{m2}, []float32{l2}, 1, a.d)
	}
}
