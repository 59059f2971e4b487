package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// attention is a query block over pages, with what AttendPage needs to run it.
type attention struct {
	rows, d int
	q       []float32
	k, v    [][]float32 // per page
	mask    [][]uint64  // per page
}

// randomAttention draws pages and masks; what no query sees holds garbage.
func randomAttention(rng *rand.Rand, rows, d, pages int, draw func() uint64) attention {
	a := attention{rows: rows, d: d, q: normals(rng, rows*d)}
	for i := range a.q {
		a.q[i] *= 3 / float32(math.Sqrt(float64(d)+1))
	}
	for range pages {
		k, v := normals(rng, PageTokens*d), normals(rng, PageTokens*d)
		mask, union := make([]uint64, rows), uint64(0)
		for r := range mask {
			mask[r] = draw()
			union |= mask[r]
		}
		for j := range PageTokens {
			if union>>j&1 == 0 {
				garbage := []float32{nan, inf, ninf, 3e38}[rng.IntN(4)]
				copy(k[j*d:][:d], filled(d, garbage))
				copy(v[j*d:][:d], filled(d, garbage))
			}
		}
		a.k, a.v, a.mask = append(a.k, k), append(a.v, v), append(a.mask, mask)
	}
	return a
}

// run attends the rows [from, to) to the pages [first, last) and returns the state.
func (a attention) run(from, to, first, last int) (o, m, l []float32) {
	n := to - from
	o, m, l = make([]float32, n*a.d), filled(n, ninf), make([]float32, n)
	for p := first; p < last; p++ {
		AttendPage(o, m, l, a.q[from*a.d:to*a.d], a.k[p], a.v[p], a.mask[p][from:to], n, a.d)
	}
	return o, m, l
}

// oracle is softmax attention in float64; a row that sees nothing is 0.
func (a attention) oracle() []float64 {
	out := make([]float64, a.rows*a.d)
	for r := range a.rows {
		var sum float64
		row := out[r*a.d:][:a.d]
		for p := range a.k {
			for j := range PageTokens {
				if a.mask[p][r]>>j&1 == 0 {
					continue
				}
				var s float64
				for t, q := range a.q[r*a.d:][:a.d] {
					s += float64(q) * float64(a.k[p][j*a.d+t])
				}
				w := math.Exp(s)
				sum += w
				for t := range row {
					row[t] += w * float64(a.v[p][j*a.d+t])
				}
			}
		}
		for t := range row {
			if sum > 0 {
				row[t] /= sum
			}
		}
	}
	return out
}

// attendTolerance allows a score of about 10 a few roundings, which its exponential turns into as much relative
// error of a weight.
const attendTolerance = 8e-6

// maskKinds draw masks as the methods make them.
var maskKinds = []struct {
	name string
	draw func(*rand.Rand) uint64
}{
	{"full", func(*rand.Rand) uint64 { return ^uint64(0) }},
	{"none", func(*rand.Rand) uint64 { return 0 }},
	{"causal", func(rng *rand.Rand) uint64 { return 1<<rng.IntN(64) - 1 }},
	{"window", func(rng *rand.Rand) uint64 { return ^uint64(0) << rng.IntN(64) }},
	{"half", func(rng *rand.Rand) uint64 { return rng.Uint64() }},
	{"sparse", func(rng *rand.Rand) uint64 { return rng.Uint64() & rng.Uint64() & rng.Uint64() & rng.Uint64() }},
	{"single", func(rng *rand.Rand) uint64 { return 1 << rng.IntN(64) }},
}

// headDims lie on either side of vectors and of blocks of 64.
var headDims = []int{0, 1, 2, 3, 7, 8, 15, 16, 17, 32, 33, 48, 63, 64, 65, 80, 96, 128, 129, 144}

func eachAttention(t *testing.T, f func(t *testing.T, rng *rand.Rand, a attention)) {
	eachTier(t, func(t *testing.T) {
		for i, kind := range maskKinds {
			for _, d := range headDims {
				rng := newRand(uint64(100*d + i))
				for _, rows := range []int{0, 1, 2, 9} {
					a := randomAttention(rng, rows, d, 1+rng.IntN(2), func() uint64 { return kind.draw(rng) })
					t.Run(fmt.Sprintf("%s/d=%d/rows=%d", kind.name, d, rows), func(t *testing.T) { f(t, rng, a) })
				}
			}
		}
	})
}

