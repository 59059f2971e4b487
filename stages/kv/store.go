package kv

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
)

// ErrFull is wrapped by the error of an append that would take the store over its limit.
var ErrFull = errors.New("KV cache is full")

// slabBytes is the least size of a slab: large enough for huge pages and for few allocations.
const slabBytes = 1 << 20

// Page is room for kernels.PageTokens tokens of one KV head. A slot is written once.
type Page struct {
	Data   []byte  // keys and values
	Pos    []int32 // [kernels.PageTokens] positions of the tokens in the conversation
	Format kernels.PageFormat
	slab   *slab
}

// slab is one Arrow buffer cut into pages of one format.
type slab struct {
	buf       *memory.Buffer
	format    kernels.PageFormat
	pageBytes int
	pages     int
	free      []*Page
}

// Store owns the memory of all KV pages of one engine, and of recurrent states. It is safe for concurrent use.
type Store struct {
	mem    memory.Allocator
	format kernels.PageFormat
	dim    int
	limit  int64

	mu    sync.Mutex
	slabs []*slab // those with at least one page in use, and at most one spare
	bytes int64   // held in slabs and states
	inUse int64   // held in pages that are handed out, and in states
	peak  int64
}

// NewStore returns a store of pages for heads of dim numbers; tokens are appended to pages of the format given, and full pages may be
// turned to quantised ones (see Edit). dim is 0 for a model without attention, which has no pages. limit bounds the bytes of all slabs and
// states; 0: no limit.
func NewStore(mem memory.Allocator, format kernels.PageFormat, dim int, limit int64) *Store {
	if dim < 0 {
		panic(fmt.Sprintf("kv: head dimension %d", dim))
	}
	return &Store{mem: mem, format: format, dim: dim, limit: limit}
}

// pageBytes is the memory of a page of the format.
func (s *Store) pageBytes(f kernels.PageFormat) int {
	const line = 64 // pages start on cache lines
	page := kernels.PageBytes(f, s.dim) + kernels.PageTokens*4
	return (page + line - 1) / line * line
}

// Format is how the pages that tokens are appended to hold keys and values.
func (s *Store) Format() kernels.PageFormat { return s.format }

// TokenBytes is what the key and value of one token of one KV head take in a page that tokens are appended to.
func (s *Store) TokenBytes() int64 { return s.tokenBytes(s.format) }

// tokenBytes is what one token of one KV head takes in a full page of the format, scales and minima included.
func (s *Store) tokenBytes(f kernels.PageFormat) int64 {
	return int64(kernels.PageBytes(f, s.dim) / kernels.PageTokens)
}

// PageBytes is the size in bytes of a page that tokens are appended to.
func (s *Store) PageBytes() int { return s.pageBytes(s.format) }

// FormatBytes is the size in bytes of a page of another format.
func (s *Store) FormatBytes(f kernels.PageFormat) int { return s.pageBytes(f) }

// InUse is the number of bytes in pages that layers hold, and in states.
func (s *Store) InUse() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inUse
}

// Peak is the most that InUse has been.
func (s *Store) Peak() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peak
}

// Close gives the spare memory back. It reports an error if pages or states are still held.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inUse != 0 {
		return fmt.Errorf("kv: store closed while %d bytes of pages and states are in use", s.inUse)
	}
	for _, b := range s.slabs {
		b.buf.Release()
	}
	s.slabs, s.bytes = nil, 0
	return nil
}

func (s *Store) get(f kernels.PageFormat) (*Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var from *slab
	for i := len(s.slabs) - 1; i >= 0 && from == nil; i-- {
		if s.slabs[i].format == f && len(s.slabs[i].free) > 0 {
			from = s.slabs[i]
		}
	}
	if from == nil {
		var err error
		if from, err = s.grow(f); err != nil {
			return nil, err
		}
	}
	p := from.free[len(from.free)-1]
	from.free = from.free[:len(from.free)-1]
	s.inUse += int64(from.pageBytes)
	s.peak = max(s.peak, s.inUse)
	return p, nil
}

// grow adds a slab of pages of the format, all of which are free.
func (s *Store) grow(f kernels.PageFormat) (*slab, error) {
	each := s.pageBytes(f)
	n := max(1, (slabBytes+each-1)/each)
	size := n * each
	if err := s.room(size); err != nil {
		return nil, err
	}
	b := memory.NewResizableBuffer(s.mem)
	b.Resize(size)
	sl := &slab{buf: b, format: f, pageBytes: each, pages: n}
	raw := b.Bytes()
	data := kernels.PageBytes(f, s.dim)
	for i := n - 1; i >= 0; i-- { // so that pages are handed out in order of address
		w := raw[i*each : (i+1)*each]
		pos := unsafe.Slice((*int32)(unsafe.Pointer(&w[data])), kernels.PageTokens)
		sl.free = append(sl.free, &Page{Data: w[:data:data], Pos: pos, Format: f, slab: sl})
	}
	s.slabs = append(s.slabs, sl)
	s.bytes += int64(size)
	return sl, nil
}

// room is an error if the limit leaves none for some bytes more.
func (s *Store) room(bytes int) error {
	if s.limit > 0 && s.bytes+int64(bytes) > s.limit {
		return fmt.Errorf("%w: %d bytes are in use and the limit is %d; raise --kv-memory, or run fewer methods or shorter contexts", ErrFull, s.bytes, s.limit)
	}
	return nil
}

// put takes pages back; slabs that become empty are given back to the allocator, but for one spare.
func (s *Store) put(pages []*Page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range pages {
		p.slab.free = append(p.slab.free, p)
		s.inUse -= int64(p.slab.pageBytes)
	}
	kept, spare := s.slabs[:0], false
	for _, b := range s.slabs {
		if len(b.free) == b.pages {
			if spare || b.format != s.format {
				s.bytes -= int64(b.pages * b.pageBytes)
				b.buf.Release()
				continue
			}
			spare = true
		}
		kept = append(kept, b)
	}
	clear(s.slabs[len(kept):])
	s.slabs = kept
}
