package kernels

import (
	"math"
	"math/bits"
)

// PageTokens is the number of tokens in a page of the KV cache; a page's mask is one uint64.
const PageTokens = 64

// AttendPage lets queries attend to one page of one KV head, by online softmax.
//
//	q    [rows, d]        queries, already multiplied by the softmax scale
//	k, v [PageTokens, d]  keys and values
//	mask [rows]           bit j of mask[r]: query r sees key j
//	o    [rows, d]        running output, not yet divided by l; starts as 0
//	m    [rows]           running maximum of the scores; starts as -Inf
//	l    [rows]           running sum of e^(score-m); starts as 0
//
// Keys that a query does not see have no effect on it and may hold anything, NaN included; their cost is close to
// none. A row whose mask is 0 is unchanged. Row r's result depends on row r's inputs only, bit for bit, and on
// the order of the pages. A visible score of NaN or +Inf makes the row NaN, and so does -Inf where nothing larger
// has been seen: an overflow is not silent.
func AttendPage(o, m, l, q, k, v []float32, mask []uint64, rows, d int) {
	checkLen("AttendPage", "o", len(o), rows, d)
	checkLen("AttendPage", "m", len(m), rows, 1)
	checkLen("AttendPage", "l", len(l), rows, 1)
	checkLen("AttendPage", "q", len(q), rows, d)
	checkLen("AttendPage", "k", len(k), PageTokens, d)
	checkLen("AttendPage", "v", len(v), PageTokens, d)
	checkLen("AttendPage", "mask", len(mask), rows, 1)
	attendRows(o, m, l, q, k, v, mask, rows, d)
}

// attendRowsGo is the portable twin. It gathers the visible keys first, so that all that follows is dense.
func attendRowsGo(o, m, l, q, k, v []float32, mask []uint64, rows, d int) {
	var at [PageTokens]int // offsets of the visible keys
	var s [PageTokens]float32
	n, seen := 0, uint64(0)
	for r := range rows {
		if mask[r] == 0 {
			continue
		}
		if mask[r] != seen {
			n, seen = visible(&at, mask[r], d), mask[r]
		}
		keys, p, out := at[:n], s[:n], o[r*d:][:d]
		scores(p, q[r*d:][:d], k, keys)
		var fade, sum float32
		m[r], fade, sum = weigh(p, m[r])
		l[r] = float32(l[r]*fade) + sum
		if fade != 1 {
			scale(out, fade)
		}
		mix(out, p, keys, v)
	}
}

// visible lists where the keys in the mask start and returns their number.
func visible(at *[PageTokens]int, mask uint64, d int) int {
	n := 0
	for ; mask != 0; mask &= mask - 1 {
		at[n&(PageTokens-1)] = bits.TrailingZeros64(mask) * d
		n++
	}
	return n
}

// scores computes p[i] = q · k[at[i]:], eight keys at a time; the last few are filled up with the last key.
func scores(p, q, k []float32, at []int) {
	d := len(q)
	last := len(at) - 1
	for i := 0; i <= last; i += 8 {
		var s [8]float32
		row := func(j int) []float32 { return k[at[min(i+j, last)]:][:d] }
		s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = dot8(q, row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7))
		copy(p[i:], s[:])
	}
}

// weigh turns scores into weights e^(score-max) under the new running maximum. It returns that maximum, the
// factor by which older weights fade, and the sum of the new ones.
func weigh(p []float32, m float32) (newMax, fade, sum float32) {
	newMax = max(m, maxOf(p))
	for i, s := range p {
		e := expNeg(s - newMax)
		p[i] = e
		sum += e
	}
	return newMax, expNeg(m - newMax), sum
}

func scale(x []float32, f float32) {
	for i := range x {
		x[i] *= f
	}
}

// AttendFinish divides the outputs o[rows, d] by their sums of weights l[rows]. A row that saw no key (l = 0)
// becomes 0.
func AttendFinish(o, l []float32, rows, d int) {
	checkLen("AttendFinish", "o", len(o), rows, d)
	checkLen("AttendFinish", "l", len(l), rows, 1)
	for r, sum := range l {
		out := o[r*d:][:d]
		if sum == 0 {
			clear(out)
			continue
		}
		for t := range out {
			out[t] /= sum
		}
	}
}

// MergePartial adds to the state (o, m, l) of AttendPage the state (o2, m2, l2) of the same queries over other
// keys, which is left as it is. o and o2 are [rows, d], the others [rows]. Empty states (m = -Inf) are neutral,
// exactly.
func MergePartial(o, m, l, o2, m2, l2 []float32, rows, d int) {
	checkLen("MergePartial", "o", len(o), rows, d)
	checkLen("MergePartial", "m", len(m), rows, 1)
	checkLen("MergePartial", "l", len(l), rows, 1)
	checkLen("MergePartial", "o2", len(o2), rows, d)
	checkLen("MergePartial", "m2", len(m2), rows, 1)
	checkLen("MergePartial", "l2", len(l2), rows, 1)
	empty := float32(math.Inf(-1))
	for r := range rows {
		a, b := o[r*d:][:d], o2[r*d:][:d]
		switch {
		case m2[r] == empty && l2[r] == 0:
		case m[r] == empty && l[r] == 0:
			copy(a, b)
			m[r], l[r] = m2[r], l2[r]
		default:
			top := max(m[r], m2[r])
			f, g := expNeg(m[r]-top), expNeg(m2[r]-top)
			for t := range a {
				a[t] = float32(a[t]*f) + float32(b[t]*g)
			}
			m[r], l[r] = top, float32(l[r]*f)+float32(l2[r]*g)
		}
	}
}
