package kv

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
)

const editDim = 32

// filledLayer is a layer of two heads with n random tokens, and their numbers [n, heads, dim].
func filledLayer(t *testing.T, s *Store, n int) (l *Layer, k, v []float32) {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	l = NewLayer(s, 2, 0)
	var pos []int32
	for i := range n {
		pos = append(pos, int32(i))
	}
	for range n * 2 * editDim {
		k, v = append(k, float32(r.NormFloat64())), append(v, float32(r.NormFloat64()))
	}
	if err := l.Append(k, v, pos); err != nil {
		t.Fatal(err)
	}
	return l, k, v
}

// TestQuantise wants full pages but the residual's to be quantised, numbers to stay within half a step, appended tokens to be exact, and
// memory to fall and come back.
func TestQuantise(t *testing.T) {
	const n, residual = 5*kernels.PageTokens + 10, 20 // the residual reaches into page 4
	for _, format := range []kernels.PageFormat{kernels.PageF32, kernels.PageBF16} {
		store := NewStore(memory.NewGoAllocator(), format, editDim, 0)
		l, k, _ := filledLayer(t, store, n)
		parent := l.Fork()
		full := l.Bytes()
		if err := l.Apply(Edit{Quantise: kernels.PageQ4, Residual: residual}); err != nil {
			t.Fatal(err)
		}
		for h := range 2 {
			for i := range 6 {
				want := kernels.PageQ4
				if i >= 4 {
					want = format
				}
				if got := l.Page(h, i).Format; got != want {
					t.Errorf("page %d of head %d is %v, want %v", i, h, got, want)
				}
			}
		}
		want := 2 * (4*int64(kernels.PageBytes(kernels.PageQ4, editDim)) + int64(n-4*kernels.PageTokens)*store.TokenBytes())
		if got := l.Bytes(); got != want || got >= full {
			t.Errorf("%v: %d bytes after quantising, want %d; before %d", format, got, want, full)
		}
		got := make([]float32, editDim)
		for s := range n {
			l.Key(got, 1, s)
			for c, x := range got {
				exact, limit := k[(s*2+1)*editDim+c], 0.25 // a step is less than 8/15, as random numbers go
				if s >= 4*kernels.PageTokens && format == kernels.PageF32 {
					limit = 0
				}
				if math.Abs(float64(x-exact)) > limit+0.02 || limit == 0 && x != exact {
					t.Fatalf("%v: number %d of key %d is %v, was %v", format, c, s, x, exact)
				}
			}
			if l.Pos(1, s) != int32(s) {
				t.Fatalf("slot %d has position %d", s, l.Pos(1, s))
			}
		}
		f := l.Fork()
		one := make([]float32, 2*editDim)
		if err := f.Append(one, one, []int32{n}); err != nil {
			t.Fatal(err)
		}
		if f.Slots(0) != n+1 || l.Slots(0) != n {
			t.Errorf("%d slots in the branch and %d in its parent", f.Slots(0), l.Slots(0))
		}
		for _, x := range []*Layer{f, l, parent} {
			x.Release()
		}
		if store.InUse() != 0 {
			t.Errorf("%d bytes left", store.InUse())
		}
	}
}

// TestQuantiseRefused wants a page with an infinity, and those after it, to stay as they are.
func TestQuantiseRefused(t *testing.T) {
	store := NewStore(memory.NewGoAllocator(), kernels.PageF32, editDim, 0)
	l := NewLayer(store, 1, 0)
	x, pos := make([]float32, 3*kernels.PageTokens*editDim), make([]int32, 3*kernels.PageTokens)
	x[kernels.PageTokens*editDim+7] = float32(math.Inf(1))
	if err := l.Append(x, x, pos); err != nil {
		t.Fatal(err)
	}
	if err := l.Apply(Edit{Quantise: kernels.PageQ2}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []kernels.PageFormat{kernels.PageQ2, kernels.PageF32, kernels.PageF32} {
		if got := l.Page(0, i).Format; got != want {
			t.Errorf("page %d is %v, want %v", i, got, want)
		}
	}
	l.Release()
	if store.InUse() != 0 {
		t.Errorf("%d bytes left", store.InUse())
	}
}

// TestRenumber wants kept tokens at positions 0, 1, 2 and their keys turned from where they were.
func TestRenumber(t *testing.T) {
	store := NewStore(memory.NewGoAllocator(), kernels.PageF32, editDim, 0)
	l, k, _ := filledLayer(t, store, 100)
	defer l.Release()
	keep := [][]int32{{0, 3, 50, 99}, {1, 2, 3, 4}}
	err := l.Apply(Edit{Keep: keep, Renumber: true, Rotate: func(x []float32, from, to int32) { x[0] = float32(100*from + to) }})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, editDim)
	for h, slots := range keep {
		for i, s := range slots {
			l.Key(got, h, i)
			if l.Pos(h, i) != int32(i) || got[0] != float32(100*s+int32(i)) || got[1] != k[(int(s)*2+h)*editDim+1] {
				t.Errorf("slot %d of head %d: position %d, key %v; it was token %d", i, h, l.Pos(h, i), got[:2], s)
			}
		}
	}
}

// TestApplyFull wants an edit for which there is no room to leave the layer as it was.
func TestApplyFull(t *testing.T) {
	page := NewStore(nil, kernels.PageF32, editDim, 0).PageBytes()
	per := (slabBytes + page - 1) / page
	store := NewStore(memory.NewGoAllocator(), kernels.PageF32, editDim, int64(per*page)) // one slab
	l, k, _ := filledLayer(t, store, (per/2-1)*kernels.PageTokens)
	err := l.Apply(Edit{Quantise: kernels.PageQ8})
	if !errors.Is(err, ErrFull) {
		t.Fatalf("error %v, want %v", err, ErrFull)
	}
	got := make([]float32, editDim)
	if l.Key(got, 0, 0); l.Page(0, 0).Format != kernels.PageF32 || got[5] != k[5] {
		t.Error("the layer changed")
	}
	l.Release()
	if store.InUse() != 0 {
		t.Errorf("%d bytes left", store.InUse())
	}
}

// TestAlter wants keys to be changed by the slots that they were in, whatever is dropped, and values and the parent to stay as they were.
func TestAlter(t *testing.T) {
	store := NewStore(memory.NewGoAllocator(), kernels.PageF32, editDim, 0)
	l, k, v := filledLayer(t, store, 2*kernels.PageTokens+3)
	parent := l.Fork()
	keep := []int32{0, 3, 64, 65, 130}
	err := l.Apply(Edit{Keep: [][]int32{keep, keep}, Alter: func(k []float32, h, s int) {
		if s != 64 {
			k[h] = float32(s)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, editDim)
	for h := range 2 {
		for i, s := range keep {
			at := (int(s)*2 + h) * editDim
			l.Value(x, h, i)
			if x[0] != v[at] || x[1] != v[at+1] {
				t.Errorf("head %d, slot %d: the value changed", h, s)
			}
			l.Key(x, h, i)
			want := float32(s)
			if s == 64 {
				want = k[at+h]
			}
			if x[h] != want || x[2] != k[at+2] {
				t.Errorf("head %d, slot %d: key %v, want %g in channel %d and the others as they were", h, s, x[:3], want, h)
			}
			if parent.Key(x, h, int(s)); x[h] != k[at+h] {
				t.Errorf("head %d, slot %d: the parent's key changed", h, s)
			}
		}
	}
	l.Release()
	parent.Release()
	if store.InUse() != 0 {
		t.Errorf("%d bytes left", store.InUse())
	}
}
