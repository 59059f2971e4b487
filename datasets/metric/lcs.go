package metric

import (
	"math"
	"math/bits"
	"slices"
)

// markLCS marks one longest common subsequence of gold and line; of several, the one that the reference's walk back finds: over the table of
// lengths from its end, and at tokens that differ to the left only if the length there is greater than above.
//
// The table would take gigabytes for an answer of a megabyte. One bit a cell is enough, which says whether the length grows there along the row (Crochemore
// et al., 2001, "A fast and practical bit-vector algorithm for the longest common subsequence problem"), and of these only every so many rows are
// kept: the walk makes those between them again.
func markLCS(covered []bool, gold, line []string) {
	t := newLCSTable(line)
	step := int(math.Sqrt(float64(len(gold)))) + 1
	var kept []bitRow // row 0, row step, …
	row := t.first()
	for i, token := range gold {
		if i%step == 0 {
			kept = append(kept, slices.Clone(row))
		}
		t.next(row, row, token)
	}
	rows := make([]bitRow, min(step, len(gold))+1)
	for i := range rows {
		rows[i] = t.first()
	}
	i, j := len(gold), len(line)
	for len(kept) > 0 && j > 0 {
		lo := (len(kept) - 1) * step
		copy(rows[0], kept[len(kept)-1])
		for k, token := range gold[lo:i] {
			t.next(rows[k+1], rows[k], token)
		}
		for ; i > lo && j > 0; i-- {
			j = walkRow(covered[i-1:], gold[i-1], line[:j], rows[i-lo-1], rows[i-lo])
		}
		kept = kept[:len(kept)-1]
	}
}

// walkRow walks left along a row of the table from the end of line until it has to leave it, and returns how much of line is left then. covered[0] is
// set if it leaves over an equal token.
func walkRow(covered []bool, token string, line []string, above, row bitRow) int {
	j := len(line)
	gain := row.growth(j) - above.growth(j) // of the length here over that above
	for ; j > 0; j-- {
		if token == line[j-1] {
			covered[0] = true
			return j - 1
		}
		gain += above.grows(j-1) - row.grows(j-1) // now of the length to the left over that above the left
		if gain <= above.grows(j-1) {
			return j
		}
	}
	return 0
}

// bitRow is a row of the table of lengths: a bit for each token of the line, 0 where the length grows by that token.
type bitRow []uint64

// grows is 1 if the length grows by token j, from 0.
func (r bitRow) grows(j int) int { return int(^r[j/64] >> (j % 64) & 1) }

// growth is the length at the end of the first n tokens.
func (r bitRow) growth(n int) int {
	sum := 0
	for _, w := range r[:n/64] {
		sum += bits.OnesCount64(^w)
	}
	if n%64 > 0 {
		sum += bits.OnesCount64(^r[n/64] & (1<<(n%64) - 1))
	}
	return sum
}

// lcsTable makes rows for a line.
type lcsTable struct {
	places map[string][]int // where each token stands
	match  bitRow           // all 0 between calls of next
}

func newLCSTable(line []string) lcsTable {
	t := lcsTable{map[string][]int{}, make(bitRow, (len(line)+63)/64)}
	for j, token := range line {
		t.places[token] = append(t.places[token], j)
	}
	return t
}

// first is the row above all tokens of gold, along which nothing grows.
func (t lcsTable) first() bitRow {
	row := make(bitRow, len(t.match))
	for i := range row {
		row[i] = math.MaxUint64
	}
	return row
}

// next writes to row, which may be above itself, what token makes below above.
func (t lcsTable) next(row, above bitRow, token string) {
	for _, j := range t.places[token] {
		t.match[j/64] |= 1 << (j % 64)
	}
	carry := uint64(0)
	for i, a := range above {
		var sum uint64
		sum, carry = bits.Add64(a, a&t.match[i], carry)
		row[i] = sum | a&^t.match[i]
	}
	for _, j := range t.places[token] {
		t.match[j/64] = 0
	}
}
