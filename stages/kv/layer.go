package kv

import (
	"fmt"

	"scbench/kernels"
)

// Layer is the cache of one attention layer of one conversation.
type Layer struct {
	store *Store
	arena *arena
	heads []head
	index Index
	last  Window
	seers []seer
	// shared is the number of slots, of all heads, that Seal found in pages of the prefilled prompt.
	shared    int64
	rewritten bool // Apply moved the tokens to pages of the layer's own
}

// head is the list of pages of one KV head.
type head struct {
	sealed  []*Page // full pages; shared between branches, so its spare capacity belongs to one of them
	tail    *Page   // the page being filled, or nil
	ownTail bool    // whether this layer may write to tail
	slots   int
	packed  int // the first pages that are quantised
}

// NewLayer returns an empty layer of heads KV heads that remembers the queries of the last window rows.
func NewLayer(s *Store, heads, window int) *Layer {
	return &Layer{store: s, arena: newArena(s, nil), heads: make([]head, heads), last: Window{max: window}}
}

// Fork returns a branch that shares all pages. Both may go on appending; neither sees the other's tokens.
func (l *Layer) Fork() *Layer {
	f := &Layer{store: l.store, arena: newArena(l.store, l.arena), heads: make([]head, len(l.heads)), last: l.last, shared: l.shared, rewritten: l.rewritten}
	for i, h := range l.heads {
		f.heads[i] = head{sealed: h.sealed[:len(h.sealed):len(h.sealed)], tail: h.tail, slots: h.slots, packed: h.packed}
	}
	for _, s := range l.seers {
		f.seers = append(f.seers, seer{s.name, s.Fork()})
	}
	if l.index != nil {
		f.index = l.index.Fork()
	}
	return f
}

// Release gives up the layer's pages. The layer must not be used afterwards.
func (l *Layer) Release() {
	l.arena.release()
	*l = Layer{}
}

// Heads is the number of KV heads.
func (l *Layer) Heads() int { return len(l.heads) }

// Dim is the number of components of a key and of a value.
func (l *Layer) Dim() int { return l.store.dim }

// Slots is the number of tokens that head h holds.
func (l *Layer) Slots(h int) int { return l.heads[h].slots }

// Page returns page i of head h: slots [i·PageTokens, (i+1)·PageTokens). Slots at or beyond Slots(h) hold garbage.
func (l *Layer) Page(h, i int) *Page {
	hd := &l.heads[h]
	if i < len(hd.sealed) {
		return hd.sealed[i]
	}
	if i > len(hd.sealed) || hd.tail == nil {
		panic(fmt.Sprintf("kv: page %d of head %d with %d slots", i, h, hd.slots))
	}
	return hd.tail
}

// Key writes the key in slot s of head h to dst[Dim].
func (l *Layer) Key(dst []float32, h, s int) {
	p := l.Page(h, s/kernels.PageTokens)
	kernels.LoadK(p.Format, dst, p.Data, s%kernels.PageTokens)
}

// Value writes the value in slot s of head h to dst[Dim].
func (l *Layer) Value(dst []float32, h, s int) {
	p := l.Page(h, s/kernels.PageTokens)
	kernels.LoadV(p.Format, dst, p.Data, s%kernels.PageTokens)
}

// Pos returns the position in the conversation of the token in slot s of head h.
func (l *Layer) Pos(h, s int) int32 {
	return l.Page(h, s/kernels.PageTokens).Pos[s%kernels.PageTokens]
}

// Scores writes scale·q·k for the first len(dst) slots of head h.
func (l *Layer) Scores(dst []float32, h int, q []float32, scale float32) {
	for from := 0; from < len(dst); from += kernels.PageTokens {
		part := dst[from:min(from+kernels.PageTokens, len(dst))]
		p := l.Page(h, from/kernels.PageTokens)
		kernels.KeyScoresPage(p.Format, part, p.Data, q, scale)
	}
}

// Append adds the keys and values of the tokens at positions pos; k and v are [len(pos), Heads, Dim].
// On an error (the store is full) the layer may hold some heads' tokens and must be released.
func (l *Layer) Append(k, v []float32, pos []int32) error {
	for h := range l.heads {
		if err := l.AppendHead(h, k, v, pos); err != nil {
			return err
		}
	}
	l.Extend()
	return nil
}