func TestAttendPage(t *testing.T) {
	eachAttention(t, func(t *testing.T, _ *rand.Rand, a attention) {
		o, _, l := a.run(0, a.rows, 0, len(a.k))
		AttendFinish(o, l, a.rows, a.d)
		near(t, "o", o, a.oracle(), attendTolerance)
	})
}

// TestAttendPageRows: a row alone, or in any group, gives the same bits.
func TestAttendPageRows(t *testing.T) {
	eachAttention(t, func(t *testing.T, rng *rand.Rand, a attention) {
		o, m, l := a.run(0, a.rows, 0, len(a.k))
		for from := 0; from < a.rows; {
			to := from + 1 + rng.IntN(a.rows-from)
			if a.rows%2 == 1 {
				to = from + 1
			}
			o2, m2, l2 := a.run(from, to, 0, len(a.k))
			sameBits(t, "o", o2, o[from*a.d:to*a.d])
			sameBits(t, "m", m2, m[from:to])
			sameBits(t, "l", l2, l[from:to])
			from = to
		}
	})
}

// TestAttendPageGarbage: what a row does not see has no effect, whoever else sees it.
func TestAttendPageGarbage(t *testing.T) {
	eachAttention(t, func(t *testing.T, rng *rand.Rand, a attention) {
		o, m, l := a.run(0, a.rows, 0, len(a.k))
		for r := range a.rows {
			b := a
			b.k, b.v = nil, nil
			for p := range a.k {
				k, v := append([]float32(nil), a.k[p]...), append([]float32(nil), a.v[p]...)
				for j := range PageTokens {
					if a.mask[p][r]>>j&1 == 0 {
						copy(k[j*a.d:][:a.d], filled(a.d, []float32{nan, inf, 0, -3e38}[rng.IntN(4)]))
						copy(v[j*a.d:][:a.d], filled(a.d, []float32{nan, inf, 0, -3e38}[rng.IntN(4)]))
					}
				}
				b.k, b.v = append(b.k, k), append(b.v, v)
			}
			o2, m2, l2 := b.run(r, r+1, 0, len(a.k))
			sameBits(t, "o", o2, o[r*a.d:][:a.d])
			sameBits(t, "m", m2, m[r:][:1])
			sameBits(t, "l", l2, l[r:][:1])
		}
	})
}

// TestAttendPageTwin: the tiers agree with the portable twin within rounding.
func TestAttendPageTwin(t *testing.T) {
	eachAttention(t, func(t *testing.T, _ *rand.Rand, a attention) {
		o, m, l := a.run(0, a.rows, 0, len(a.k))
		AttendFinish(o, l, a.rows, a.d)
		o2, m2, l2 := make([]float32, len(o)), filled(a.rows, ninf), make([]float32, a.rows)
		for p := range a.k {
			attendRowsGo(o2, m2, l2, a.q, a.k[p], a.v[p], a.mask[p], a.rows, a.d)
		}
		for r := range a.rows {
			if m[r] == ninf || m2[r] == ninf {
				sameBits(t, "m", m[r:][:1], m2[r:][:1])
				m[r], m2[r] = 0, 0
			}
		}
		AttendFinish(o2, l2, a.rows, a.d)
		near(t, "o", o, doubles(o2), attendTolerance)
		near(t, "m", m, doubles(m2), attendTolerance)
		near(t, "l", l, doubles(l2), attendTolerance)
	})
}

// TestMergePartial: splitting the pages and merging is attending to all; empty parts are neutral to the bit.
func TestMergePartial(t *testing.T) {
	eachAttention(t, func(t *testing.T, _ *rand.Rand, a attention) {
		o, m, l := a.run(0, a.rows, 0, 1)
		o2, m2, l2 := a.run(0, a.rows, 1, len(a.k))
		keep := append([]float32(nil), o2...)
		MergePartial(o, m, l, o2, m2, l2, a.rows, a.d)
		sameBits(t, "o2", o2, keep)
		AttendFinish(o, l, a.rows, a.d)
		near(t, "o", o, a.oracle(), attendTolerance)

		none, low, zero := make([]float32, len(o)), filled(a.rows, ninf), make([]float32, a.rows)
		MergePartial(none, low, zero, o2, m2, l2, a.rows, a.d)
		sameBits(t, "empty + o", none, o2)
		sameBits(t, "empty + m", low, m2)
		sameBits(t, "empty + l", zero, l2)
		MergePartial(none, low, zero, make([]float32, len(o)), filled(a.rows, ninf), make([]float32, a.rows), a.rows, a.d)
		sameBits(t, "o + empty", none, o2)
		sameBits(t, "l + empty", zero, l2)
	})
}

