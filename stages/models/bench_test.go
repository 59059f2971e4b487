package models

import (
	"context"
	"fmt"
	"os"
	"testing"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// BenchmarkReference measures the embedded model: tokens per second of prefill and of decoding at depth.
func BenchmarkReference(b *testing.B) {
	pool := kernels.NewPool(0)
	defer pool.Close()
	precision := kernels.PrecisionF32
	if os.Getenv("PRECISION") == "bf16" {
		precision = kernels.PrecisionBF16
	}
	m, err := LoadReference(pool, Choice{Precision: precision})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	store := kv.NewStore(&kv.OffHeap{}, m.PageFormat(), m.Shape().Dim, 0)
	logits := make([]float32, m.Shape().Vocab)
	for _, n := range []int{1024, 4096} {
		tokens := make([]int32, n)
		for i := range tokens {
			tokens[i] = int32(i * 7 % 2500)
		}
		prefill := func(b *testing.B) *engine.Session {
			s := engine.NewSession(m.Shape(), store, engine.Policy{})
			if err := m.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: tokens, Logits: logits}}); err != nil {
				b.Fatal(err)
			}
			return s
		}
		b.Run(fmt.Sprintf("prefill/%d", n), func(b *testing.B) {
			for b.Loop() {
				prefill(b).Release()
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
		b.Run(fmt.Sprintf("decode/%d", n), func(b *testing.B) {
			s := prefill(b)
			defer s.Release()
			for b.Loop() {
				f := s.Fork(engine.Policy{})
				for range 16 {
					if err := m.Forward(context.Background(), []engine.Chunk{{Session: f, Tokens: tokens[:1], Logits: logits}}); err != nil {
						b.Fatal(err)
					}
				}
				f.Release()
			}
			b.ReportMetric(16*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
