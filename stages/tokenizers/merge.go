package tokenizers

import (
	"math"
	"slices"
)

// pairTable maps pairs of tokens to the merge that joins them, in one flat array with linear probing.
type pairTable struct {
	slots []pairSlot
	shift uint
}

type pairSlot struct {
	key  uint64 // left<<32 | right
	rank uint32 // noMerge: the slot is empty
	id   int32  // of the merged token
}

// noMerge is the rank of a pair that nothing joins.
const noMerge = math.MaxUint32

func newPairTable(n int) pairTable {
	size, shift := 16, uint(60)
	for 2*size < 3*n {
		size, shift = 2*size, shift-1
	}
	t := pairTable{make([]pairSlot, size), shift}
	for i := range t.slots {
		t.slots[i].rank = noMerge
	}
	return t
}

// slot returns the slot of a pair, or the empty one where it would be.
func (t *pairTable) slot(left, right int32) *pairSlot {
	key := uint64(uint32(left))<<32 | uint64(uint32(right))
	for i := key * 0x9E3779B97F4A7C15 >> t.shift; ; i++ {
		s := &t.slots[i&uint64(len(t.slots)-1)]
		if s.rank == noMerge || s.key == key {
			return s
		}
	}
}

// put adds a merge; of several for one pair, the last counts, as in the reference.
func (t *pairTable) put(left, right int32, rank uint32, id int32) {
	*t.slot(left, right) = pairSlot{uint64(uint32(left))<<32 | uint64(uint32(right)), rank, id}
}

// shortWord is the length up to which looking at all pairs beats a heap.
const shortWord = 48

// merge joins neighbours of ids, in place, until no pair of them has a merge: the lowest rank first, and of one rank the leftmost.
func (t *pairTable) merge(ids []int32) []int32 {
	switch {
	case len(ids) < 2:
		return ids
	case len(ids) <= shortWord:
		return t.mergeShort(ids)
	}
	return t.mergeLong(ids)
}

// mergeShort looks at all pairs each time.
func (t *pairTable) mergeShort(ids []int32) []int32 {
	var merged [shortWord]int32
	var ranks [shortWord]uint32 // of the pair that begins here
	n := len(ids)
	look := func(i int) {
		if i+1 >= n {
			ranks[i] = noMerge
			return
		}
		s := t.slot(ids[i], ids[i+1])
		ranks[i], merged[i] = s.rank, s.id
	}
	for i := range n {
		look(i)
	}
	for {
		best, at := uint32(noMerge), 0
		for i, r := range ranks[:n] {
			if r < best {
				best, at = r, i
			}
		}
		if best == noMerge {
			return ids[:n]
		}
		ids[at] = merged[at]
		copy(ids[at+1:n-1], ids[at+2:n])
		copy(ranks[at+1:n-1], ranks[at+2:n])
		copy(merged[at+1:n-1], merged[at+2:n])
		n--
		look(at)
		if at > 0 {
			look(at - 1)
		}
	}
}

// A long word is merged in windows of so many tokens, each with the last tokens of the one before.
const (
	mergeWindow  = 4096
	mergeOverlap = 32
)

// mergeLong does the same window by window, in linear time.
func (t *pairTable) mergeLong(ids []int32) []int32 {
	return t.mergeWindows(ids, mergeWindow, mergeOverlap)
}

// mergeWindows is mergeLong with windows of a given length and at least so many tokens in common.
//
// Why this is exact: tokens in a row are what a text is merged to if and only if each two neighbours are what their own text is merged
// to, since a merge across a border would be the first one across it also without what is around. So if the merged window begins with
// the token that the windows before had at that place, all pairs of neighbours come from texts that were merged as a whole.
func (t *pairTable) mergeWindows(ids []int32, window, overlap int) []int32 {
	var w merger
	if len(ids) <= window {
		w.merge(t, ids)
		return ids[:copy(ids, w.tokens)]
	}
	all := slices.Clone(ids)
	out := ids[:0]
	var begins []int32 // in all, of the last tokens of out
	for next := 0; next < len(all); {
		end := min(next+window, len(all))
		keep, from := min(overlap, len(begins)), next
		for {
			if keep > 0 {
				from = int(begins[len(begins)-keep])
			}
			w.merge(t, all[from:end])
			if from == 0 || w.tokens[0] == out[len(out)-keep] {
				break
			}
			if keep == len(begins) { // the windows before were wrong from further on
				w.merge(t, all)
				return ids[:copy(ids, w.tokens)]
			}
			keep = min(2*keep, len(begins))
		}
		out = append(out[:len(out)-keep], w.tokens...)
		begins = begins[:0]
		for _, at := range w.begins {
			begins = append(begins, int32(from)+at)
		}
		next = end
	}
	return out
}

// merger merges with a heap of pairs over a linked list of tokens: n log n. It may be used again.
type merger struct {
	nodes          []node
	heap           pairHeap
	tokens, begins []int32 // what came out, and where each token begins
}

// merge merges ids, of which there is at least one.
func (w *merger) merge(t *pairTable, ids []int32) {
	w.nodes, w.heap = w.nodes[:0], w.heap[:0]
	for i, id := range ids {
		w.nodes = append(w.nodes, node{id: id, prev: int32(i) - 1, next: int32(i) + 1, rank: noMerge})
	}
	w.nodes[len(ids)-1].next = -1
	for i := range w.nodes {
		w.look(t, int32(i))
	}
	for len(w.heap) > 0 {
		top := w.heap.pop()
		i := int32(uint32(top))
		nd := &w.nodes[i]
		if nd.rank != uint32(top>>32) { // the pair is gone, or changed
			continue
		}
		right := &w.nodes[nd.next]
		nd.id = t.slot(nd.id, right.id).id
		right.rank = noMerge
		if nd.next = right.next; nd.next >= 0 {
			w.nodes[nd.next].prev = i
		}
		w.look(t, i)
		if nd.prev >= 0 {
			w.look(t, nd.prev)
		}
	}
	w.tokens, w.begins = w.tokens[:0], w.begins[:0]
	for i := int32(0); i >= 0; i = w.nodes[i].next {
		w.tokens, w.begins = append(w.tokens, w.nodes[i].id), append(w.begins, i)
	}
}

// look finds the merge of a token and its right neighbour.
func (w *merger) look(t *pairTable, i int32) {
	nd := &w.nodes[i]
	nd.rank = noMerge
	if nd.next >= 0 {
		nd.rank = t.slot(nd.id, w.nodes[nd.next].id).rank
	}
	if nd.rank != noMerge {
		w.heap.push(uint64(nd.rank)<<32 | uint64(i))
	}
}

// node is a token of a long word.
type node struct {
	id, prev, next int32
	rank           uint32 // of the pair with the next one
}

// pairHeap is a binary heap of rank<<32 | position, smallest first.
type pairHeap []uint64

func (h *pairHeap) push(x uint64) {
	*h = append(*h, x)
	a := *h
	for i := len(a) - 1; i > 0; {
		parent := (i - 1) / 2
		if a[parent] <= a[i] {
			return
		}
		a[parent], a[i] = a[i], a[parent]
		i = parent
	}
}

func (h *pairHeap) pop() uint64 {
	a := *h
	top := a[0]
	last := len(a) - 1
	a[0] = a[last]
	a = a[:last]
	*h = a
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return top
		}
		if child+1 < last && a[child+1] < a[child] {
			child++
		}
		if a[i] <= a[child] {
			return top
		}
		a[i], a[child] = a[child], a[i]
		i = child
	}
}
