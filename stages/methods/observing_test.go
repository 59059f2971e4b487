package methods

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"scbench/kernels"
	"scbench/stages/engine"
)

// noise is a model whose keys, values and queries are random numbers that depend on layer and position alone.
type noise struct{ pool *kernels.Pool }

// Shape is that of the conformance suite.
func (noise) Shape() engine.Shape { return conformanceShape }

// Forward runs one batch.
func (n noise) Forward(ctx context.Context, batch []engine.Chunk) error {
	s := conformanceShape
	step, err := engine.Begin(ctx, s, n.pool, batch)
	if err != nil {
		return err
	}
	for l := range s.Layers {
		var k, v, q []float32
		for _, pos := range step.Pos {
			r := rand.New(rand.NewPCG(uint64(pos), uint64(l)))
			for range s.KVHeads * s.Dim {
				k, v = append(k, float32(r.NormFloat64())), append(v, float32(r.NormFloat64()))
			}
			for range s.Heads * s.Dim {
				q = append(q, float32(r.NormFloat64()))
			}
		}
		w := s.KVHeads * s.Dim
		for lo, hi := range step.Blocks() {
			if err := step.Append(l, k[lo*w:hi*w], v[lo*w:hi*w], lo, hi); err != nil {
				return err
			}
		}
		w = s.Heads * s.Dim
		step.Plan(l, func(lo, hi int) []float32 { return slices.Clone(q[lo*w : hi*w]) })
		for lo, hi := range step.Blocks() {
			step.Attend(l, make([]float32, (hi-lo)*w), q[lo*w:hi*w], lo, hi)
		}
	}
	return step.End()
}

// settle ends the first prompt of s, with a model at hand for methods that run it again.
func (c *chat) settle(s *engine.Session) {
	c.t.Helper()
	e := engine.Engine{Model: noise{c.pool}, Store: c.store, Pool: c.pool}
	if _, err := e.Settle(c.t.Context(), s); err != nil {
		c.t.Fatal(err)
	}
}

// observing has specifications of the methods that watch the whole prompt or run the model again.
var observing = []string{
	"h2o:budget=64",
	"h2o:budget=1/4,score=mean",
	"expectedattention:budget=64",
	"kvzip:budget=64,chunk=100",
	"duoattention:sinks=4,recent=32",
	"duoattention:sinks=4,recent=32,estimate=repeat",
}

// TestObservers wants what methods decide to be the same whatever passes the prompt was cut into, whether it was forked halfway, and
// how many threads there were.
func TestObservers(t *testing.T) {
	for _, spec := range observing {
		t.Run(spec, func(t *testing.T) {
			var want []float32
			for _, threads := range []int{1, 2} {
				c := newChat(t, threads)
				for _, cuts := range [][]int{{promptRows}, {1, 3, 61, 130, promptRows - 195}, {100, -1, promptRows - 100}} {
					got := c.observed(spec, cuts)
					if want == nil {
						want = got
					}
					if len(got) == 0 || len(got) >= promptRows*conformanceShape.Layers*conformanceShape.KVHeads*2*conformanceShape.Dim {
						t.Fatalf("the cache holds %d numbers", len(got))
					}
					if !slices.Equal(got, want) {
						t.Errorf("%d threads, passes of %v rows: other tokens are kept than with one pass on one thread", threads, cuts)
					}
				}
				if n := c.store.InUse(); n != 0 {
					t.Errorf("%d bytes left", n)
				}
			}
		})
	}
}

// observed feeds the prompt in passes of as many rows as cuts says, goes on in a fork at -1 while the parent hears something else, and returns
// the cache that the method leaves.
func (c *chat) observed(spec string, cuts []int) []float32 {
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
	return contents(f)
}

