package methods

import (
	"fmt"
	"slices"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// queries observes the mean and the covariance of a prompt's queries before RoPE, those of the first tokens left out.
type queries struct {
	shape      engine.Shape
	skip       int
	covariance bool
	heads      []moments // per query head
	lent       bool      // a fork reads heads too
}

// observeQueries is the observation of queries but the first skip, of their covariance too, or of their mean alone.
func observeQueries(s engine.Shape, skip int, covariance bool) engine.Observation {
	return engine.Observation{
		Name: fmt.Sprintf("queries:skip=%d,covariance=%t", skip, covariance),
		New:  func(int) kv.Observer { return &queries{shape: s, skip: skip, covariance: covariance} },
	}
}

// Observe turns the rows back to position 0 and adds them up.
func (o *queries) Observe(pool *kernels.Pool, l *kv.Layer, q []float32, first, rows int) {
	if o.lent {
		o.heads, o.lent = slices.Clone(o.heads), false
		for i := range o.heads {
			o.heads[i].own()
		}
	}
	d := l.Dim()
	width := len(q) / rows
	if o.heads == nil {
		o.heads = make([]moments, width/d)
	}
	from := min(rows, max(0, o.skip-first))
	q, first, rows = q[from*width:], first+from, rows-from
	if o.shape.Rotate != nil {
		q = slices.Clone(q)
		kernels.Split(pool, rows, width, func(lo, hi int) {
			var at []int32
			for r := lo; r < hi; r++ {
				for range width / d {
					at = append(at, l.Pos(0, first+r))
				}
			}
			o.shape.Rotate(q[lo*width:hi*width], at, make([]int32, len(at)), l.Slots(0))
		})
	}
	pool.Run(len(o.heads), func(h int) {
		for r := range rows {
			o.heads[h].add(q[r*width+h*d:][:d], o.covariance)
		}
	})
}

// Fork returns a copy; both share what they have until one of them sees more.
func (o *queries) Fork() kv.Observer {
	o.lent = true
	f := *o
	return &f
}

// MarshalBinary writes the moments.
func (o *queries) MarshalBinary() ([]byte, error) {
	w := newState()
	w.number(len(o.heads))
	for _, m := range o.heads {
		w.number(m.n)
		for _, x := range [][]float32{m.origin, m.block, m.sum, m.outer} {
			w.floats(x)
		}
	}
	return w.data, nil
}

// UnmarshalBinary reads the moments, in the place of what the observer has seen.
func (o *queries) UnmarshalBinary(data []byte) error {
	r := readState(data)
	o.heads = nil // forks may read them
	for range r.count(5 * 8) {
		m := moments{n: r.number(), origin: r.floats(), block: r.floats(), sum: r.floats(), outer: r.floats()}
		d, outer := len(m.origin), 0
		if o.covariance {
			outer = d * d
		}
		r.check((m.n > 0) == (d > 0) && len(m.block) == d*momentBlock && len(m.sum) == d && len(m.outer) == outer)
		r.check(o.heads == nil || d == len(o.heads[0].origin))
		o.heads = append(o.heads, m)
	}
	return r.end()
}

// momentBlock is the number of vectors that are multiplied with each other at once.
const momentBlock = 64

// moments adds up vectors and their outer products, both relative to the first vector, so that little is lost when they lie close together.
// They go in blocks of momentBlock, counted from the first, in whatever parts they come.
type moments struct {
	n      int
	origin []float32 // [d] the first vector
	block  []float32 // [d, momentBlock] the vectors since the last whole block, channel by channel; zero after them
	sum    []float32 // [d]
	outer  []float32 // [d, d], or nil; on and above the diagonal
}

// own gives m memory of its own.
func (m *moments) own() {
	m.block, m.sum, m.outer = slices.Clone(m.block), slices.Clone(m.sum), slices.Clone(m.outer)
}

// add takes in one vector; covariance must always be the same.
func (m *moments) add(x []float32, covariance bool) {
	d := len(x)
	if m.n == 0 {
		m.origin, m.block, m.sum = slices.Clone(x), make([]float32, d*momentBlock), make([]float32, d)
		if covariance {
			m.outer = make([]float32, d*d)
		}
	}
	for c, v := range x {
		m.block[c*momentBlock+m.n%momentBlock] = v - m.origin[c]
	}
	if m.n++; m.n%momentBlock == 0 {
		m.flush()
	}
}

// flush adds the block to the sums and empties it.
func (m *moments) flush() {
	d := len(m.origin)
	row := make([]float32, d)
	for c := range d {
		channel := m.block[c*momentBlock : (c+1)*momentBlock]
		var sum float32
		for _, v := range channel {
			sum += v
		}
		m.sum[c] += sum
		if m.outer != nil {
			kernels.KeyScores(row[c:], channel, m.block[c*momentBlock:], 1)
			kernels.Add(m.outer[c*d+c:(c+1)*d], row[c:])
		}
	}
	clear(m.block)
}

// distribution is the mean [d] and the covariance [d, d] of the vectors, of which there must be one at least; the latter nil if it was not
// asked for.
func (m moments) distribution() (mean, covariance []float32) {
	m.own()
	m.flush()
	d, n := len(m.origin), float32(m.n)
	mean = make([]float32, d)
	for c := range mean {
		m.sum[c] /= n
		mean[c] = m.origin[c] + m.sum[c]
	}
	for i := range d {
		for j := i; j < d && m.outer != nil; j++ {
			v := m.outer[i*d+j]/n - m.sum[i]*m.sum[j]
			m.outer[i*d+j], m.outer[j*d+i] = v, v
		}
	}
	return mean, m.outer
}

// turned is the distribution of the vectors after they have been multiplied by the matrix turn [d, d]; nil: as they are.
func (m moments) turned(turn []float32) (mean, covariance []float32) {
	mean, covariance = m.distribution()
	if turn == nil {
		return mean, covariance
	}
	d := len(mean)
	out := make([]float32, d)
	kernels.KeyScores(out, mean, turn, 1)
	if covariance == nil {
		return out, nil
	}
	half, both := make([]float32, d*d), make([]float32, d*d)
	for i := range d {
		kernels.KeyScores(half[i*d:(i+1)*d], turn[i*d:(i+1)*d], covariance, 1)
		kernels.KeyScores(both[i*d:(i+1)*d], half[i*d:(i+1)*d], turn, 1)
	}
	return out, both
}
