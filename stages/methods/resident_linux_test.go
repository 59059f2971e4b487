package methods

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// residentBytes is the memory of this process that is not files'.
func residentBytes(t *testing.T) int64 {
	t.Helper()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	var size, resident, shared int64
	if _, err := fmt.Sscan(string(data), &size, &resident, &shared); err != nil {
		t.Fatal(err)
	}
	return (resident - shared) * int64(os.Getpagesize())
}

// TestResident compresses a cache of 8192 tokens in bf16 and wants its memory to fall as the method promises: by the store's account and
// by the memory that the process holds.
func TestResident(t *testing.T) {
	const n, last = 8192, 64
	shape := engine.Shape{Layers: 12, Heads: 8, KVHeads: 8, Dim: 64, Vocab: 1}
	pool := kernels.NewPool(2)
	defer pool.Close()
	for spec, most := range map[string]float64{"kivi:bits=2": 0.20, "kivi:bits=4": 0.33, "snapkv:budget=1024": 0.16} {
		t.Run(spec, func(t *testing.T) {
			p, err := Parse(spec, shape)
			if err != nil {
				t.Fatal(err)
			}
			base := residentBytes(t)
			store := kv.NewStore(&kv.OffHeap{}, kernels.PageBF16, shape.Dim, 0)
			s := engine.NewSession(shape, store, p)
			r := rand.New(rand.NewPCG(1, 2))
			x := make([]float32, 256*shape.KVHeads*shape.Dim)
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
			for from := 0; from < n-last; from += 256 {
				rows := min(256, n-last-from)
				pos := make([]int32, rows)
				for i := range pos {
					pos[i] = int32(from + i)
				}
				s.Tokens = append(s.Tokens, make([]int32, rows)...)
				for _, l := range s.Layers {
					if err := l.Append(x[:rows*shape.KVHeads*shape.Dim], x[:rows*shape.KVHeads*shape.Dim], pos); err != nil {
						t.Fatal(err)
					}
				}
			}
			step, err := engine.Begin(t.Context(), shape, pool, []engine.Chunk{{Session: s, Tokens: make([]int32, last)}})
			if err != nil {
				t.Fatal(err)
			}
			w := last * shape.KVHeads * shape.Dim
			for l := range shape.Layers {
				if err := step.Append(l, x[:w], x[:w], 0, last); err != nil {
					t.Fatal(err)
				}
				step.Plan(l, nil)
				step.Attend(l, make([]float32, w), x[:w], 0, last)
			}
			if err := step.End(); err != nil {
				t.Fatal(err)
			}
			_, full, _ := s.Bytes()
			before := residentBytes(t) - base
			if err := s.Settle(pool); err != nil {
				t.Fatal(err)
			}
			_, kept, _ := s.Bytes()
			after := residentBytes(t) - base
			t.Logf("by account %.1f of %.1f MiB, %.3f; by the process %.1f of %.1f MiB, %.3f", float64(kept)/(1<<20), float64(full)/(1<<20),
				float64(kept)/float64(full), float64(after)/(1<<20), float64(before)/(1<<20), float64(after)/float64(before))
			if float64(kept) > most*float64(full) {
				t.Errorf("%d bytes of %d by account, want at most %.2f of them", kept, full, most)
			}
			const slack = 12 << 20 // a spare slab, scratch, and what the runtime took meanwhile
			if float64(after) > most*float64(before)+slack {
				t.Errorf("the process holds %d bytes more than before, of %d, want at most %.2f of them", after, before, most)
			}
			s.Release()
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
