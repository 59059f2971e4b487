package engine

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/kv"
)

var testShape = Shape{Layers: 1, Heads: 6, KVHeads: 2, Dim: 8, Hidden: 4, Vocab: 10}

// filled is a session with n tokens of random keys and values, and the queries of the last rows of them.
type filled struct {
	session *Session
	store   *kv.Store
	q, k, v []float32
	n       int
	err     error // of the last pass
}

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func fill(t *testing.T, r *rand.Rand, p Policy, n int) *filled {
	f := &filled{store: kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, testShape.Dim, 0), n: n}
	f.session = NewSession(testShape, f.store, p)
	f.q, f.k, f.v = random(r, n*testShape.Heads*testShape.Dim), random(r, n*testShape.KVHeads*testShape.Dim), random(r, n*testShape.KVHeads*testShape.Dim)
	t.Cleanup(func() {
		f.session.Release()
		if err := f.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// pass feeds the tokens [lo, hi) and returns their outputs.
func (f *filled) pass(t *testing.T, pool *kernels.Pool, lo, hi int) []float32 {
	t.Helper()
	step, err := Begin(context.Background(), testShape, pool, []Chunk{{Session: f.session, Tokens: make([]int32, hi-lo)}})
	if err != nil {
		t.Fatal(err)
	}
	kw, qw := testShape.KVHeads*testShape.Dim, testShape.Heads*testShape.Dim
	if err := step.Append(0, f.k[lo*kw:hi*kw], f.v[lo*kw:hi*kw], 0, hi-lo); err != nil {
		t.Fatal(err)
	}
	step.Plan(0, func(a, b int) []float32 { return f.q[(lo+a)*qw : (lo+b)*qw] })
	out := make([]float32, (hi-lo)*qw)
	for a, b := range step.Blocks() {
		step.Attend(0, out[a*qw:b*qw], f.q[(lo+a)*qw:(lo+b)*qw], a, b)
	}
	f.err = step.End()
	return out
}

// oracle is attention in float64 of row i and head h over the keys that visible allows.
func (f *filled) oracle(i, h int, visible func(j int) bool) []float64 {
	d, g := testShape.Dim, testShape.Group()
	q := f.q[(i*testShape.Heads+h)*d:]
	var weights []float64
	var keys []int
	var sum float64
	for j := 0; j <= i; j++ {
		if !visible(j) {
			continue
		}
		var s float64
		for c := range d {
			s += float64(q[c]) * float64(f.k[(j*testShape.KVHeads+h/g)*d+c])
		}
		s /= math.Sqrt(float64(d))
		if c := float64(testShape.Softcap); c > 0 {
			s = c * math.Tanh(s/c)
		}
		w := math.Exp(s)
		weights, keys, sum = append(weights, w), append(keys, j), sum+w
	}
	out := make([]float64, d)
	for x, j := range keys {
		for c := range d {
			out[c] += weights[x] / sum * float64(f.v[(j*testShape.KVHeads+h/g)*d+c])
		}
	}
	return out
}

func (f *filled) check(t *testing.T, what string, got []float32, lo int, visible func(i, h, j int) bool) {
	t.Helper()
	d := testShape.Dim
	for r := range len(got) / (testShape.Heads * d) {
		for h := range testShape.Heads {
			want := f.oracle(lo+r, h, func(j int) bool { return visible(lo+r, h, j) })
			for c := range d {
				if x := float64(got[(r*testShape.Heads+h)*d+c]); math.Abs(x-want[c]) > 1e-5 {
					t.Fatalf("%s: row %d head %d channel %d is %g, want %g", what, lo+r, h, c, x, want[c])
				}
			}
		}
	}
}

// TestPlans draws random patterns for each head and compares with the definition, and counts cells.
func TestPlans(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 1 + r.IntN(300)
		spans := make([][]kv.Span, testShape.Heads)
		for h := range spans {
			spans[h] = append(spans[h], kv.Band(0, 1))
			for range r.IntN(4) {
				lo := int32(r.IntN(n + 1))
				if r.IntN(2) == 0 {
					spans[h] = append(spans[h], kv.Column(lo, lo+int32(r.IntN(40))))
				} else {
					spans[h] = append(spans[h], kv.Band(lo, lo+int32(r.IntN(40))))
				}
			}
		}
		cut := int32(r.IntN(n + 1))
		plan := Plan{Cuts: []int32{cut, cut}, Heads: make([]Pattern, testShape.Heads)}
		for h := range plan.Heads {
			if h == 3 {
				continue // dense
			}
			plan.Heads[h] = func(dst []kv.Span, lo, hi int32) []kv.Span {
				if lo < cut && hi > cut {
					t.Errorf("pattern asked for rows [%d, %d) on both sides of the cut at %d", lo, hi, cut)
				}
				if lo >= cut {
					return append(dst, kv.Column(0, math.MaxInt32))
				}
				return append(dst, spans[h]...)
			}
		}
		f := fill(t, r, Policy{Generate: func(int, Tile) Plan { return plan }}, n)
		out := f.pass(t, nil, 0, n)
		var cells int64
		visible := func(i, h, j int) bool {
			if h == 3 || i >= int(cut) {
				return true
			}
			for _, s := range spans[h] {
				if d := int32(i - j); !s.Diag && int32(j) >= s.Lo && int32(j) < s.Hi || s.Diag && d >= s.Lo && d < s.Hi {
					return true
				}
			}
			return false
		}
		f.check(t, "plan", out, 0, visible)
		for i := range n {
			for h := range testShape.Heads {
				for j := 0; j <= i; j++ {
					if visible(i, h, j) {
						cells++
					}
				}
			}
		}
		if f.session.Cost.Cells != cells {
			t.Errorf("counted %d cells, want %d", f.session.Cost.Cells, cells)
		}
		if want := int64(n) * int64(n+1) / 2 * int64(testShape.Heads); f.session.Cost.DenseCells != want {
			t.Errorf("counted %d dense cells, want %d", f.session.Cost.DenseCells, want)
		}
	}
}

// TestLoad lets every row and head read slots of its own, and checks the numbers, the cells and the bytes.
func TestLoad(t *testing.T) {
	reads := func(member, kvHead, slots, j int) bool { return (j*7+member*3+kvHead+slots)%5 != 0 || j == slots-1 }
	p := Policy{Load: func(_ int, l *kv.Layer, q Query, dst [][]kv.Span) int64 {
		for m := range dst {
			for j := range q.Slots + 10 { // slots after the query are refused by the engine
				if reads(m, q.KVHead, q.Slots, j) {
					dst[m] = append(dst[m], kv.Column(int32(j), int32(j+1)))
				}
			}
		}
		return 3
	}}
	r := rand.New(rand.NewPCG(5, 5))
	f := fill(t, r, p, 200)
	first := f.pass(t, nil, 0, 150)
	f.check(t, "first prompt", first, 0, func(_, _, _ int) bool { return true })
	if err := f.session.Settle(nil); err != nil {
		t.Fatal(err)
	}
	f.session.Cost = Cost{}
	g := testShape.Group()
	visible := func(i, h, j int) bool { return reads(h%g, h/g, i+1, j) }
	f.check(t, "after it", f.pass(t, kernels.NewPool(2), 150, 200), 150, visible)
	var cells, slots int64
	for i := 150; i < 200; i++ {
		for j := 0; j <= i; j++ {
			for h := range testShape.Heads {
				if visible(i, h, j) {
					cells++
				}
			}
			for k := range testShape.KVHeads {
				if visible(i, k*g, j) || visible(i, k*g+1, j) || visible(i, k*g+2, j) {
					slots++
				}
			}
		}
	}
	if f.session.Cost.Cells != cells || f.session.Cost.ReadBytes != slots*f.store.TokenBytes()+50*2*3 {
		t.Errorf("counted %d cells and %d bytes, want %d and %d", f.session.Cost.Cells, f.session.Cost.ReadBytes, cells, slots*f.store.TokenBytes())
	}
}

// TestPassesAgree feeds the same tokens in one pass, in many, and by 1, 2 and 8 threads: same bits.
func TestPassesAgree(t *testing.T) {
	const n = 333
	var want []float32
	for _, threads := range []int{1, 2, 8} {
		for _, size := range []int{n, 1, 50, 64} {
			pool := kernels.NewPool(threads)
			f := fill(t, rand.New(rand.NewPCG(9, 9)), Policy{}, n)
			var got []float32
			for lo := 0; lo < n; lo += size {
				got = append(got, f.pass(t, pool, lo, min(n, lo+size))...)
			}
			pool.Close()
			if want == nil {
				f.check(t, "dense", got, 0, func(_, _, _ int) bool { return true })
				want = got
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d threads, passes of %d tokens: other bits", threads, size)
			}
		}
	}
}

// TestCompressedReads keeps every third token and checks that later rows read those and what follows.
func TestCompressedReads(t *testing.T) {
	p := Policy{Window: 4, Compress: func(_ int, l *kv.Layer, w kv.Window) kv.Edit {
		if w.Rows != 4 {
			t.Errorf("window of %d rows, want 4", w.Rows)
		}
		e := kv.Edit{Keep: make([][]int32, l.Heads())}
		for h := range e.Keep {
			for s := h; s < l.Slots(h); s += 3 {
				e.Keep[h] = append(e.Keep[h], int32(s))
			}
		}
		return e
	}}
	f := fill(t, rand.New(rand.NewPCG(4, 4)), p, 180)
	f.pass(t, nil, 0, 150)
	branch := f.session.Fork(p)
	if err := branch.Settle(nil); err != nil {
		t.Fatal(err)
	}
	least, mean, most := branch.Kept()
	if least != 50 || most != 50 || mean != 50 {
		t.Errorf("kept %d, %g, %d tokens, want 50", least, mean, most)
	}
	logical, resident, _ := branch.Bytes()
	if logical != 3*resident {
		t.Errorf("logical %d bytes, resident %d", logical, resident)
	}
	whole := f.session
	f.session = branch
	f.check(t, "compressed", f.pass(t, nil, 150, 180), 150, func(_, h, j int) bool {
		return j >= 150 || j%3 == h/testShape.Group()
	})
	branch.Release()
	f.session = whole
	f.check(t, "the parent", f.pass(t, nil, 150, 180), 150, func(_, _, _ int) bool { return true })
}

// TestNothingToRead wants a row that its method leaves no key to end the pass with an error that says which.
func TestNothingToRead(t *testing.T) {
	plan := Plan{Heads: []Pattern{func(dst []kv.Span, _, _ int32) []kv.Span { return append(dst, kv.Band(5, 9)) }}}
	f := fill(t, rand.New(rand.NewPCG(3, 3)), Policy{Name: "blind", Generate: func(int, Tile) Plan { return plan }}, 20)
	f.pass(t, nil, 0, 20)
	if f.err == nil || !strings.Contains(f.err.Error(), "method blind leaves query head") {
		t.Errorf("error %v", f.err)
	}
}

// TestMisuse wants what would silently corrupt a cache to panic.
func TestMisuse(t *testing.T) {
	f := fill(t, rand.New(rand.NewPCG(3, 3)), Policy{Window: 3, Name: "observer"}, 20)
	for name, misuse := range map[string]func(){
		"same session twice": func() {
			_, _ = Begin(context.Background(), testShape, nil, []Chunk{{Session: f.session, Tokens: []int32{1}}, {Session: f.session, Tokens: []int32{2}}})
		},
		"logits of rows that are not there": func() {
			_, _ = Begin(context.Background(), testShape, nil, []Chunk{{Session: f.session, Tokens: []int32{1}, Logits: make([]float32, 2*testShape.Vocab)}})
		},
		"no tokens": func() { _, _ = Begin(context.Background(), testShape, nil, []Chunk{{Session: f.session}}) },
		"a window that was not remembered": func() {
			s := NewSession(testShape, f.store, f.session.Policy)
			defer s.Release()
			s.Tokens = make([]int32, 9)
			_ = s.Settle(nil)
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			misuse()
		}()
	}
}

// numb is a model whose logits are no numbers.
type numb struct{ Model }

func (numb) Forward(_ context.Context, batch []Chunk) error {
	for _, c := range batch {
		for i := range c.Logits {
			c.Logits[i] = float32(math.NaN())
		}
	}
	return nil
}

func TestNaNLogits(t *testing.T) {
	e := &Engine{Model: numb{}}
	err := e.Decode(context.Background(), []*Answer{{Max: 3, Logits: []float32{float32(math.NaN()), float32(math.NaN())}}})
	if err == nil || !strings.Contains(err.Error(), "not numbers") {
		t.Errorf("error %v", err)
	}
}
