package prefix

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unsafe"

	"scbench/kernels"
	"scbench/stages/engine"
)

// Step is tokens that a session is about to compute.
type Step struct {
	Trail      Trail  // up to where the session stands
	Generation string // what Tokens are computed by; if rows depend on tokens after them, on which ones, too
	Tokens     []int32
	Logits     []float32 // receives the logits of the last token; nil if they are not wanted
	// Whole says that the tokens must be computed in one pass or not at all: what is there of them alone is of no use.
	Whole bool
}

// after is the trail behind the step.
func (p *Step) after() (Trail, []Block) { return p.Trail.Extend(p.Generation, p.Tokens) }

// Restore gives session s what is cached of a step's tokens, and returns how many: all, with their logits and what methods observe, or those
// of the first blocks, or none. It leaves at least the rows to be computed whose queries methods want to see. What recurrent layers remember
// is kept at ends alone, so that a model that has some is given all or none.
func (c *Cache) Restore(p *Step, s *engine.Session, shape engine.Shape) (int, error) {
	end, blocks := p.after()
	n, err := c.restoreAll(p, s, shape, end.end(needs(s)), blocks)
	if n == 0 && err == nil && !p.Whole && len(s.Watched()) == 0 && shape.State == 0 {
		n, err = c.restoreBlocks(s, shape, blocks, p.Tokens[:max(0, len(p.Tokens)-max(1, window(s)))])
	}
	c.mu.Lock()
	c.stat.Reused += int64(n)
	c.mu.Unlock()
	return n, err
}

// restoreBlocks takes blocks as long as they are there and hold no more than the tokens given.
func (c *Cache) restoreBlocks(s *engine.Session, shape engine.Shape, blocks []Block, tokens []int32) (n int, err error) {
	for _, b := range blocks {
		lo := len(s.Tokens)
		hi := b.First + kernels.PageTokens
		if hi-lo > len(tokens)-n {
			break
		}
		data, ok := c.get(b.Name)
		if !ok {
			break
		}
		in := &reader{data: data}
		if err := in.tokens(s, shape, hi-lo); err != nil {
			return n, fmt.Errorf("prefix cache: block %x: %w", b.Name[:8], err)
		}
		s.Tokens = append(s.Tokens, tokens[n:n+hi-lo]...)
		n += hi - lo
	}
	return n, nil
}

// restoreAll takes all blocks and the end, or nothing.
func (c *Cache) restoreAll(p *Step, s *engine.Session, shape engine.Shape, name Hash, blocks []Block) (int, error) {
	data, ok := c.get(name)
	if !ok {
		return 0, nil
	}
	in := &reader{data: data}
	logits := in.floats(int(in.number()))
	if in.err != nil || p.Logits != nil && len(logits) != len(p.Logits) {
		return 0, nil
	}
	for _, b := range blocks {
		if data, ok := c.get(b.Name); !ok || len(data) != blockBytes(s) {
			return 0, nil
		}
	}
	n, err := c.restoreBlocks(s, shape, blocks, p.Tokens)
	if err != nil {
		return n, err
	}
	if shape.State > 0 {
		state := in.floats(shape.State)
		if in.err != nil {
			return n, fmt.Errorf("prefix cache: end %x: %w", name[:8], in.err)
		}
		if err := s.SetState(state); err != nil {
			return n, err
		}
	}
	rest := len(p.Tokens) - n
	if rest > 0 {
		if err := in.tokens(s, shape, rest); err != nil {
			return n, err
		}
		s.Tokens = append(s.Tokens, p.Tokens[n:]...)
	}
	if err := in.seen(s); err != nil {
		return n, fmt.Errorf("prefix cache: end %x: %w", name[:8], err)
	}
	copy(p.Logits, logits)
	return len(p.Tokens), nil
}

// Store keeps what session s has computed of a step's tokens, all of which it holds.
func (c *Cache) Store(p *Step, s *engine.Session, shape engine.Shape) error {
	end, blocks := p.after()
	var list []entry
	for _, b := range blocks {
		if !c.has(b.Name) {
			w := &writer{}
			w.page(s, b.First/kernels.PageTokens)
			list = append(list, entry{b.Name, w.data})
		}
	}
	if name := end.end(needs(s)); !c.has(name) {
		w := &writer{}
		w.number(uint64(len(p.Logits)))
		w.floats(p.Logits)
		w.floats(s.State())
		if len(s.Tokens)%kernels.PageTokens != 0 {
			w.page(s, len(s.Tokens)/kernels.PageTokens)
		}
		if err := w.seen(s); errors.Is(err, errUnwritable) {
			c.put(list)
			c.mu.Lock()
			c.stat.Unstored++
			c.mu.Unlock()
			return nil
		} else if err != nil {
			return err
		}
		list = append(list, entry{name, w.data})
	}
	c.put(list)
	return nil
}

// needs names what an end must hold for session s.
func needs(s *engine.Session) string {
	return fmt.Sprintf("window=%d watched=%s", window(s), strings.Join(s.Watched(), " "))
}