// TestWork wants what methods compute to decide to be counted, cell by cell and as their descriptions say, however the prompt is cut.
func TestWork(t *testing.T) {
	const n, chunk, sinks, init, local = 1000, 100, 4, 10, 50
	s := conformanceShape
	run := func(lo, hi int) (sum int64) { // lo+1 to hi
		for i := lo + 1; i <= hi; i++ {
			sum += int64(i)
		}
		return sum
	}
	repeats := func(chunk int) (cells, rows int64) {
		for lo := 0; lo < n; lo += chunk {
			m := min(chunk, n-lo)
			r := min(lo, leadTokens) + m
			seen := min(sinks, lo) + m
			cells, rows = cells+run(n, n+r)+run(seen, seen+r), rows+int64(r)
		}
		return cells, rows
	}
	dense := run(0, n)
	repeated, rows := repeats(chunk)
	once, onceRows := repeats(2048)
	for _, x := range []struct {
		spec        string
		cells, rows int64
	}{
		{"full", 0, 0},
		{"snapkv:budget=64,window=8", 0, 0},
		{"duoattention:sinks=4,recent=32", 0, 0},
		{"h2o:budget=64", dense, 0},
		{"infllm:init=10,local=50", run(0, init+local) + (n-init-local)*(init+local), 0},
		{"kvzip:budget=64,chunk=100", repeated, rows},
		{"kvzip:budget=1000", 0, 0},
		{"duoattention:sinks=4,recent=32,estimate=repeat", once, onceRows},
		{"h2o:budget=64+infllm:init=10,local=50", dense + run(0, init+local) + (n-init-local)*(init+local), 0},
	} {
		c := newChat(t, 2)
		p := c.policy(x.spec)
		for _, first := range []int{n, 333} {
			ses := engine.NewSession(s, c.store, engine.Policy{}, p, c.policy("h2o"))
			for _, rows := range []int{first, n - first} {
				if rows == 0 {
					continue
				}
				if err := (noise{c.pool}).Forward(t.Context(), []engine.Chunk{{Session: ses, Tokens: make([]int32, rows)}}); err != nil {
					t.Fatal(err)
				}
			}
			f := ses.Fork(p)
			c.settle(f)
			want := engine.Cost{Cells: x.cells * int64(s.Layers*s.Heads), Rows: x.rows}
			if got := (engine.Cost{Cells: f.Cost.Cells, DenseCells: f.Cost.DenseCells, Rows: f.Cost.Rows}); got != want {
				t.Errorf("%s, first %d rows, then the rest: it computed %+v to decide, want %+v", x.spec, first, got, want)
			}
			f.Release()
			ses.Release()
		}
	}
	if times := float64(dense+repeated) / float64(dense); times < 3 || times > 4 {
		t.Errorf("KVzip computes %.2f times the cells of the prompt, and says about 3", times)
	}
}

// TestKVzipRequest wants a chunk to be asked for with its predecessor's last tokens, in the words of the method.
func TestKVzipRequest(t *testing.T) {
	var asked []string
	e := &engine.Engine{Encode: func(text string) ([]int32, error) {
		asked = append(asked, text)
		return []int32{-int32(len(asked))}, nil
	}}
	context := []int32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	for lo, want := range map[int][]int32{0: {-1, -2}, 10: {-1, 3, 4, 5, 6, 7, 8, 9, 10, -2}} {
		asked = nil
		got, err := request(e, context, lo)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("from token %d: %v, want %v (%v)", lo, got, want, err)
		}
		if first := strings.HasSuffix(asked[0], "exactly."); first != (lo == 0) || asked[1] != "\n" {
			t.Errorf("from token %d it asks %q", lo, asked)
		}
	}
	e.Encode = func(string) ([]int32, error) { return nil, errors.New("no such word") }
	if _, err := request(e, context, 10); err == nil {
		t.Error("an error of the tokenizer is lost")
	}
	e.Encode = nil
	if got, _ := request(e, context, 10); !slices.Equal(got, context[2:10]) {
		t.Errorf("without a tokenizer: %v", got)
	}
}
