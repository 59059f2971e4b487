package kv

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"scbench/kernels"
)

const testHeads, testDim = 2, 4

// token returns a key and a value that no other token of the same branch has.
func token(branch, pos int) (k, v []float32) {
	for h := range testHeads {
		for d := range testDim {
			x := float32(branch*1e6 + pos*100 + h*10 + d)
			k, v = append(k, x), append(v, -x)
		}
	}
	return k, v
}

func appendTokens(t interface{ Fatal(...any) }, l *Layer, branch, from, n int) {
	var k, v []float32
	var pos []int32
	for i := from; i < from+n; i++ {
		a, b := token(branch, i)
		k, v, pos = append(k, a...), append(v, b...), append(pos, int32(i))
	}
	if err := l.Append(k, v, pos); err != nil {
		t.Fatal(err)
	}
}

// model is what a layer must hold: per head, the branch and position of each token.
type held struct{ branch, pos int }

// TestLayerAgainstModel drives random trees of forks, appends, edits and releases against a plain list of tokens, and ends
// with no byte left.
func TestLayerAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		format := rapid.SampledFrom([]kernels.PageFormat{kernels.PageF32, kernels.PageBF16}).Draw(r, "format")
		store := NewStore(mem, format, testDim, 0)
		layers := []*Layer{NewLayer(store, testHeads, 0)}
		want := [][][]held{make([][]held, testHeads)}
		seen := []int{0}
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			i := rapid.IntRange(0, len(layers)-1).Draw(r, "layer")
			switch rapid.IntRange(0, 4).Draw(r, "what") {
			case 0, 1:
				n := rapid.IntRange(1, 90).Draw(r, "n")
				appendTokens(r, layers[i], i, seen[i], n)
				for h := range want[i] {
					for p := seen[i]; p < seen[i]+n; p++ {
						want[i][h] = append(want[i][h], held{i, p})
					}
				}
				seen[i] += n
			case 2:
				layers = append(layers, layers[i].Fork())
				var c [][]held
				for _, h := range want[i] {
					c = append(c, slices.Clone(h))
				}
				want, seen = append(want, c), append(seen, seen[i])
			case 3:
				e := Edit{Keep: make([][]int32, testHeads)}
				for h := range e.Keep {
					var left []held
					for s, x := range want[i][h] {
						if rapid.Bool().Draw(r, "keep") {
							e.Keep[h], left = append(e.Keep[h], int32(s)), append(left, x)
						}
					}
					want[i][h] = left
				}
				if err := layers[i].Apply(e); err != nil {
					r.Fatal(err)
				}
			case 4:
				if len(layers) > 1 {
					layers[i].Release()
					layers, want, seen = slices.Delete(layers, i, i+1), slices.Delete(want, i, i+1), slices.Delete(seen, i, i+1)
					// branches are named by their place, so what is left needs new names only for tokens to come
					for b := range seen {
						seen[b] += 1000
					}
				}
			}
			for b, l := range layers {
				check(r, l, want[b])
			}
		}
		for _, l := range layers {
			l.Release()
		}
		if err := store.Close(); err != nil {
			r.Fatal(err)
		}
		mem.AssertSize(t, 0)
	})
}

// equal compares numbers as the layer's format rounds them.
func equal(l *Layer, got, want []float32) bool {
	for i, x := range want {
		if l.Format() == kernels.PageBF16 {
			bits := math.Float32bits(x)
			x = math.Float32frombits((bits + 0x7fff + bits>>16&1) &^ 0xffff)
		}
		if got[i] != x {
			return false
		}
	}
	return true
}

func check(t interface{ Fatalf(string, ...any) }, l *Layer, want [][]held) {
	for h := range want {
		if l.Slots(h) != len(want[h]) {
			t.Fatalf("head %d has %d slots, want %d", h, l.Slots(h), len(want[h]))
		}
		for s, x := range want[h] {
			k, v := token(x.branch, x.pos)
			gotK, gotV := make([]float32, testDim), make([]float32, testDim)
			l.Key(gotK, h, s)
			l.Value(gotV, h, s)
			if !equal(l, gotK, k[h*testDim:(h+1)*testDim]) || !equal(l, gotV, v[h*testDim:(h+1)*testDim]) || l.Pos(h, s) != int32(x.pos) {
				t.Fatalf("head %d slot %d: key %v value %v pos %d, want those of %v", h, s, gotK, gotV, l.Pos(h, s), x)
			}
		}
	}
}

func TestForkSharesPages(t *testing.T) {
	store := NewStore(memory.NewGoAllocator(), kernels.PageF32, testDim, 0)
	l := NewLayer(store, testHeads, 0)
	appendTokens(t, l, 0, 0, 10*kernels.PageTokens+5)
	before := store.InUse()
	f := l.Fork()
	if store.InUse() != before {
		t.Errorf("a fork took %d bytes", store.InUse()-before)
	}
	appendTokens(t, f, 1, 10*kernels.PageTokens+5, 1)
	if got := store.InUse() - before; got != int64(testHeads*store.PageBytes()) {
		t.Errorf("the first token of a fork took %d bytes, want one page a head, %d", got, testHeads*store.PageBytes())
	}
	l.Release()
	if got := f.Slots(0); got != 10*kernels.PageTokens+6 {
		t.Errorf("%d slots after the parent's release", got)
	}
	check(t, f, [][]held{heldRange(10*kernels.PageTokens+5, 1), heldRange(10*kernels.PageTokens+5, 1)})
	f.Release()
	if store.InUse() != 0 {
		t.Errorf("%d bytes in use after all releases", store.InUse())
	}
}

