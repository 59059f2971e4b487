package tokenizers

import "math"

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
	for size < 2*n {
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

// mergeLong does the same with a heap of pairs over a linked list of tokens: n log n.
func (t *pairTable) mergeLong(ids []int32) []int32 {
	n := int32(len(ids))
	nodes := make([]node, n)
	var h pairHeap
	for i, id := range ids {
		nodes[i] = node{id: id, prev: int32(i) - 1, next: int32(i) + 1, rank: noMerge}
	}
	nodes[n-1].next = -1
	look := func(i int32) {
		nd := &nodes[i]
		nd.rank = noMerge
		if nd.next >= 0 {
			nd.rank = t.slot(nd.id, nodes[nd.next].id).rank
		}
		if nd.rank != noMerge {
			h.push(uint64(nd.rank)<<32 | uint64(i))
		}
	}
	for i := range n {
		look(i)
	}
	for len(h) > 0 {
		top := h.pop()
		i := int32(uint32(top))
		nd := &nodes[i]
		if nd.rank != uint32(top>>32) { // the pair is gone, or changed
			continue
		}
		right := &nodes[nd.next]
		nd.id = t.slot(nd.id, right.id).id
		right.rank = noMerge
		if nd.next = right.next; nd.next >= 0 {
			nodes[nd.next].prev = i
		}
		look(i)
		if nd.prev >= 0 {
			look(nd.prev)
		}
	}
	out := ids[:0]
	for i := int32(0); i >= 0; i = nodes[i].next {
		out = append(out, nodes[i].id)
	}
	return out
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