func window(s *engine.Session) int {
	if len(s.Layers) == 0 {
		return 0
	}
	return s.Layers[0].WindowRows()
}

// blockBytes is the size of a full block.
func blockBytes(s *engine.Session) int {
	n := costBytes
	for _, l := range s.Layers {
		n += l.Heads() * kernels.PageBytes(l.Format(), l.Dim())
	}
	return n
}

// costBytes is the size of a cost.
const costBytes = 6 * 8

// errUnwritable says that an observer's state cannot be kept.
var errUnwritable = errors.New("an observer does not write its state")

// writer makes the bytes of an entry.
type writer struct{ data []byte }

func (w *writer) number(n uint64) { w.data = binary.LittleEndian.AppendUint64(w.data, n) }

func (w *writer) floats(x []float32) {
	for _, v := range x {
		w.data = binary.LittleEndian.AppendUint32(w.data, math.Float32bits(v))
	}
}

func (w *writer) bytes(b []byte) {
	w.number(uint64(len(b)))
	w.data = append(w.data, b...)
}

// page writes page i of all layers and heads, with what its rows cost.
func (w *writer) page(s *engine.Session, i int) {
	c := s.Pages[i]
	for _, n := range []int64{c.Cells, c.DenseCells, c.Stored, c.ReadBytes, c.Rows, c.Fresh} {
		w.number(uint64(n))
	}
	for _, l := range s.Layers {
		for h := range l.Heads() {
			w.data = append(w.data, l.Page(h, i).Data...)
		}
	}
}

// seen writes what methods have observed.
func (w *writer) seen(s *engine.Session) error {
	for _, l := range s.Layers {
		q := l.Window()
		w.number(uint64(q.Rows))
		w.number(uint64(len(q.Queries)))
		w.floats(q.Queries)
		for _, name := range s.Watched() {
			o, ok := l.Observer(name).(encoding.BinaryMarshaler)
			if !ok {
				return errUnwritable
			}
			state, err := o.MarshalBinary()
			if err != nil {
				return fmt.Errorf("prefix cache: observer %s: %w", name, err)
			}
			w.bytes(state)
		}
	}
	return nil
}

// reader takes an entry apart. Its entries' hashes were right, so that an entry that is too short is one of another version.
type reader struct {
	data []byte
	err  error
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.data) {
		r.err = errors.New("the entry is too short: it was written by another version; empty the folder")
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) number() uint64 {
	b := r.take(8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (r *reader) floats(n int) []float32 {
	if n < 0 || n > len(r.data)/4 {
		r.take(-1)
		return nil
	}
	b := r.take(4 * n)
	x := make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return x
}

// tokens appends the next n tokens of a session from a page, which has those before them in it as well.
func (r *reader) tokens(s *engine.Session, shape engine.Shape, n int) error {
	var c engine.Cost
	for _, p := range []*int64{&c.Cells, &c.DenseCells, &c.Stored, &c.ReadBytes, &c.Rows, &c.Fresh} {
		*p = int64(r.number())
	}
	first := len(s.Tokens) % kernels.PageTokens
	k, v := make([]float32, n*shape.KVHeads*shape.Dim), make([]float32, n*shape.KVHeads*shape.Dim)
	pos := make([]int32, n)
	for i := range pos {
		pos[i] = int32(len(s.Tokens) + i)
	}
	for _, l := range s.Layers {
		format := l.Format()
		page := aligned(kernels.PageBytes(format, shape.Dim))
		for h := range shape.KVHeads {
			copy(page, r.take(len(page)))
			for i := range n {
				at := (i*shape.KVHeads + h) * shape.Dim
				kernels.LoadK(format, k[at:at+shape.Dim], page, first+i)
				kernels.LoadV(format, v[at:at+shape.Dim], page, first+i)
			}
		}
		if r.err != nil {
			return r.err
		}
		if err := l.Append(k, v, pos); err != nil {
			return err
		}
	}
	if first > 0 { // the page's earlier rows are counted already
		c = c.Sub(s.Pages[len(s.Pages)-1])
	}
	s.AddPages([]engine.Cost{c})
	s.Cost = s.Cost.Add(c)
	return nil
}

// seen reads what methods have observed, in the place of what the session's observers have seen, those of the tokens before.
func (r *reader) seen(s *engine.Session) error {
	for _, l := range s.Layers {
		rows, n := int(r.number()), int(r.number())
		q := r.floats(n)
		if r.err == nil {
			l.SetWindow(q, rows)
		}
		for _, name := range s.Watched() {
			state := r.take(int(r.number()))
			if r.err != nil {
				return r.err
			}
			o, ok := l.Observer(name).(encoding.BinaryUnmarshaler)
			if !ok {
				return errUnwritable
			}
			if err := o.UnmarshalBinary(state); err != nil {
				return fmt.Errorf("observer %s: %w", name, err)
			}
		}
	}
	return r.err
}

// aligned is n bytes that start on a cache line, as kernels want pages to.
func aligned(n int) []byte {
	const line = 64
	b := make([]byte, n+line)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (line - 1)
	return b[skip:][:n:n]
}
