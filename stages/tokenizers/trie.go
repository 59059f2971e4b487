package tokenizers

// trie finds the tokens that a text begins with. Its edges lie in one flat table with linear probing, so that a step costs one
// look into memory; node 0 is the root.
type trie struct {
	slots []trieSlot
	shift uint
	ends  []int32 // by node: the token that ends there; -1: none
}

type trieSlot struct {
	node, child int32 // child 0: the slot is empty
	by          byte
}

func newTrie() trie { return trie{make([]trieSlot, 16), 60, []int32{-1}} }

// slot returns the slot of an edge, or the empty one where it would be.
func (t *trie) slot(node int32, by byte) *trieSlot {
	for i := (uint64(uint32(node))<<8 | uint64(by)) * 0x9E3779B97F4A7C15 >> t.shift; ; i++ {
		s := &t.slots[i&uint64(len(t.slots)-1)]
		if s.child == 0 || s.node == node && s.by == by {
			return s
		}
	}
}

// step returns the node behind an edge; 0: there is none.
func (t *trie) step(node int32, by byte) int32 { return t.slot(node, by).child }

// add lets text end in a token, in place of another one with the same text.
func (t *trie) add(text string, id int32) {
	node := int32(0)
	for i := range len(text) {
		s := t.slot(node, text[i])
		if s.child == 0 {
			*s = trieSlot{node, int32(len(t.ends)), text[i]}
			node = s.child
			t.ends = append(t.ends, -1)
			t.grow()
			continue
		}
		node = s.child
	}
	t.ends[node] = id
}

// grow keeps half of the table empty.
func (t *trie) grow() {
	if 2*len(t.ends) <= len(t.slots) {
		return
	}
	old := t.slots
	t.slots, t.shift = make([]trieSlot, 2*len(old)), t.shift-1
	for _, s := range old {
		if s.child != 0 {
			*t.slot(s.node, s.by) = s
		}
	}
}

// longest returns the longest token that s begins with, and its length; id -1: none.
func (t *trie) longest(s string) (id int32, length int) {
	id = -1
	for node, i := int32(0), 0; i < len(s); i++ {
		if node = t.step(node, s[i]); node == 0 {
			break
		}
		if t.ends[node] >= 0 {
			id, length = t.ends[node], i+1
		}
	}
	return id, length
}
