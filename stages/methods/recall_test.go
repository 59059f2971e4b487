package methods

import (
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
	looked, keys, queries int
	worst                 map[int]*found // by layer
	seconds               float64        // to build all graphs
}

func (f *found) recall() float64 { return float64(f.common) / float64(f.want) }

func (f *found) scanned() float64 { return float64(f.looked) / float64(f.keys) }

func (f *found) add(common, want, looked, keys int) {
	f.common, f.want, f.looked, f.keys, f.queries = f.common+common, f.want+want, f.looked+looked, f.keys+keys, f.queries+1
}

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
func retrieved(t testing.TB, tokens, questions int, spec string) *found {
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
	p, err := Parse(spec, m.Shape())
	if err != nil {
		t.Fatal(err)
	}
	f := &found{worst: map[int]*found{}}
	answering := false
	load := p.Load
	p.Load = func(layer int, l *kv.Layer, q engine.Query, dst [][]kv.Span) int64 {
		if answering {
			f.compare(layer, l, q)
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

// compare searches for the queries of one row.
func (f *found) compare(layer int, l *kv.Layer, q engine.Query) {
	const k, beam = 100, 200
	x := l.Index().(*keyIndex).heads[q.KVHead]
	flat := headIndex{first: x.first, end: x.end}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.worst[layer] == nil {
		f.worst[layer] = &found{}
	}
	for m := range len(q.Group) / l.Dim() {
		got, work := x.search(l, q, m, x.end, k, beam)
		want, _ := flat.search(l, q, m, x.end, k, beam)
		common := 0
		for _, s := range want {
			if _, ok := slices.BinarySearch(got, s); ok {
				common++
			}
		}
		f.add(common, len(want), work.Vectors, x.end-x.first)
		f.worst[layer].add(common, len(want), work.Vectors, x.end-x.first)
	}
}

// TestRetrievalRecall wants the graph to find, with the queries of the embedded model's own answers, nearly all that exact search does.
func TestRetrievalRecall(t *testing.T) {
	if testing.Short() {
		t.Skip("a prompt of 2048 tokens")
	}
	f := retrieved(t, 2048, 2, "retrievalattention")
	t.Logf("recall@100 %.4f, %.1f %% of the keys looked at by %d queries", f.recall(), 100*f.scanned(), f.queries)
	if f.recall() < 0.95 {
		t.Errorf("recall@100 is %.4f", f.recall())
	}
}

// BenchmarkRetrieval16K measures at 16384 tokens: the share found, the share of keys looked at, and the seconds that all graphs take to build.
func BenchmarkRetrieval16K(b *testing.B) {
	spec := os.Getenv("SPEC")
	if spec == "" {
		spec = "retrievalattention"
	}
	for b.Loop() {
		f := retrieved(b, 16<<10, 5, spec)
		b.ReportMetric(f.recall(), "recall@100")
		b.ReportMetric(100*f.scanned(), "%scanned")
		b.ReportMetric(f.seconds, "build-s")
		for l := range len(f.worst) {
			b.Logf("layer %d: recall@100 %.4f, %.1f %% of the keys", l, f.worst[l].recall(), 100*f.worst[l].scanned())
		}
	}
}