func heldRange(n, branchAfter int) (out []held) {
	for i := range n {
		out = append(out, held{0, i})
	}
	return append(out, held{branchAfter, n})
}

func TestStoreLimit(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	store := NewStore(mem, kernels.PageF32, testDim, 2*slabBytes)
	l := NewLayer(store, testHeads, 0)
	var err error
	for i := 0; err == nil && i < 1e6; i++ {
		k, v := token(0, i)
		err = l.Append(k, v, []int32{int32(i)})
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("error %v, want ErrFull", err)
	}
	l.Release()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	mem.AssertSize(t, 0)
}

func TestOffHeap(t *testing.T) {
	var o OffHeap
	store := NewStore(&o, kernels.PageF32, testDim, 0)
	l := NewLayer(store, testHeads, 0)
	appendTokens(t, l, 0, 0, 1000)
	check(t, l, [][]held{heldRange(999, 0), heldRange(999, 0)})
	if o.Used() == 0 {
		t.Error("nothing allocated")
	}
	l.Release()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if o.Used() != 0 {
		t.Errorf("%d bytes left", o.Used())
	}
	if b := o.Reallocate(5000, append(o.Allocate(3)[:0], 1, 2, 3)); b[2] != 3 || len(b) != 5000 {
		t.Error("Reallocate lost bytes")
	}
}

func TestRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		row := int32(r.IntN(50))
		var spans []Span
		for range r.IntN(6) {
			lo := int32(r.IntN(60) - 5)
			hi := lo + int32(r.IntN(20)-2)
			if r.IntN(2) == 0 {
				spans = append(spans, Column(lo, hi))
			} else {
				spans = append(spans, Band(max(lo, 0), hi))
			}
		}
		want := make([]bool, 60)
		for _, s := range spans {
			for j := range want {
				d := row - int32(j)
				if int32(j) <= row && (!s.Diag && int32(j) >= s.Lo && int32(j) < s.Hi || s.Diag && d >= s.Lo && d < s.Hi) {
					want[j] = true
				}
			}
		}
		got := make([]bool, 60)
		last := int32(-1)
		for _, run := range Runs([]Run{{7, 8}}, spans, row)[1:] {
			if run.Lo <= last || run.Lo >= run.Hi {
				t.Fatalf("runs not ascending, disjoint and apart: %v", Runs(nil, spans, row))
			}
			for j := run.Lo; j < run.Hi; j++ {
				got[j] = true
			}
			last = run.Hi
		}
		if !slices.Equal(got, want) {
			t.Fatalf("row %d spans %v: got %v", row, spans, Runs(nil, spans, row))
		}
	}
}

func TestWindow(t *testing.T) {
	store := NewStore(memory.NewGoAllocator(), kernels.PageF32, testDim, 0)
	l := NewLayer(store, testHeads, 5)
	var all []float32
	for _, n := range []int{2, 1, 9, 3, 1} {
		q := make([]float32, n*3)
		for i := range q {
			q[i] = float32(len(all) + i)
		}
		all = append(all, q...)
		l.Remember(q, n)
		w := l.Window()
		if want := min(5, len(all)/3); w.Rows != want || !slices.Equal(w.Queries, all[len(all)-3*want:]) {
			t.Fatalf("window %d rows %v, want the last of %v", w.Rows, w.Queries, all)
		}
	}
	if w := l.Window().Last(2); w.Rows != 2 || !slices.Equal(w.Queries, all[len(all)-6:]) {
		t.Errorf("Last(2) = %v", w)
	}
}

func TestBounds(t *testing.T) {
	store := NewStore(memory.NewGoAllocator(), kernels.PageF32, testDim, 0)
	l := NewLayer(store, testHeads, 0)
	appendTokens(t, l, 0, 0, 37)
	l.SetIndex(NewBounds(16))
	f := l.Fork()
	appendTokens(t, l, 0, 37, 40)
	appendTokens(t, f, 1, 37, 100)
	for i, c := range []struct {
		l    *Layer
		full int
	}{{l, 4}, {f, 8}} {
		b := c.l.Index().(*Bounds)
		for h := range testHeads {
			if b.Full(h) != c.full {
				t.Errorf("layer %d head %d: %d full groups, want %d", i, h, b.Full(h), c.full)
			}
			for g := range b.Full(h) {
				lo, hi := b.Groups(h)
				lo, hi = lo[g*testDim:(g+1)*testDim], hi[g*testDim:(g+1)*testDim]
				for d := range testDim {
					wantLo, wantHi := float32(math.Inf(1)), float32(math.Inf(-1))
					for s := g * 16; s < g*16+16; s++ {
						key := make([]float32, testDim)
						c.l.Key(key, h, s)
						wantLo, wantHi = min(wantLo, key[d]), max(wantHi, key[d])
					}
					if lo[d] != wantLo || hi[d] != wantHi {
						t.Errorf("layer %d head %d group %d channel %d: [%g, %g], want [%g, %g]", i, h, g, d, lo[d], hi[d], wantLo, wantHi)
					}
				}
			}
		}
	}
}
