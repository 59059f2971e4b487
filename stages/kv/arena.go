package kv

import (
	"slices"
	"sync"
	"sync/atomic"

	"scbench/kernels"
)

// arena owns the pages that one layer wrote, and keeps alive the arena of the layer it was forked from.
type arena struct {
	store  *Store
	parent *arena
	refs   atomic.Int32
	mu     sync.Mutex // of pages: heads are written side by side
	pages  []*Page
}

func newArena(s *Store, parent *arena) *arena {
	a := &arena{store: s, parent: parent}
	a.refs.Store(1)
	if parent != nil {
		parent.refs.Add(1)
	}
	return a
}

func (a *arena) page(f kernels.PageFormat) (*Page, error) {
	p, err := a.store.get(f)
	if err == nil {
		a.mu.Lock()
		a.pages = append(a.pages, p)
		a.mu.Unlock()
	}
	return p, err
}

// drop gives one page back that no other layer knows of; it is one of the last that were taken.
func (a *arena) drop(p *Page) {
	a.mu.Lock()
	i := len(a.pages) - 1
	for a.pages[i] != p {
		i--
	}
	a.pages = slices.Delete(a.pages, i, i+1)
	a.mu.Unlock()
	a.store.put([]*Page{p})
}

// release drops one reference; the last one returns the pages and lets go of the parent.
func (a *arena) release() {
	for a != nil {
		switch n := a.refs.Add(-1); {
		case n > 0:
			return
		case n < 0:
			panic("kv: a layer was released twice")
		}
		a.store.put(a.pages)
		a.pages = nil
		a = a.parent
	}
}