// TestAttendPageEmptyMask: a row without visible keys keeps its state, whatever it is.
func TestAttendPageEmptyMask(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		const d = 64
		page := filled(PageTokens*d, nan)
		o, m, l := filled(d, 3), []float32{nan}, []float32{5}
		AttendPage(o, m, l, filled(d, 1), page, page, []uint64{0}, 1, d)
		sameBits(t, "o", o, filled(d, 3))
		sameBits(t, "m, l", append(m, l...), []float32{nan, 5})
	})
}

// TestAttendPageOverflow: a score that overflows is not silent.
func TestAttendPageOverflow(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for _, d := range []int{5, 64} {
			for i, bad := range []float32{inf, nan, ninf, inf, nan} {
				mask := []uint64{^uint64(0)}
				if i >= 2 {
					mask[0] = 1 << 9
				}
				k, v := make([]float32, PageTokens*d), filled(PageTokens*d, 1)
				k[9*d] = bad
				q := make([]float32, d)
				q[0] = 1
				o, m, l := make([]float32, d), []float32{ninf}, []float32{0}
				AttendPage(o, m, l, q, k, v, mask, 1, d)
				AttendFinish(o, l, 1, d)
				if o[0] == o[0] {
					t.Errorf("d=%d mask %#x: a score of %v gives %v", d, mask[0], bad, o[0])
				}
			}
		}
	})
}

// TestAttendPageScale: scores far apart neither overflow nor lose the largest.
func TestAttendPageScale(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for _, d := range []int{1, 16, 64} {
			q := make([]float32, d)
			q[0] = 1
			k, v := make([]float32, PageTokens*d), make([]float32, PageTokens*d)
			for j := range PageTokens {
				k[j*d], v[j*d] = float32(j-32)*500, float32(j)
			}
			o, m, l := make([]float32, d), []float32{ninf}, []float32{0}
			for range 3 {
				AttendPage(o, m, l, q, k, v, []uint64{^uint64(0)}, 1, d)
			}
			AttendFinish(o, l, 1, d)
			if o[0] != 63 || l[0] != 3 || m[0] != 31*500 {
				t.Errorf("d=%d: o %v, m %v, l %v", d, o[0], m[0], l[0])
			}
		}
	})
}

func TestAttendShapes(t *testing.T) {
	const rows, d = 2, 4
	f := func(n int) []float32 { return make([]float32, n) }
	page := f(PageTokens * d)
	mustPanic(t, "o", func() { AttendPage(f(7), f(2), f(2), f(8), page, page, make([]uint64, 2), rows, d) })
	mustPanic(t, "m", func() { AttendPage(f(8), f(1), f(2), f(8), page, page, make([]uint64, 2), rows, d) })
	mustPanic(t, "q", func() { AttendPage(f(8), f(2), f(2), f(9), page, page, make([]uint64, 2), rows, d) })
	mustPanic(t, "k", func() { AttendPage(f(8), f(2), f(2), f(8), page[1:], page, make([]uint64, 2), rows, d) })
	mustPanic(t, "mask", func() { AttendPage(f(8), f(2), f(2), f(8), page, page, make([]uint64, 3), rows, d) })
	mustPanic(t, "finish", func() { AttendFinish(f(8), f(3), rows, d) })
	mustPanic(t, "merge", func() { MergePartial(f(8), f(2), f(2), f(8), f(2), f(1), rows, d) })
}

func BenchmarkAttendPage(b *testing.B) {
	for _, name := range Tiers() {
		for _, d := range []int{64, 128} {
			for _, rows := range []int{1, 2, 16, 32} {
				b.Run(fmt.Sprintf("%s/d=%d/rows=%d", name, d, rows), func(b *testing.B) {
					before := Tier()
					defer selectTier(b, before)
					selectTier(b, name)
					a := randomAttention(newRand(20), rows, d, 1, func() uint64 { return ^uint64(0) })
					o, m, l := a.run(0, rows, 0, 1)
					benchmarkFlops(b, 4*rows*PageTokens*d, func() {
						AttendPage(o, m, l, a.q, a.k[0], a.v[0], a.mask[0], rows, d)
					})
				})
			}
		}
	}
}
