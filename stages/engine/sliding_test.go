package engine

import (
	"math/rand/v2"
	"slices"
	"testing"

	"scbench/kernels"
	"scbench/stages/kv"
)

// sliding gives the shape of the tests a window and a soft bound until the test ends.
func sliding(t *testing.T, window int) {
	before := testShape
	t.Cleanup(func() { testShape = before })
	testShape.Sliding, testShape.Softcap = []int{window}, 1.25
}

// TestSliding holds rows with a window against the definition, alone, in parts, and under a plan and a Load, and counts cells.
func TestSliding(t *testing.T) {
	const n, window = 300, 70
	sliding(t, window)
	inside := func(i, j int) bool { return i-j < window }
	var want []float32
	for _, size := range []int{n, 1, 50, 64} {
		f := fill(t, rand.New(rand.NewPCG(9, 9)), Policy{}, n)
		var got []float32
		for lo := 0; lo < n; lo += size {
			got = append(got, f.pass(t, nil, lo, min(n, lo+size))...)
		}
		f.check(t, "dense", got, 0, func(i, _, j int) bool { return inside(i, j) })
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("passes of %d tokens: other bits", size)
		}
		cells := int64(testShape.Heads) * (window*(window+1)/2 + (n-window)*window)
		if c := f.session.Cost; c.Cells != cells || c.DenseCells != cells || c.Stored != cells {
			t.Errorf("%d cells of %d, %d stored; want %d of each", c.Cells, c.DenseCells, c.Stored, cells)
		}
	}

	// The first half of what a plan reads has left the window in the end; then a row reads its own token.
	early := func(dst []kv.Span, _, _ int32) []kv.Span { return append(dst, kv.Column(0, 60)) }
	f := fill(t, rand.New(rand.NewPCG(9, 9)), Policy{Generate: func(int, Tile) Plan { return Plan{Heads: []Pattern{early}} }}, n)
	f.check(t, "plan", f.pass(t, nil, 0, n), 0, func(i, _, j int) bool {
		return j < 60 && inside(i, j) || j == i && i-window >= 59
	})

	third := Policy{Load: func(_ int, _ *kv.Layer, q Query, dst [][]kv.Span) int64 {
		for m := range dst {
			for j := m; j < q.Slots; j += 3 {
				dst[m] = append(dst[m], kv.Column(int32(j), int32(j+1)))
			}
		}
		return 0
	}}
	f = fill(t, rand.New(rand.NewPCG(9, 9)), third, n)
	f.pass(t, nil, 0, 150)
	if err := f.session.Settle(nil); err != nil {
		t.Fatal(err)
	}
	f.check(t, "load", f.pass(t, kernels.NewPool(2), 150, n), 150, func(i, h, j int) bool { return inside(i, j) && j%3 == h%3 })
}

// TestSlidingPositions drops tokens: what rows read goes by positions, not by slots.
func TestSlidingPositions(t *testing.T) {
	const n, window = 200, 40
	sliding(t, window)
	p := Policy{Compress: func(_ int, l *kv.Layer, _ kv.Window) kv.Edit {
		e := kv.Edit{Keep: make([][]int32, l.Heads())}
		for h := range e.Keep {
			for s := h; s < l.Slots(h); s += 3 + h {
				e.Keep[h] = append(e.Keep[h], int32(s))
			}
		}
		return e
	}}
	f := fill(t, rand.New(rand.NewPCG(4, 4)), p, n)
	f.pass(t, nil, 0, 150)
	if err := f.session.Settle(nil); err != nil {
		t.Fatal(err)
	}
	got := f.pass(t, nil, 150, n)
	f.check(t, "compressed", got, 150, func(i, h, j int) bool {
		k := h / testShape.Group()
		return i-j < window && (j >= 150 || j%(3+k) == k)
	})
}
