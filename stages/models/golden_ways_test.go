package models

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"scbench/kernels"
	"scbench/stages/engine"
)

// fed is a conversation with all that its tokens have left behind.
type fed struct {
	*engine.Session
	logits []float32         // of all rows
	hidden map[int][]float32 // by layer
}

// chunk makes tokens the next of the conversation; what they make is appended to what there is.
func (f *fed) chunk(vocab int, ids []int32) engine.Chunk {
	at := len(f.logits)
	f.logits = append(f.logits, make([]float32, len(ids)*vocab)...)
	return engine.Chunk{Session: f.Session, Tokens: ids, Logits: f.logits[at:], Hidden: func(l int, x []float32) {
		f.hidden[l] = append(f.hidden[l], x...)
	}}
}

// fork is a branch that has seen the same.
func (f *fed) fork() *fed {
	b := &fed{Session: f.Fork(engine.Policy{}), logits: slices.Clone(f.logits), hidden: map[int][]float32{}}
	for l, x := range f.hidden {
		b.hidden[l] = slices.Clone(x)
	}
	return b
}

// cache is all keys and values, and what recurrent layers remember.
func (f *fed) cache() []float32 {
	var out []float32
	for _, l := range f.Layers {
		row := make([]float32, l.Dim())
		for h := range l.Heads() {
			for i := range l.Slots(h) {
				l.Key(row, h, i)
				out = append(out, row...)
				l.Value(row, h, i)
				out = append(out, row...)
			}
		}
	}
	return append(out, f.State()...)
}

// A way is how a prompt gets into a conversation. open is an empty one whose RoPE is that of the whole prompt.
type way struct {
	name string
	feed func(ids []int32, open func() *fed, forward func(batch ...engine.Chunk)) *fed
}

// ways is prompts in one pass, in chunks of odd sizes, through forks whose other branch goes elsewhere, and in a ragged batch with
// conversations that begin, go on, or decode.
func (g goldenModel) ways() []way {
	v := g.Shape().Vocab
	list := []way{{"one pass", func(ids []int32, open func() *fed, forward func(...engine.Chunk)) *fed {
		f := open()
		forward(f.chunk(v, ids))
		return f
	}}}
	for _, size := range []int{1, 7, 13, 65} {
		list = append(list, way{fmt.Sprintf("chunks of %d", size), func(ids []int32, open func() *fed, forward func(...engine.Chunk)) *fed {
			f := open()
			for part := range slices.Chunk(ids, size) {
				forward(f.chunk(v, part))
			}
			return f
		}})
	}
	for _, share := range []float64{0.1, 0.5, 0.9} {
		list = append(list, way{fmt.Sprintf("fork after %g", share), func(ids []int32, open func() *fed, forward func(...engine.Chunk)) *fed {
			root, cut := open(), max(int(share*float64(len(ids))), 1)
			forward(root.chunk(v, ids[:cut]))
			other, branch := root.fork(), root.fork()
			forward(other.chunk(v, ids[:max(cut/2, 1)]))
			root.Release()
			if cut < len(ids) {
				forward(branch.chunk(v, ids[cut:]))
			}
			forward(other.chunk(v, ids[:1]))
			other.Release()
			return branch
		}})
	}
	return append(list, way{"ragged batch", func(ids []int32, open func() *fed, forward func(...engine.Chunk)) *fed {
		f, begins, decodes := open(), open(), open()
		half := len(ids) / 2
		forward(decodes.chunk(v, ids[:1]))
		goes := decodes.fork()
		if half > 0 {
			forward(goes.chunk(v, ids[:half]), decodes.chunk(v, ids[half:half+1]), f.chunk(v, ids[:half]))
		}
		forward(decodes.chunk(v, ids[:1]), begins.chunk(v, ids[len(ids)/3:]), f.chunk(v, ids[half:]), goes.chunk(v, ids[half:]))
		for _, x := range []*fed{begins, decodes, goes} {
			x.Release()
		}
		return f
	}})
}

// same runs a prompt in all ways and wants of each the bits of the first: logits and hidden states of all rows, keys and values, and
// recurrent state. It returns the logits. then, if not nil, is shown each conversation.
func (g goldenModel) same(t *testing.T, ids []int32, then func(name string, f *fed)) []float32 {
	t.Helper()
	forward := func(batch ...engine.Chunk) {
		if err := g.Forward(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *fed {
		f := &fed{Session: g.open(), hidden: map[int][]float32{}}
		f.RopeLength = len(ids)
		return f
	}
	var first *fed
	var cache []float32
	for _, w := range g.ways() {
		f := w.feed(ids, open, forward)
		if first == nil {
			first, cache = f, f.cache()
			if len(f.hidden) != g.Config.Layers+2 || len(cache) == 0 {
				t.Errorf("%d hidden states of %d layers, %d numbers in the cache", len(f.hidden), g.Config.Layers, len(cache))
			}
		}
		if !slices.Equal(f.logits, first.logits) {
			t.Errorf("%d tokens, %s: other logits than in one pass", len(ids), w.name)
		}
		if !maps.EqualFunc(f.hidden, first.hidden, slices.Equal[[]float32]) {
			t.Errorf("%d tokens, %s: other hidden states than in one pass", len(ids), w.name)
		}
		if !slices.Equal(f.cache(), cache) {
			t.Errorf("%d tokens, %s: other keys, values or states than in one pass", len(ids), w.name)
		}
		if then != nil {
			then(w.name, f)
		}
		f.Release()
	}
	return first.logits
}

// greedyWays decodes the golden prompt after every way of feeding it.
func (g goldenModel) greedyWays(t *testing.T) {
	want, v := g.ids(t, "greedy.tokens"), g.Shape().Vocab
	e := &engine.Engine{Model: g.Model, Store: g.store}
	g.same(t, g.ids(t, "greedy.prompt"), func(name string, f *fed) {
		a := &engine.Answer{Session: f.Session, Logits: slices.Clone(f.logits[len(f.logits)-v:]), Max: len(want)}
		if err := e.Decode(context.Background(), []*engine.Answer{a}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a.Tokens, want) {
			t.Errorf("%s: greedy tokens %v, want %v", name, a.Tokens, want)
		}
	})
}

// TestGoldenPlain runs the kernels without vector instructions, which all processors have, on one model of each kind.
func TestGoldenPlain(t *testing.T) {
	tier := kernels.Tier()
	if tier == "go" {
		t.Skip("all tests are of these kernels")
	}
	if err := kernels.Select("go"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := kernels.Select(tier); err != nil {
			t.Fatal(err)
		}
	}()
	for _, name := range []string{"llama-gqa", "gemma2", "mamba2-codestral", "jamba-bf16"} {
		dir := golden(t, "models/"+name)
		pool := kernels.NewPool(2)
		defer pool.Close()
		l, err := Load(goldenCheckpoint(t, dir), pool, Choice{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		g := newGolden(t, l, dir)
		got := g.same(t, g.ids(t, "input_ids.64"), nil)
		compare(t, name+", logits.64", got, g.floats(t, "logits.64"), tolerance(name, 64))
		g.close(t)
	}
}
