package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/parquet-go/parquet-go"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/models"
)

// interrupter is a standard error that answers a text with a Ctrl-C.
type interrupter struct {
	mu sync.Mutex // bench and the handler of signals both write
	bytes.Buffer
	at   string // what is answered so
	sent bool
}

func (w *interrupter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.sent && strings.Contains(string(b), w.at) {
		w.sent = true
		p, err := os.FindProcess(os.Getpid())
		if err := errors.Join(err, p.Signal(os.Interrupt)); err != nil {
			return 0, err
		}
	}
	return w.Buffer.Write(b)
}

// TestBenchInterrupted: what was measured before a Ctrl-C is printed and in the Parquet file, and the exit code says that it is not all.
func TestBenchInterrupted(t *testing.T) {
	const tests = 2000
	path := filepath.Join(t.TempDir(), "rows.parquet")
	lengths := "16" + strings.Repeat(",24", tests-1)
	var out bytes.Buffer
	errs := &interrupter{at: "pp16 done"}
	if code := run([]string{"bench", "--model", "tiny", "-t", "1", "-p", lengths, "-n", "0", "-r", "1", "-o", "csv", "--parquet", path}, &out, errs); code != 130 {
		t.Errorf("exit code %d, want 130\n%s", code, errs)
	}
	rows, err := parquet.ReadFile[benchRow](path)
	if err != nil {
		t.Fatal(err)
	}
	if printed := strings.Count(out.String(), "\n") - 1; len(rows) == 0 || len(rows) >= tests || printed != len(rows) {
		t.Errorf("%d rows in the file and %d printed of %d", len(rows), printed, tests)
	}
	for _, r := range rows {
		if !(r.Share > 0) || !(r.AvgTS > 0) {
			t.Fatalf("a row without a share of the limit or a rate: %+v", r)
		}
	}
}

