// Package prefix is the exact prefix cache: what prompts computed, kept for the next prompt that begins with the same tokens, in this
// run or a later one. It saves prefill and changes no number.
//
// Keys and values are kept in blocks of kernels.PageTokens tokens, all layers together. A block's name is the hash of the block before
// it, of its tokens, and of the generation that computed them; the first one's goes on from a hash of all else that numbers depend on
// (New's tag). So a name stands for a whole beginning, and equal names for equal numbers. Beside the blocks, the end of a prompt is kept:
// its last, partly filled block, what the model's recurrent
// layers remember, the queries that methods remember, the state of their observers, and its last logits; with it, nothing
// of the prompt is computed again.
//
// Differs from vLLM's: blocks of 64 tokens rather than 16, those of this program's pages; the ends; lossless reuse of sparse prefill,
// since the generation is part of the name.
package prefix

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/zeebo/blake3"

	"scbench/kernels"
)

// Hash names a block or an end.
type Hash [32]byte

// Trail is the beginning of a prompt, as far as it is known, with the names of its blocks. It is a value: Extend returns another.
type Trail struct {
	last Hash  // of the last full block
	open []run // tokens after it
	n    int   // tokens in all
}

// run is tokens computed under one generation.
type run struct {
	generation string
	tokens     []int32
}

// Block is the name of a full block and where its tokens begin.
type Block struct {
	Name  Hash
	First int
}

// Extend adds tokens computed under a generation, and returns the blocks that have become full.
func (t Trail) Extend(generation string, tokens []int32) (Trail, []Block) {
	var full []Block
	open := append([]run(nil), t.open...)
	for len(tokens) > 0 {
		take := min(len(tokens), kernels.PageTokens-t.n%kernels.PageTokens)
		open = append(open, run{generation, tokens[:take]})
		t.n += take
		tokens = tokens[take:]
		if t.n%kernels.PageTokens == 0 {
			t.last = digest("block", t.last, open)
			full = append(full, Block{t.last, t.n - kernels.PageTokens})
			open = nil
		}
	}
	t.open = open
	return t, full
}

// end is the name of the prompt's end, for what methods need to have seen of it.
func (t Trail) end(needs string) Hash { return digest("end "+needs, t.last, t.open) }

// digest hashes a name's kind, the name that it follows, and tokens; runs of one generation count as one.
func digest(kind string, last Hash, runs []run) (h Hash) {
	d := blake3.New()
	text := func(s string) {
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(len(s)))
		_, _ = d.Write(n[:]) // a hash does not fail
		_, _ = d.WriteString(s)
	}
	text(kind)
	_, _ = d.Write(last[:])
	for _, r := range runs {
		for _, t := range r.tokens { // each token with its generation, however they were cut into runs
			text(r.generation)
			var b [4]byte
			binary.LittleEndian.PutUint32(b[:], uint32(t))
			_, _ = d.Write(b[:])
		}
	}
	copy(h[:], d.Sum(nil))
	return h
}

// Cache is a prefix cache with a tier in memory and one on disk. Restore and Store are for one goroutine; Stats for any.
type Cache struct {
	root Hash
	mu   sync.Mutex
	mem  *recent
	disk *disk // or nil
	stat Stats
}

// Stats counts what a cache did since it was opened.
type Stats struct {
	Reused   int64 // tokens taken from the cache
	Damaged  int   // entries that were not what was stored; they were discarded and computed anew
	Unstored int   // ends that could not be kept, because an observer does not write its state: their prompts will be computed again
	Stored   int64 // bytes added on disk
	Evicted  int64 // bytes removed from disk for want of room
	Failed   error // why nothing more is stored on disk, or nil
}

// New opens a cache. tag is everything but the tokens and the generation that keys and values depend on: weights, precision, kernels.
// memory is the most bytes held in memory, dir a folder for the tier on disk or "", and limit the most bytes of its files.
func New(tag string, memory int64, dir string, limit int64) (*Cache, error) {
	c := &Cache{root: digest("root "+tag, Hash{}, nil), mem: newRecent(memory)}
	if dir == "" {
		return c, nil
	}
	var err error
	if c.disk, err = openDisk(dir, limit); err != nil {
		return nil, fmt.Errorf("prefix cache %s: %w", dir, err)
	}
	return c, nil
}

// Root is the beginning of every prompt.
func (c *Cache) Root() Trail { return Trail{last: c.root} }

// Stats says what the cache has done.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stat
}

// Close lets the files go. What was put is on disk already.
func (c *Cache) Close() error {
	if c.disk == nil {
		return nil
	}
	return c.disk.close()
}

// get returns the bytes stored under a name; they must not be changed, and are valid until the next put.
func (c *Cache) get(h Hash) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if data, ok := c.mem.get(h); ok {
		return data, true
	}
	if c.disk == nil {
		return nil, false
	}
	data, damaged := c.disk.get(h)
	c.stat.Damaged += damaged
	if data == nil {
		return nil, false
	}
	c.mem.put(h, data)
	return data, true
}

// has reports whether there is something under a name, damaged or not.
func (c *Cache) has(h Hash) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mem.has(h) || c.disk != nil && c.disk.has(h)
}

// put stores entries that belong together. A disk that fails is no reason to lose a run: it is given up, and Stats says why.
func (c *Cache) put(list []entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range list {
		c.mem.put(e.name, e.data)
	}
	if c.disk == nil || len(list) == 0 || c.stat.Failed != nil {
		return
	}
	stored, evicted, err := c.disk.put(list)
	c.stat.Stored += stored
	c.stat.Evicted += evicted
	if err != nil {
		c.stat.Failed = fmt.Errorf("prefix cache %s: %w", c.disk.dir, err)
	}
}

// entry is bytes under a name.
type entry struct {
	name Hash
	data []byte
}
