package kv

import (
	"errors"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
)

// TestState wants states to begin at zero, to be shared until written, to be counted and bounded, and to leave nothing behind.
func TestState(t *testing.T) {
	const n = 1000
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	s := NewStore(mem, kernels.PageF32, 0, 2*4*n)
	a, err := s.NewState(n)
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(a.Floats(), func(x float32) bool { return x != 0 }) || len(a.Floats()) != n {
		t.Error("a new state is not zero")
	}
	if own, err := a.Own(); err != nil || own != a {
		t.Errorf("a state that nobody shares is copied: %v", err)
	}
	a.Floats()[3] = 7
	b := a.Share()
	if s.InUse() != 4*n {
		t.Errorf("%d bytes in use while shared", s.InUse())
	}
	if b, err = b.Own(); err != nil {
		t.Fatal(err)
	}
	b.Floats()[3]++
	if a.Floats()[3] != 7 || b.Floats()[3] != 8 || s.InUse() != 8*n || a.Bytes() != 4*n {
		t.Errorf("%g and %g after a write to the copy, %d bytes in use", a.Floats()[3], b.Floats()[3], s.InUse())
	}
	if _, err := s.NewState(1); !errors.Is(err, ErrFull) {
		t.Errorf("beyond the limit: %v", err)
	}
	c := b.Share()
	if _, err := c.Own(); !errors.Is(err, ErrFull) || c.Floats()[3] != 8 {
		t.Errorf("a copy beyond the limit: %v", err)
	}
	if err := s.Close(); err == nil {
		t.Error("closed while states are held")
	}
	for _, x := range []*State{a, b, c} {
		x.Release()
	}
	if err := s.Close(); err != nil || s.Peak() != 8*n {
		t.Errorf("%v; peak %d", err, s.Peak())
	}
	mem.AssertSize(t, 0)
}
