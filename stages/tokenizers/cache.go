package tokenizers

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
)

// wordCache remembers the tokens of short words. It is a table in which a newer word takes the place of an older one, so
// that it never grows, and takes no locks. It cannot change a result, only the time until it is there.
type wordCache struct {
	seed  maphash.Seed
	slots [cacheSlots]cacheSlot
}

const (
	cacheSlots    = 1 << 15
	cacheMaxBytes = 64 // of a word
)

type cacheSlot struct{ entry atomic.Pointer[cacheEntry] }

type cacheEntry struct {
	word string
	ids  []int32
}

func newWordCache() *wordCache { return &wordCache{seed: maphash.MakeSeed()} }

// slot returns the place of a word; nil if it is too long to be remembered.
func (c *wordCache) slot(word string) *cacheSlot {
	if len(word) > cacheMaxBytes {
		return nil
	}
	return &c.slots[maphash.String(c.seed, word)%cacheSlots]
}

func (s *cacheSlot) get(word string) ([]int32, bool) {
	if s == nil {
		return nil, false
	}
	e := s.entry.Load()
	if e == nil || e.word != word {
		return nil, false
	}
	return e.ids, true
}

func (s *cacheSlot) put(word string, ids []int32) {
	if s != nil {
		s.entry.Store(&cacheEntry{strings.Clone(word), slices.Clone(ids)})
	}
}
