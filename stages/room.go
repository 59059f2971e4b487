package stages

import (
	"sort"

	"scbench/stages/engine"
	"scbench/stages/kv"
)

// Room is what conversations of a model take in the pages of a store. Nothing is allocated to know it.
type Room struct {
	Shape engine.Shape
	Store *kv.Store
}

// Prompt is an upper bound of the bytes that the cache of one prompt of n tokens takes at once under a policy: the prompt itself, what the
// policy keeps of it as a copy, and the rows that it computes to decide.
func (r Room) Prompt(p *engine.Policy, n int) int64 {
	return r.pages(n) + r.kept(p, n) + r.replay(p, n)
}

// Longest is the largest n below limit for which the cache of a prompt of n tokens, and what other says is needed beside it, are at most
// memory bytes; 0 if not one token fits.
func (r Room) Longest(p *engine.Policy, memory int64, limit int, other func(n int) int64) int {
	return max(sort.Search(limit, func(n int) bool { return r.Prompt(p, n)+other(n) > memory })-1, 0)
}

// pages is what a stretch of tokens takes that goes on from a fork.
func (r Room) pages(tokens int) int64 {
	page := int64(r.Store.PageBytes()) * int64(r.Shape.Layers*r.Shape.KVHeads)
	return (int64(tokens)/pageTokens+2)*page + r.Shape.StateBytes()
}

// kept is an upper bound of the bytes of what a policy keeps as a copy of n tokens; 0 if it makes none.
func (r Room) kept(p *engine.Policy, n int) int64 {
	if !p.Copies() {
		return 0
	}
	for _, part := range p.Parts() {
		if part.Copies() && part.Budget != nil {
			n = min(n, part.Budget(n))
		}
	}
	if p.Quantise == 0 {
		return r.pages(n)
	}
	packed := int64(n/pageTokens) * int64(r.Store.FormatBytes(p.Quantise)) * int64(r.Shape.Layers*r.Shape.KVHeads)
	return packed + r.pages(min(n, p.Residual)+pageTokens)
}

// replay is an upper bound of the bytes of the passes over n tokens that a policy runs to decide.
func (r Room) replay(p *engine.Policy, n int) int64 {
	if p.Revise == nil {
		return 0
	}
	return r.pages(n) + r.pages(pageTokens)
}
