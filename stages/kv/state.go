package kv

import (
	"sync/atomic"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// State is what the recurrent layers of a model remember of one conversation: a fixed number of values, however long it is. Branches
// share one until they go on: see Own.
type State struct {
	store *Store
	buf   *memory.Buffer
	refs  atomic.Int32
}

// NewState returns a state of n zeros, which is that of an empty conversation, counted among the store's bytes. It is an error that wraps
// ErrFull if the store has no room for it.
func (s *Store) NewState(n int) (*State, error) {
	x, err := s.newState(4 * n)
	if err == nil {
		clear(x.buf.Bytes())
	}
	return x, err
}

func (s *Store) newState(bytes int) (*State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.room(bytes); err != nil {
		return nil, err
	}
	x := &State{store: s, buf: memory.NewResizableBuffer(s.mem)}
	x.refs.Store(1)
	x.buf.Resize(bytes)
	s.bytes += int64(bytes)
	s.inUse += int64(bytes)
	s.peak = max(s.peak, s.inUse)
	return x, nil
}

// Floats are the values. They may be written by the only one who holds the state: see Own.
func (x *State) Floats() []float32 {
	b := x.buf.Bytes()
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

// Bytes is the memory of the state.
func (x *State) Bytes() int64 { return int64(x.buf.Len()) }

// Share returns the state for one more holder, who must release it.
func (x *State) Share() *State {
	x.refs.Add(1)
	return x
}

// Own returns a state of the same values that nobody else holds: the state itself, or else a copy, and the caller's hold on the shared one
// is given up. On an error the caller holds what it held.
func (x *State) Own() (*State, error) {
	if x.refs.Load() == 1 {
		return x, nil
	}
	y, err := x.store.newState(x.buf.Len())
	if err != nil {
		return nil, err
	}
	copy(y.buf.Bytes(), x.buf.Bytes())
	x.Release()
	return y, nil
}

// Release gives up the caller's hold; the last one gives the memory back.
func (x *State) Release() {
	switch n := x.refs.Add(-1); {
	case n > 0:
		return
	case n < 0:
		panic("kv: a state was released twice")
	}
	s := x.store
	s.mu.Lock()
	defer s.mu.Unlock()
	bytes := x.Bytes()
	s.bytes -= bytes
	s.inUse -= bytes
	x.buf.Release()
}
