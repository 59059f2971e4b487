package models

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scbench/kernels"
	"scbench/stages/engine"
)

// blends puts a prompt together from chunks. With all rows computed afresh it is a prefill in one pass, bit for bit; with some of them it
// is near it, and nearer than with none, which a model that does not drop the rows Select leaves out cannot be.
func (g goldenModel) blends(t *testing.T) {
	if g.Shape().State > 0 {
		t.Skip("recurrent layers: refused, see TestRecurrent of the stages")
	}
	ids := g.ids(t, "input_ids.300")
	pool := kernels.NewPool(2)
	defer pool.Close()
	e := &engine.Engine{Model: g.Model, Store: g.store, Pool: pool}
	v := g.Shape().Vocab
	run := func(chunking *engine.Chunking) []float32 {
		s := g.open()
		s.Policy.Retrieve = chunking
		s.RopeLength = len(ids)
		logits := make([]float32, v)
		if chunking == nil {
			if _, err := e.Forward(t.Context(), []engine.Chunk{{Session: s, Tokens: ids, Logits: logits}}); err != nil {
				t.Fatal(err)
			}
			s.Release()
			return logits
		}
		var chunks []*engine.Session
		for piece := range slices.Chunk(ids, chunking.Chunk) {
			c := g.open()
			c.RopeLength = len(ids)
			if _, err := e.Forward(t.Context(), []engine.Chunk{{Session: c, Tokens: piece}}); err != nil {
				t.Fatal(err)
			}
			chunks = append(chunks, c)
		}
		if _, err := e.Blend(t.Context(), engine.Chunk{Session: s, Logits: logits}, chunks); err != nil {
			t.Fatal(err)
		}
		for _, c := range append(chunks, s) {
			c.Release()
		}
		return logits
	}
	want := run(nil)
	away := func(share float64) float64 {
		got := run(&engine.Chunking{Chunk: 37, Check: 0, Last: 20, Choose: func(deviation []float32, _ int) (rows []int32) {
			for i := int((1 - share) * float64(len(deviation))); i < len(deviation); i++ {
				rows = append(rows, int32(i))
			}
			return rows
		}})
		var sum float64
		for i, x := range got {
			sum += math.Pow(float64(x-want[i]), 2)
		}
		return math.Sqrt(sum / float64(v))
	}
	all, most, none := away(1), away(0.8), away(0)
	t.Logf("logits are off by %.2g with all rows, %.2g with the last 80 %% and %.2g with the last 20", all, most, none)
	if all != 0 || !(most < none) {
		t.Errorf("logits are off by %g with all rows, %g with the last 80 %% and %g with the last 20", all, most, none)
	}
}

// TestGoldenPacks loads models whose weights are parts of matrices from packed weights.
func TestGoldenPacks(t *testing.T) {
	for _, dir := range goldenFolders(t, "goldens.safetensors") {
		name := filepath.Base(dir)
		if !strings.HasPrefix(name, "phi3") && !strings.HasPrefix(name, "chatglm") && name != "gemma2" {
			continue
		}
		t.Run(name, func(t *testing.T) { packsTwice(t, dir) })
	}
}
