package methods

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"scbench/datasets"
	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/models"
	"scbench/stages/tokenizers"
)

// found is what graphs found of what exact search finds, over all layers and heads, and what they looked at.
type found struct {
	mu                    sync.Mutex
	common, want          int
	mass                  float64 // sum over queries of the attention, among what exact search finds, of what was found
	looked, keys, queries int
	layers                map[int]*found
	seconds               float64 // to build all graphs
}

func (f *found) recall() float64 { return float64(f.common) / float64(f.want) }

func (f *found) scanned() float64 { return float64(f.looked) / float64(f.keys) }

// referenceTokenizer is that of the embedded model.
func referenceTokenizer(t testing.TB) tokenizers.Tokenizer {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, models.Reference()); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizers.Load(filepath.Clean(dir))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// retrieved lets the embedded model answer questions about a key-value object of some tokens with full attention, and searches with each query
// of its answers, in the graph and exactly.
func retrieved(t testing.TB, tokens, questions, beam int) *found {
	t.Helper()
	tok := referenceTokenizer(t)
	encode := func(text string, special bool) []int32 {
		ids, err := tok.Encode(text, special)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	size := datasets.Size{Tokens: tokens, Turns: questions, Count: func(s string) int { return len(encode(s, false)) }}
	example, err := datasets.KV.Mini(rand.New(rand.NewPCG(1, 2)), size)
	if err != nil {
		t.Fatal(err)
	}
	pool := kernels.NewPool(0)
	t.Cleanup(pool.Close)
	m, err := models.LoadReference(pool, models.Choice{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	e := engine.Engine{Model: m, Store: kv.NewStore(&kv.OffHeap{}, m.PageFormat(), m.Shape().Dim, 0), Pool: pool}
	p, err := Parse(fmt.Sprintf("retrievalattention:beam=%d", beam), m.Shape())
	if err != nil {
		t.Fatal(err)
	}
	f := &found{layers: map[int]*found{}}
	answering := false
	load := p.Load
	p.Load = func(layer int, l *kv.Layer, q engine.Query, dst [][]kv.Span) int64 {
		if answering {
			f.compare(layer, l, q, beam)
		}
		n := load(layer, l, q, dst)
		for i := range dst {
			dst[i] = append(dst[i][:0], kv.Column(0, int32(q.Slots)))
		}
		return n
	}
	s := e.Open(p)
	defer s.Release()
	feed := func(s *engine.Session, tokens []int32, logits []float32) {
		if _, err := e.Forward(t.Context(), []engine.Chunk{{Session: s, Tokens: tokens, Logits: logits}}); err != nil {
			t.Fatal(err)
		}
	}
	logits := make([]float32, m.Shape().Vocab)
	feed(s, encode(example.Context+"\n\n", true), nil)
	if f.seconds, err = e.Settle(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	end, _ := tok.Special("<|endoftext|>")
	for _, turn := range example.Turns {
		branch := s.Fork(p)
		answering = false
		feed(branch, encode(turn.Input, false), logits)
		answering = true
		for range 16 {
			next := int32(kernels.Argmax(logits))
			if next == end {
				break
			}
			feed(branch, []int32{next}, logits)
		}
		branch.Release()
	}
	return f
}

// compare searches for the queries of one row with walks of a width.
func (f *found) compare(layer int, l *kv.Layer, q engine.Query, beam int) {
	const k = 100
	x := l.Index().(*keyIndex).heads[q.KVHead]
	flat := headIndex{first: x.first, end: x.end}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.layers[layer] == nil {
		f.layers[layer] = &found{}
	}
	for m := range len(q.Group) / l.Dim() {
		got, work := x.search(l, q, m, x.end, k, beam)
		want, _ := flat.search(l, q, m, x.end, k, beam)
		weight := make([]float32, x.end)
		l.Scores(weight, q.KVHead, q.Member(m, l.Dim()), float32(1/math.Sqrt(float64(l.Dim()))))
		for i, s := range want {
			weight[i] = weight[s] // want ascends, so that s ≥ i
		}
		kernels.Softmax(weight[:len(want)])
		common, mass := 0, 0.0
		for i, s := range want {
			if _, ok := slices.BinarySearch(got, s); ok {
				common, mass = common+1, mass+float64(weight[i])
			}
		}
		for _, f := range []*found{f, f.layers[layer]} {
			f.common, f.want, f.mass = f.common+common, f.want+len(want), f.mass+mass
			f.looked, f.keys, f.queries = f.looked+work.Vectors, f.keys+x.end-x.first, f.queries+1
		}
	}
}

// TestRetrievalRecall wants the graph to find, with the queries of the embedded model's own answers, nearly all that exact search does.
func TestRetrievalRecall(t *testing.T) {
	if testing.Short() {
		t.Skip("a prompt of 2048 tokens")
	}
	f := retrieved(t, 2048, 2, 256)
	t.Logf("recall@100 %.4f, %.1f %% of the keys looked at by %d queries", f.recall(), 100*f.scanned(), f.queries)
	if f.recall() < 0.95 {
		t.Errorf("recall@100 is %.4f", f.recall())
	}
}

// BenchmarkRetrieval measures, by length of the prompt and width of the walks: the share found and its share of the attention, the share and the number of keys looked at, and the seconds that all
// graphs take to build.
func BenchmarkRetrieval(b *testing.B) {
	for _, c := range []struct{ tokens, beam int }{{8 << 10, 256}, {16 << 10, 32}, {16 << 10, 64}, {16 << 10, 128}, {16 << 10, 256}, {28 << 10, 256}} {
		b.Run(fmt.Sprintf("%d/beam=%d", c.tokens, c.beam), func(b *testing.B) {
			for b.Loop() {
				f := retrieved(b, c.tokens, 5, c.beam)
				b.ReportMetric(f.recall(), "recall@100")
				b.ReportMetric(f.mass/float64(f.queries), "mass")
				b.ReportMetric(100*f.scanned(), "%scanned")
				b.ReportMetric(float64(f.looked)/float64(f.queries), "keys/query")
				b.ReportMetric(f.seconds, "build-s")
				for l := range len(f.layers) {
					b.Logf("layer %d: recall@100 %.4f, %.1f %% of the keys", l, f.layers[l].recall(), 100*f.layers[l].scanned())
				}
			}
		})
	}
}
