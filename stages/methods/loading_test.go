package methods

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"scbench/stages/engine"
	"scbench/stages/kv"
)

// loading has specifications of the methods that make an index of the prompt.
var loading = []string{
	"retrievalattention:sinks=4,window=32,topk=20,beam=20,sample=50",
	"infllm:block=16,init=4,local=64,topk=3,repr=2",
	"infllm:block=16,init=100,local=20,topk=1",
	"shadowkv:budget=32,outliers=2",
}

// TestIndexes wants an index to be the same whatever passes the prompt was cut into, whether it was forked halfway, and how many threads
// there were; and to be counted.
func TestIndexes(t *testing.T) {
	for _, spec := range loading {
		t.Run(spec, func(t *testing.T) {
			var want []kv.Index
			for _, threads := range []int{1, 2} {
				c := newChat(t, threads)
				for _, cuts := range [][]int{{promptRows}, {1, 3, 61, 130, promptRows - 195}, {100, -1, promptRows - 100}} {
					got := c.indexes(spec, cuts)
					if want == nil {
						want = got
					}
					if !reflect.DeepEqual(got, want) {
						t.Errorf("%d threads, passes of %v rows: another index than with one pass on one thread", threads, cuts)
					}
				}
			}
			for l, x := range want {
				if x.Bytes() <= 0 {
					t.Errorf("layer %d: an index of %d bytes", l, x.Bytes())
				}
			}
		})
	}
}

// indexes feeds the prompt in passes of as many rows as cuts says, goes on in a fork at -1 while the parent hears something else, and returns
// the index of every layer.
func (c *chat) indexes(spec string, cuts []int) (out []kv.Index) {
	c.t.Helper()
	p, m := c.policy(spec), noise{c.pool}
	feed := func(s *engine.Session, rows int) {
		if err := m.Forward(c.t.Context(), []engine.Chunk{{Session: s, Tokens: make([]int32, rows)}}); err != nil {
			c.t.Fatal(err)
		}
	}
	s := engine.NewSession(conformanceShape, c.store, engine.Policy{}, p)
	for _, rows := range cuts {
		if rows < 0 {
			f := s.Fork(p)
			feed(s, 7)
			s.Release()
			s = f
			continue
		}
		feed(s, rows)
	}
	f := s.Fork(p)
	s.Release()
	defer f.Release()
	c.settle(f)
	for _, l := range f.Layers {
		out = append(out, l.Index())
	}
	return out
}

// TestLoadingAfterEdits wants loading methods to work on what a compression method leaves, with what they observed before.
func TestLoadingAfterEdits(t *testing.T) {
	for _, first := range []string{"snapkv:budget=200", "streamingllm:init=4,local=200,positions=cache", "adakv:budget=150", "kivi:bits=4"} {
		for _, spec := range loading {
			t.Run(first+"+"+spec, func(t *testing.T) {
				c := newChat(t, 2)
				alone, _, less := c.converse(first)
				both, _, least := c.converse(first + "+" + spec)
				if slices.Equal(alone, both) || least.Cells >= less.Cells {
					t.Errorf("%d cells after the prompt, %d without loading", least.Cells, less.Cells)
				}
				if n := c.store.InUse(); n != 0 {
					t.Errorf("%d bytes left", n)
				}
			})
		}
	}
}

// TestLoadingReads wants every row to read its own token, the first and the latest tokens, and no more than the budget of others.
func TestLoadingReads(t *testing.T) {
	for _, c := range []struct {
		spec               string
		first, last, count int // first tokens, tokens up to the row's own, and tokens in all that a row right after the prompt reads
	}{
		{"retrievalattention:sinks=4,window=32,topk=20,beam=20", 4, 33, 4 + 33 + 20},
		{"retrievalattention:sinks=4,window=32,topk=20,later=indexed", 4, 32, 4 + 32 + 20},
		{"retrievalattention:sinks=4,window=32,topk=20,index=flat", 4, 33, 4 + 33 + 20},
		{"infllm:block=16,init=4,local=64,topk=3,repr=2", 4, 65 + (promptRows-4-64)%16, 4 + 65 + (promptRows-4-64)%16 + 3*16},
		{"shadowkv:budget=32,outliers=2,chunk=8", 0, 33 + promptRows%8, 33 + promptRows%8 + 2*8 + 32},
	} {
		t.Run(c.spec, func(t *testing.T) {
			chat := newChat(t, 1)
			p := chat.policy(c.spec)
			load := p.Load
			p.Load = func(layer int, l *kv.Layer, q engine.Query, dst [][]kv.Span) int64 {
				n := load(layer, l, q, dst)
				for m := range dst {
					runs := kv.Runs(nil, dst[m], int32(q.Slots-1))
					sum := 0
					for _, r := range runs {
						sum += int(r.Hi - r.Lo)
					}
					if end := runs[len(runs)-1]; sum != c.count || int(end.Hi) != q.Slots || int(end.Hi-end.Lo) < c.last || c.first > 0 && (runs[0].Lo != 0 || int(runs[0].Hi) < c.first) {
						t.Error(fmt.Sprintf("%d tokens in %v, want %d", sum, runs, c.count))
					}
				}
				if n <= 0 {
					t.Errorf("%d bytes examined", n)
				}
				return n
			}
			s := engine.NewSession(conformanceShape, chat.store, p)
			defer s.Release()
			chat.say(s, promptRows, 1)
			chat.settle(s)
			chat.say(s, 1, 2)
		})
	}
}
