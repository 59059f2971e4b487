package methods

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

func TestHeadPatterns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := engine.Shape{Layers: 2, Heads: 2, KVHeads: 1, Dim: 8}
	write(`[{"0": ["stream_llm", 2, 5, 0.5], "1": ["block_sparse", 100, 1]}, {"1": ["vertical_and_slash", 30, 800, 1.5]}]`)
	p, err := Parse("minference:config="+file, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(p.Name, s); err != nil || !strings.Contains(p.Name, "config="+file+"@") {
		t.Errorf("the name %s does not say which file, or is not understood: %v", p.Name, err)
	}
	plan := p.Generate(0, engine.Tile{
		Hi: 40, Heads: 2, KVHeads: 1, Dim: 8, Layer: filled(t, 40),
		Queries: func(lo, hi int) []float32 { return make([]float32, (hi-lo)*16) },
	})
	if got := kv.Runs(nil, plan.Heads[0](nil, 20, 21), 20); !slices.Equal(got, []kv.Run{{Lo: 0, Hi: 2}, {Lo: 16, Hi: 21}}) {
		t.Errorf("the stream_llm head reads %v", got)
	}
	for text, want := range map[string]string{
		`{}`:                                  "list of layers",
		`[{}]`:                                "1 layers, the model 2",
		`[{"2": ["x", 1, 1]},{}]`:             `no query head "2"`,
		`[{},{"1": ["x", 1, 1]}]`:             `layer 1, head 1: pattern "x"`,
		`[{},{"1": ["x"]}]`:                   "1 fields",
		`[{"0": ["block_sparse", -1, 1]},{}]`: "out of range",
	} {
		write(text)
		if _, err := Parse("minference:config="+file, s); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: error %v, want one that names the file and says %q", text, err, want)
		}
	}
}

// filled is a layer of one KV head with n zero tokens of 8 numbers.
func filled(t *testing.T, n int) *kv.Layer {
	t.Helper()
	l := kv.NewLayer(kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, 8, 0), 1, 0)
	if err := l.Append(make([]float32, n*8), make([]float32, n*8), make([]int32, n)); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLeadingShare(t *testing.T) {
	parts := [][]float32{{0.5, 0.1, 0.25}, {0.25, 0.75, 0}}
	all := func(yield func([]float32)) {
		for _, p := range parts {
			yield(p)
		}
	}
	for _, c := range []struct {
		limit float64
		bound float32
		ties  int
	}{{0.7, 0.75, 0}, {0.75, 0.5, 0}, {1.25, 0.25, 0}, {1.5, 0.25, 1}, {1.75, 0.1, 0}, {2, 0, 0}} {
		if bound, ties := leadingShare(all, c.limit); bound != c.bound || ties != c.ties {
			t.Errorf("up to %g: above %g and %d of those, want %g and %d", c.limit, bound, ties, c.bound, c.ties)
		}
	}
}