// AppendHead is Append for head h alone, of the same k and v; different heads may be appended to side by side. Extend must follow when
// all heads are done.
func (l *Layer) AppendHead(h int, k, v []float32, pos []int32) error {
	d, n := l.store.dim, len(l.heads)
	if len(k) != len(pos)*n*d || len(v) != len(k) {
		panic(fmt.Sprintf("kv: append of %d keys and %d values numbers for %d tokens of %d heads of %d", len(k), len(v), len(pos), n, d))
	}
	if err := l.Own(h); err != nil { // copy on write
		return err
	}
	var buf [2][]float32 // the head's keys and values of one page, side by side
	for done := 0; done < len(pos); {
		room := min(kernels.PageTokens-l.heads[h].slots%kernels.PageTokens, len(pos)-done)
		buf[0], buf[1] = buf[0][:0], buf[1][:0]
		for i := done; i < done+room; i++ {
			at := (i*n + h) * d
			buf[0], buf[1] = append(buf[0], k[at:at+d]...), append(buf[1], v[at:at+d]...)
		}
		if err := l.fill(&l.heads[h], buf[0], buf[1], pos[done:done+room]); err != nil {
			return err
		}
		done += room
	}
	return nil
}

// Extend lets the index take in what was appended.
func (l *Layer) Extend() {
	if l.index != nil {
		l.index.Extend(l)
	}
}

// Borrowed reports whether the last, partly filled page of head h is another branch's, which the next append would copy.
func (l *Layer) Borrowed(h int) bool {
	hd := &l.heads[h]
	return hd.slots%kernels.PageTokens != 0 && !hd.ownTail
}

// Own copies the last page of head h if it is borrowed. Branches that are appended to side by side must own their pages before the
// page's owner writes to it.
func (l *Layer) Own(h int) error {
	if !l.Borrowed(h) {
		return nil
	}
	hd := &l.heads[h]
	p, err := l.arena.page(l.store.format)
	if err != nil {
		return err
	}
	copy(p.Data, hd.tail.Data)
	copy(p.Pos, hd.tail.Pos[:hd.slots%kernels.PageTokens])
	hd.tail, hd.ownTail = p, true
	return nil
}

// fill writes tokens, which fit the last page of h or the next one; k and v are [len(pos), Dim].
func (l *Layer) fill(h *head, k, v []float32, pos []int32) error {
	r := h.slots % kernels.PageTokens
	if r == 0 {
		p, err := l.arena.page(l.store.format)
		if err != nil {
			return err
		}
		h.tail, h.ownTail = p, true
	}
	kernels.StoreSlots(l.store.format, h.tail.Data, r, k, v, len(pos), l.store.dim)
	copy(h.tail.Pos[r:], pos)
	h.slots += len(pos)
	if h.slots%kernels.PageTokens == 0 {
		h.sealed = append(h.sealed, h.tail)
		h.tail, h.ownTail = nil, false
	}
	return nil
}

// Index returns what the layer's loading method searches, or nil.
func (l *Layer) Index() Index { return l.index }

// SetIndex makes x the layer's index and lets it take in the tokens that are there.
func (l *Layer) SetIndex(x Index) {
	l.index = x
	if x != nil {
		x.Extend(l)
	}
}

// Index is what a loading method looks keys up in. It belongs to one layer and grows with it.
type Index interface {
	Extend(l *Layer) // takes in the slots that were appended since the last call
	Fork() Index     // a copy that grows on its own; shares what is immutable
	Bytes() int64    // memory it holds beside the keys
}

// Bytes is the memory that the layer's tokens take, index included, shared pages counted in full.
// Partly filled pages count by their tokens.
func (l *Layer) Bytes() int64 {
	var n int64
	for h := range l.heads {
		n += l.RunBytes(h, Run{0, int32(l.heads[h].slots)})
	}
	if l.index != nil {
		n += l.index.Bytes()
	}
	return n
}

// RunBytes is what the keys and values of a run of slots of head h take.
func (l *Layer) RunBytes(h int, r Run) int64 {
	hd := &l.heads[h]
	if hd.packed == 0 {
		return int64(r.Hi-r.Lo) * l.TokenBytes()
	}
	packed := min(r.Hi, max(r.Lo, int32(hd.packed*kernels.PageTokens)))
	return int64(packed-r.Lo)*l.store.tokenBytes(hd.sealed[0].Format) + int64(r.Hi-packed)*l.TokenBytes()
}

// Seal marks the end of the first prompt: what is there now, unless an edit has moved it, is the prompt's and shared by all that
// were forked from it. Observers have seen what they were to see and are let go.
func (l *Layer) Seal() {
	l.shared, l.seers = 0, nil
	for h := range l.heads {
		if !l.rewritten {
			l.shared += int64(l.heads[h].slots)
		}
	}
}

// SharedBytes is the part of Bytes that is the prefilled prompt, which branches hold together.
func (l *Layer) SharedBytes() int64 { return l.shared * l.TokenBytes() }

// TokenBytes is what the key and value of one token of one head take when they are appended.
func (l *Layer) TokenBytes() int64 { return l.store.TokenBytes() }

// Format is how the pages that tokens are appended to hold keys and values; see Page.Format for others.
func (l *Layer) Format() kernels.PageFormat { return l.store.format }
