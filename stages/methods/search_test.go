package methods

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/models"
)

// goldenSearch compares the recall of each candidate, and the winner, with those that the .json beside the vector states.
func goldenSearch(t *testing.T, v vector) {
	b, err := os.ReadFile(goldenPath("methods", "minference", strings.TrimSuffix(v.Name(), ".safetensors")+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Heads map[string]struct {
			Best []any   `json:"best"`
			All  [][]any `json:"all_info"`
		}
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	tile := keysOnly(t, v)
	if len(want.Heads) != tile.Heads {
		t.Fatalf("%d heads searched, the vector has %d", len(want.Heads), tile.Heads)
	}
	text := func(fields ...any) string { return fmt.Sprint(fields...) }
	for h := range tile.Heads {
		w := want.Heads[fmt.Sprint(h)]
		f := &Found{scale: 1}
		var recalls []float32
		for _, x := range w.All {
			f.Candidates = append(f.Candidates, Candidate{x[0].(string), int(x[1].(float64)), int(x[2].(float64))})
			recalls = append(recalls, float32(x[3].(float64)))
		}
		if !slices.Equal(f.Candidates, PublishedCandidates()) {
			t.Fatalf("head %d: candidates %v, want %v", h, PublishedCandidates(), f.Candidates)
		}
		f.Recall = [][][]float64{recall(t.Context(), tile, f.Candidates, PublishedFrom, func(int) {})}
		var got []float32
		for _, r := range f.Recall[0][h] {
			got = append(got, float32(r))
		}
		near(t, fmt.Sprintf("recall of head %d", h), got, recalls, scoreAbsolute, scoreRelative)
		best := f.Candidates[f.Best(0, h)].stored(1)
		if got, want := text(best.Kind, best.Vertical, best.Slash), text(w.Best[0], w.Best[1], w.Best[2]); got != want {
			t.Errorf("head %d: %s, want %s", h, got, want)
		}
	}
}

// keysOnly is the tile of a vector without values.
func keysOnly(t *testing.T, v vector) engine.Tile {
	t.Helper()
	q, qs := v.floats(t, "q")
	k, ks := v.floats(t, "k")
	return tileOf(t, rows(q, qs), rows(k, ks), qs[1], ks[1], ks[3])
}

// tileOf is a prompt with queries [n, heads, d] and keys [n, kvHeads, d].
func tileOf(t *testing.T, q, k []float32, heads, kvHeads, d int) engine.Tile {
	t.Helper()
	n := len(k) / kvHeads / d
	l := kv.NewLayer(kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, d, 0), kvHeads, 0)
	t.Cleanup(l.Release)
	pos := make([]int32, n)
	for i := range pos {
		pos[i] = int32(i)
	}
	for h := range kvHeads {
		if err := l.AppendHead(h, k, k, pos); err != nil {
			t.Fatal(err)
		}
	}
	w := heads * d
	return engine.Tile{Hi: n, Heads: heads, KVHeads: kvHeads, Dim: d, Layer: l, Queries: func(lo, hi int) []float32 { return q[lo*w : hi*w] }}
}

// TestSearchMasks compares each candidate's recall with that of a mask written out, on random queries and keys.
func TestSearchMasks(t *testing.T) {
	const n, heads, kvHeads, d, first = 150, 4, 2, 16, 70
	r := rand.New(rand.NewPCG(3, 4))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	tile := tileOf(t, random(n*heads*d), random(n*kvHeads*d), heads, kvHeads, d)
	candidates := []Candidate{{streamLLM, 5, 20}, {verticalAndSlash, 40, 35}, {blockSparse, 2, 1}, {verticalAndSlash, n, n}, {streamLLM, n, 1}}
	got := recall(t.Context(), tile, candidates, first, func(int) {})
	means := poolBlocks(tile, searchBlock)
	seen := func(h int) [][]float32 { return recent(tile, tile.Queries(0, n), n, h) }
	for h := range heads {
		p := seen(h)
		last := recent(tile, tile.Queries(n-lastQueries, n), lastQueries, h)
		lines := choose(columnMass(last), diagonalMass(last), headPattern{verticalAndSlash, 40, 35}, searchNear)
		blocks := means.choose(tile, h, 2)
		keeps := []func(i, j int) bool{
			func(i, j int) bool { return j < 5 || i-j <= 20 },
			func(i, j int) bool {
				return slices.Contains(lines.columns, int32(j)) || slices.Contains(lines.distances, int32(i-j))
			},
			func(i, j int) bool { return blocks.has(i/searchBlock, j/searchBlock) },
			func(int, int) bool { return true },
			func(int, int) bool { return true },
		}
		for c, keep := range keeps {
			var sum float64
			for i := first; i < n; i++ {
				for j := range i + 1 {
					if keep(i, j) {
						sum += float64(p[i][j])
					}
				}
			}
			near(t, candidates[c].String(), []float32{float32(got[h][c])}, []float32{float32(sum / (n - first))}, 1e-6, 1e-5)
		}
	}
}

// TestSearch searches the embedded model, for any number of threads alike, and reads what it writes.
func TestSearch(t *testing.T) {
	tokens := make([]int32, 700)
	for i := range tokens {
		tokens[i] = int32(i*7919+13) % 512
	}
	search := func(ctx context.Context, threads int, s Search) (*Found, engine.Shape, error) {
		pool := kernels.NewPool(threads)
		defer pool.Close()
		m, err := models.LoadReference(pool, models.Choice{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		store := kv.NewStore(mem, m.PageFormat(), m.Shape().Dim, 0)
		f, err := s.Run(ctx, &engine.Engine{Model: m, Store: store, Pool: pool}, tokens)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		mem.AssertSize(t, 0)
		return f, m.Shape(), err
	}
	var files []string
	var shape engine.Shape
	for _, threads := range []int{1, 2} {
		steps := 0
		s := Search{Scale: 0.05, From: 100, Progress: func(done, total int) {
			if steps++; done != steps || total < done {
				t.Fatalf("part %d of %d comes as number %d", done, total, steps)
			}
		}}
		f, of, err := search(t.Context(), threads, s)
		if err != nil {
			t.Fatal(err)
		}
		shape = of
		if want := 2 * shape.Layers; steps != want { // 600 rows, 512 at a time
			t.Errorf("%d parts reported, want %d", steps, want)
		}
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		files = append(files, b.String())
	}
	if files[0] != files[1] {
		t.Errorf("one thread finds\n%s, two\n%s", files[0], files[1])
	}
	heads, err := parseHeadPatterns([]byte(files[0]), shape)
	if err != nil {
		t.Fatal(err)
	}
	for l, layer := range heads {
		if len(layer) != shape.Heads {
			t.Errorf("layer %d has %d heads, want %d", l, len(layer), shape.Heads)
		}
	}
	name := filepath.Join(t.TempDir(), "patterns.json")
	if err := os.WriteFile(name, []byte(files[0]), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse("minference:config="+name, shape); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := Search{From: 1, Progress: func(int, int) { cancel() }}
	if _, _, err := search(ctx, 1, s); !errors.Is(err, context.Canceled) {
		t.Errorf("a search that was cancelled ends with %v", err)
	}
	if _, _, err := search(t.Context(), 1, Search{From: len(tokens)}); err == nil || !strings.Contains(err.Error(), "700 tokens") {
		t.Errorf("no row to measure: %v", err)
	}
}

// TestCandidates reads and scales candidates.
func TestCandidates(t *testing.T) {
	for _, c := range PublishedCandidates() {
		if got, err := ParseCandidate(c.String()); err != nil || got != c {
			t.Errorf("%s is read as %v: %v", c, got, err)
		}
	}
	for _, bad := range []string{"", "dense:1,2", "stream_llm", "stream_llm:5", "block_sparse:8,1", "vertical_and_slash:0,5", "vertical_and_slash:5,x", "stream_llm:1,2,3", "block_sparse:1073741825"} {
		if _, err := ParseCandidate(bad); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for c, want := range map[Candidate]Candidate{
		{verticalAndSlash, 3500, 100}: {verticalAndSlash, 350, searchNear},
		{verticalAndSlash, 30, 800}:   {verticalAndSlash, forcedSinks, 80},
		{streamLLM, 100, 800}:         {streamLLM, 10, 80},
		{blockSparse, 8, 1}:           {blockSparse, 8, 1},
	} {
		if got := c.scaled(0.1); got != want {
			t.Errorf("%s scaled by 0.1 is %s, want %s", c, got, want)
		}
	}
	if got := (Candidate{blockSparse, 8, 1}).stored(0.1); got != (Candidate{verticalAndSlash, 100, 610}) {
		t.Errorf("block_sparse is stored as %s", got)
	}
}