// TestBenchFile: a file that cannot be written is refused before, one that is there keeps its bytes until there are rows, and without any
// it is as before.
func TestBenchFile(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "nowhere", "x")} {
		if f, err := openBenchFile(path); err == nil {
			t.Errorf("%s is open: %v", path, f)
		}
	}
	old, fresh := filepath.Join(dir, "old"), filepath.Join(dir, "fresh")
	if err := os.WriteFile(old, bytes.Repeat([]byte("x"), 1<<16), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{old, fresh} {
		f, err := openBenchFile(path)
		if err == nil {
			err = f.finish(nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(old); err != nil || info.Size() != 1<<16 {
		t.Errorf("a file was changed without rows: %v, %v", info, err)
	}
	if _, err := os.Stat(fresh); !os.IsNotExist(err) {
		t.Errorf("a file without rows is left behind: %v", err)
	}
	for _, path := range []string{old, fresh} {
		f, err := openBenchFile(path)
		if err == nil {
			err = f.finish([]benchRow{{Method: "full"}, {Method: "quest"}})
		}
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := parquet.ReadFile[benchRow](path); err != nil || len(rows) != 2 || rows[1].Method != "quest" {
			t.Errorf("%s: %v, %v", path, rows, err)
		}
	}
}

// benchOf is a bench of a model with random weights, on one thread, with limits of one operation and one byte a second.
func benchOf(t *testing.T, name string) *bench {
	t.Helper()
	pool := kernels.NewPool(1)
	t.Cleanup(pool.Close)
	b := benchCommand{Model: name, Precision: "f32", Reps: 1, Gen: 3, Branches: []int{1}}
	m, err := b.open(pool)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	x := &bench{benchCommand: b, ctx: context.Background(), model: m, base: benchRow{Threads: 1},
		engine: &engine.Engine{Model: m.Model, Store: kv.NewStore(&kv.OffHeap{}, m.PageFormat(), m.Shape().Dim, 0), Pool: pool}}
	x.macs, x.bytes = m.Products()
	return x
}

// near compares two counts that were turned into rates and back.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if got < want*(1-1e-9) || got > want*(1+1e-9) {
		t.Errorf("%s: %.0f, want %.0f", what, got, want)
	}
}

// TestBenchCounts holds the operations and the bytes behind the roofline shares against the model's shape: weights once a pass, the output
// layer included and the embeddings not once more, for the last token of a prompt only; the keys and values of each branch, and once of
// what they share.
func TestBenchCounts(t *testing.T) {
	const layers, hidden, heads, kvHeads, dim, ffn, vocab = 4, 256, 4, 2, 64, 704, 4096 // of tiny
	const body = layers * (2*hidden*heads*dim + 2*hidden*kvHeads*dim + 3*hidden*ffn)
	panel := func(rows int) int { return (rows + 47) / 48 * 48 } // output features, filled up
	weights := hidden*panel(vocab) + layers*((hidden+heads*dim)*panel(hidden)+2*hidden*panel(kvHeads*dim)+2*hidden*panel(ffn)+ffn*panel(hidden))
	x := benchOf(t, "tiny")
	full := engine.Policy{Name: "full"}
	const n = 100
	m, err := x.prefill(full, n)
	if err != nil {
		t.Fatal(err)
	}
	cells := layers * heads * n * (n + 1) / 2
	near(t, "operations of prefill", m.flops*m.AvgNS/1e9, 2*(n*body+vocab*hidden+2*float64(cells)*dim))
	for _, c := range []struct{ depth, branches int }{{0, 1}, {200, 1}, {200, 3}, {40, 3}, {192, 2}} {
		m, err := x.decode(full, c.depth, c.branches)
		if err != nil {
			t.Fatal(err)
		}
		depth := max(c.depth, 1)
		tokens := 0
		for i := 1; i <= x.Gen; i++ {
			tokens += depth/kernels.PageTokens*kernels.PageTokens + c.branches*(depth%kernels.PageTokens+i)
		}
		const width = 4 // bytes of f32, keys and values; weights are bf16
		near(t, fmt.Sprintf("bytes of %d branches at %d", c.branches, c.depth), m.reads*m.AvgNS/1e9,
			float64(x.Gen*2*weights+tokens*layers*kvHeads*dim*2*width))
		all := 0
		for i := 1; i <= x.Gen; i++ {
			all += c.branches * (depth + i) * layers * heads
		}
		near(t, fmt.Sprintf("operations of %d branches at %d", c.branches, c.depth), m.GFLOPS*m.AvgNS,
			2*(float64(x.Gen*c.branches)*(body+vocab*hidden)+2*float64(all)*dim))
	}
}

// TestBenchFits: what is longer than the model was made for is noted, what memory cannot hold refused.
func TestBenchFits(t *testing.T) {
	m, err := models.LoadReference(nil, models.Choice{Precision: kernels.PrecisionF32})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	long := m.Shape().MaxTokens
	for _, c := range []struct {
		b     benchCommand
		free  int64
		notes int
		ok    bool
	}{
		{benchCommand{Prompt: []int{long}, Depth: []int{long - 8}, Gen: 8, Branches: []int{1, 2}}, 0, 0, true},
		{benchCommand{Prompt: []int{long + 1, 64, 2 * long}, Depth: []int{long}}, 0, 2, true},
		{benchCommand{Depth: []int{long - 7}, Gen: 8, Branches: []int{1, 2, 4}}, 0, 1, true},
		{benchCommand{Prompt: []int{64}}, 64 * m.Shape().TokenBytes, 0, false},
		{benchCommand{Depth: []int{64}, Gen: 8, Branches: []int{4000}}, 1 << 20, 0, false},
		{benchCommand{Prompt: []int{64}}, 1 << 30, 0, true},
	} {
		notes, err := c.b.fits(m, c.free)
		if (err == nil) != c.ok || len(notes) != c.notes {
			t.Errorf("%+v in %d bytes: notes %q, error %v", c.b, c.free, notes, err)
		}
	}
}
