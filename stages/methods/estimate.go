package methods

import (
	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// recent returns what the last rows queries of a tile pay to each of its keys, in query head h: softmaxed rows of n probabilities, zero
// after the row's own. q is those rows' queries, [rows, Heads, Dim].
func recent(t engine.Tile, q []float32, rows, h int) [][]float32 {
	n := t.Hi
	p, queries, room := make([][]float32, rows), make([][]float32, rows), make([]float32, rows*n)
	for r := range p {
		p[r], queries[r] = room[r*n:(r+1)*n], query(t, q, r, h)
	}
	products(p, t.Layer, h/(t.Heads/t.KVHeads), queries, kv.Run{Lo: 0, Hi: int32(n)})
	for r := range p {
		seen := n - rows + r + 1
		kernels.Softmax(p[r][:seen])
		clear(p[r][seen:])
	}
	return p
}

// query is row r of head h of q [rows, Heads, Dim].
func query(t engine.Tile, q []float32, r, h int) []float32 {
	at := (r*t.Heads + h) * t.Dim
	return q[at : at+t.Dim]
}

// columnMass sums what recent returns over the rows: what each key receives.
func columnMass(p [][]float32) []float32 {
	sum := make([]float32, len(p[0]))
	for _, row := range p {
		kernels.Add(sum, row)
	}
	return sum
}

// diagonalMass sums what recent returns along diagonals; number i of n is the mass at distance n-1-i.
func diagonalMass(p [][]float32) []float32 {
	n := len(p[0])
	sum := make([]float32, n)
	for r, row := range p {
		shift := len(p) - 1 - r // how far the row's own token is from the last
		kernels.Add(sum[shift:], row[:n-shift])
	}
	return sum
}

// passRows is the number of rows whose queries are asked for at a time, where those of all rows are needed.
const passRows = 512

// blockQueries adds up the queries of each block of size rows: per query head [blocks, Dim].
func blockQueries(t engine.Tile, size int) [][]float32 {
	d := t.Dim
	sum := blockSums(t.Heads, t.Hi, size, d)
	for lo := 0; lo < t.Hi; lo += passRows {
		hi := min(lo+passRows, t.Hi)
		q := t.Queries(lo, hi)
		t.Pool.Run(t.Heads, func(h int) {
			for r := range hi - lo {
				at := (lo + r) / size * d
				kernels.Add(sum[h][at:at+d], query(t, q, r, h))
			}
		})
	}
	return sum
}

// blockKeys adds up the keys of each block of size rows: per KV head [blocks, Dim].
func blockKeys(t engine.Tile, size int) [][]float32 {
	d := t.Dim
	sum := blockSums(t.KVHeads, t.Hi, size, d)
	t.Pool.Run(t.KVHeads, func(h int) {
		k := make([]float32, d)
		for s := range t.Hi {
			t.Layer.Key(k, h, s)
			kernels.Add(sum[h][s/size*d:(s/size+1)*d], k)
		}
	})
	return sum
}

func blockSums(heads, n, size, d int) [][]float32 {
	sum := make([][]float32, heads)
	for h := range sum {
		sum[h] = make([]float32, blocksOf(n, size)*d)
	}
	return sum
}

// toMeans divides the sums of blocks of size rows, the last of which may be shorter, by their rows.
func toMeans(sums [][]float32, n, size, d int) {
	for _, s := range sums {
		for i := range s {
			at := i / d * size
			s[i] /= float32(min(size, n-at))
		}
	}
}

// blocksOf is the number of blocks of size tokens that n tokens make, the last of which may be shorter.
func blocksOf(n, size int) int { return (n + size - 1) / size }

// cuts are the multiples of size below n.
func cuts(n, size int) []int32 {
	var at []int32
	for i := size; i < n; i += size {
		at = append(at, int32(i))
	}
	return at
}

// blockMask says, for each block of rows, which blocks of keys are read: one bit each.
type blockMask struct {
	size, stride int
	bits         []uint64
}

// newBlockMask returns the empty mask of n tokens in blocks of size.
func newBlockMask(n, size int) *blockMask {
	blocks := blocksOf(n, size)
	stride := blocksOf(blocks, 64)
	return &blockMask{size, stride, make([]uint64, blocks*stride)}
}

func (b *blockMask) set(r, c int) { b.bits[r*b.stride+c/64] |= 1 << (c % 64) }

func (b *blockMask) has(r, c int) bool { return b.bits[r*b.stride+c/64]>>(c%64)&1 != 0 }

// pattern reads the blocks of the mask; it must not be asked for rows of two blocks.
func (b *blockMask) pattern(dst []kv.Span, lo, _ int32) []kv.Span {
	r := int(lo) / b.size
	for c := 0; c <= r; c++ {
		if !b.has(r, c) {
			continue
		}
		from := c
		for c < r && b.has(r, c+1) {
			c++
		}
		dst = append(dst, kv.Column(int32(from*b.size), int32((c+1)*b.size)))
	}
	return dst
}
