package engine

import (
	"context"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/kv"
)

// adder is a model that is recurrent throughout: its state is how many tokens there were, their sum, and twice that.
var adder = Shape{Hidden: 1, Vocab: 100, State: 3}

// add feeds tokens in the order of a recurrent layer: block by block.
func add(t *testing.T, chunks ...Chunk) {
	t.Helper()
	step, err := Begin(context.Background(), adder, nil, chunks)
	if err != nil {
		t.Fatal(err)
	}
	var all []int32
	for _, c := range chunks {
		all = append(all, c.Tokens...)
	}
	for lo, hi := range step.Blocks() {
		step.States(lo, hi, func(state []float32, from, to int) {
			for _, x := range all[lo+from : lo+to] {
				state[0]++
				state[1] += float32(x)
				state[2] = 2 * state[1]
			}
		})
	}
	if err := step.End(); err != nil {
		t.Fatal(err)
	}
}

// tokensOf is n tokens that are all x.
func tokensOf(x int32, n int) []int32 { return slices.Repeat([]int32{x}, n) }

// TestState has conversations of a recurrent model branch and go on, alone and in ragged batches that are longer than a block: each has its own
// state, a branch never changes its parent's, memory is constant in length, and all of it comes back.
func TestState(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	store := kv.NewStore(mem, kernels.PageF32, 0, 0)
	want := func(what string, s *Session, n, sum float32, resident, shared int64) {
		t.Helper()
		if !slices.Equal(s.State(), []float32{n, sum, 2 * sum}) {
			t.Errorf("%s: state %v, want %g tokens of sum %g", what, s.State(), n, sum)
		}
		if l, r, sh := s.Bytes(); l != 12 || r != resident || sh != shared {
			t.Errorf("%s: %d bytes, resident %d, shared %d; want 12, %d, %d", what, l, r, sh, resident, shared)
		}
	}
	a, b := NewSession(adder, store, Policy{}), NewSession(adder, store, Policy{})
	if a.State() != nil || store.InUse() != 0 {
		t.Error("an empty conversation has a state")
	}
	add(t, Chunk{Session: a, Tokens: tokensOf(1, 700)}, Chunk{Session: b, Tokens: tokensOf(3, 5)})
	add(t, Chunk{Session: b, Tokens: tokensOf(3, 600)}, Chunk{Session: a, Tokens: tokensOf(2, 1)})
	want("two in a batch", a, 701, 702, 12, 0)
	want("two in a batch", b, 605, 1815, 12, 0)
	if a.Cost.ReadBytes != 701*12 || a.Cost.Rows != 701 || a.Cost.Cells != 0 || a.Cost.DenseCells != 0 {
		t.Errorf("cost %+v", a.Cost)
	}
	branch := a.Fork(Policy{})
	if err := branch.Settle(nil); err != nil {
		t.Fatal(err)
	}
	if least, mean, most := branch.Kept(); least != 0 || mean != 0 || most != 0 {
		t.Errorf("kept %d, %g, %d tokens", least, mean, most)
	}
	leaf := branch.Fork(Policy{})
	want("a settled branch", branch, 701, 702, 12, 12)
	if store.InUse() != 24 {
		t.Errorf("%d bytes in use: branches do not share", store.InUse())
	}
	add(t, Chunk{Session: leaf, Tokens: tokensOf(5, 2)}, Chunk{Session: branch, Tokens: tokensOf(7, 1)})
	want("a leaf", leaf, 703, 712, 12, 0)
	want("its parent", branch, 702, 709, 12, 0)
	want("the root", a, 701, 702, 12, 0)
	copied := NewSession(adder, store, Policy{})
	if err := copied.SetState(leaf.State()); err != nil {
		t.Fatal(err)
	}
	want("restored", copied, 703, 712, 12, 0)
	for _, s := range []*Session{a, b, branch, leaf, copied, copied} {
		s.Release()
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	mem.AssertSize(t, 0)
}

// TestStateFull wants a conversation that finds no room for its state to fail, and to be released without harm.
func TestStateFull(t *testing.T) {
	store := kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, 0, 12)
	a := NewSession(adder, store, Policy{})
	add(t, Chunk{Session: a, Tokens: tokensOf(1, 3)})
	b := a.Fork(Policy{})
	if _, err := Begin(context.Background(), adder, nil, []Chunk{{Session: b, Tokens: tokensOf(1, 1)}}); err == nil {
		t.Error("no error though the store is full")
	}
	b.Release()
	add(t, Chunk{Session: a, Tokens: tokensOf(1, 3)})
	a.Release()
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

// TestRecurrentMethods wants methods that work on attention to be refused by a model that has none.
func TestRecurrentMethods(t *testing.T) {
	all := []*Method{
		{Name: "full", New: func(Shape, Args) (Policy, error) { return Policy{}, nil }},
		{Name: "drop", New: func(Shape, Args) (Policy, error) { return Policy{Quantise: kernels.PageBF16}, nil }},
	}
	hybrid := adder
	hybrid.Layers = 1
	for _, c := range []struct {
		spec  string
		shape Shape
		fails bool
	}{{"full", adder, false}, {"drop", adder, true}, {"drop", hybrid, false}, {"drop", testShape, false}} {
		if _, err := Parse(c.spec, all, c.shape); (err != nil) != c.fails {
			t.Errorf("%s with %d attention layers: %v", c.spec, c.shape.Layers, err)
		}
	}
}
