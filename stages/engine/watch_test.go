package engine

import (
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/kv"
)

// notes is an observer that writes down which queries it saw, and when.
type notes struct {
	first []int
	q     []float32
	slots []int
}

func (n *notes) Observe(_ *kernels.Pool, l *kv.Layer, q []float32, first, rows int) {
	for i := range rows {
		n.first = append(n.first, first+i)
	}
	n.q = append(n.q, q...)
	n.slots = append(n.slots, l.Slots(0))
}

func (n *notes) Fork() kv.Observer {
	return &notes{slices.Clone(n.first), slices.Clone(n.q), slices.Clone(n.slots)}
}

// TestObserve wants an observer to see all queries of the first prompt, in order and after their keys are there, by itself in every
// branch, and none after it.
func TestObserve(t *testing.T) {
	pool := kernels.NewPool(2)
	defer pool.Close()
	store := kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, testShape.Dim, 0)
	var seen *notes
	p := Policy{
		Observe: []Observation{{"notes", func(int) kv.Observer { return &notes{} }}},
		Compress: func(layer int, l *kv.Layer, _ kv.Window) kv.Edit {
			if layer == 0 {
				seen = l.Observer("notes").(*notes)
			}
			return kv.Edit{}
		},
	}
	s := NewSession(testShape, store, Policy{}, p, p)
	defer s.Release()
	q1 := feed(t, pool, s, 40, 1)
	f := s.Fork(p)
	defer f.Release()
	q2 := feed(t, pool, f, 30, 2)
	if err := f.Settle(pool); err != nil {
		t.Fatal(err)
	}
	feed(t, pool, f, 3, 3)
	if len(seen.first) != 70 || seen.first[0] != 0 || seen.first[69] != 69 || !slices.IsSorted(seen.first) {
		t.Errorf("rows seen: %v", seen.first)
	}
	if !slices.Equal(seen.q, append(q1, q2...)) || !slices.Equal(seen.slots, []int{40, 70}) {
		t.Errorf("queries differ from those computed, or keys were not there: slots %v", seen.slots)
	}
	if l := f.Layers[0]; l.Observer("notes") != nil {
		t.Error("the observer stays after the first prompt")
	}
	if got := s.Layers[0].Observer("notes").(*notes); len(got.first) != 40 {
		t.Errorf("the parent's observer saw %d rows, want its own 40", len(got.first))
	}
}

// feed runs rows random tokens through all layers, and returns the queries of layer 0.
func feed(t *testing.T, pool *kernels.Pool, s *Session, rows int, seed float64) (first []float32) {
	t.Helper()
	step, err := Begin(t.Context(), testShape, pool, []Chunk{{Session: s, Tokens: make([]int32, rows)}})
	if err != nil {
		t.Fatal(err)
	}
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(math.Sin(seed * float64(i+1)))
		}
		return x
	}
	for l := range testShape.Layers {
		kvs := random(rows * testShape.KVHeads * testShape.Dim)
		if err := step.Append(l, kvs, kvs, 0, rows); err != nil {
			t.Fatal(err)
		}
		q := random(rows * testShape.Heads * testShape.Dim)
		step.Plan(l, func(lo, hi int) []float32 { return q })
		step.Attend(l, make([]float32, len(q)), q, 0, rows)
		if l == 0 {
			first = q
		}
	}
	if err := step.End(); err != nil {
		t.Fatal(err)
	}
	return first
}

// TestRenumberedPositions wants positions to go on from what was kept, after an edit that numbers tokens anew.
func TestRenumberedPositions(t *testing.T) {
	store := kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, testShape.Dim, 0)
	p := Policy{Compress: func(_ int, l *kv.Layer, _ kv.Window) kv.Edit {
		e := kv.Edit{Renumber: true, Keep: make([][]int32, l.Heads())}
		for h := range e.Keep {
			e.Keep[h] = []int32{0, 1, 8}
		}
		return e
	}}
	s := NewSession(testShape, store, p)
	defer s.Release()
	feed(t, nil, s, 20, 1)
	if err := s.Settle(nil); err != nil {
		t.Fatal(err)
	}
	f := s.Fork(p)
	defer f.Release()
	feed(t, nil, f, 2, 2)
	for i := range 5 {
		if got := f.Layers[0].Pos(0, i); got != int32(i) {
			t.Errorf("slot %d has position %d", i, got)
		}
	}
	if len(f.Tokens) != 22 {
		t.Errorf("%d tokens, want all 22 that were fed", len(f.Tokens))
	}
}
