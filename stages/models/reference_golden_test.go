package models

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// referenceTolerance bounds logits of the embedded model against an independent f32 forward, which rounds them to five
// digits; they lie between -30 and 30.
const referenceTolerance = 2e-3

// TestGoldenReference decodes the reference model's golden prompts greedily: same logits, same tokens.
func TestGoldenReference(t *testing.T) {
	path := filepath.Join("..", "..", "testdata", "golden", "refmodel", "goldens.json")
	if root := os.Getenv("SCBENCH_GOLDEN"); root != "" {
		if p := filepath.Join(root, "refmodel", "goldens.json"); fileExists(p) {
			path = p
		} else {
			t.Logf("%s has no refmodel; the project's vectors are run", root)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var golden []struct {
		Task   string
		Prompt []int32   `json:"prompt_ids"`
		Output []int32   `json:"output_ids"`
		Logits []float64 `json:"last_prompt_logits"`
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	pool := kernels.NewPool(0)
	defer pool.Close()
	m, err := LoadReference(pool, Choice{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	e := &engine.Engine{Model: m.Model, Store: kv.NewStore(memory.NewGoAllocator(), m.PageFormat(), m.Shape().Dim, 0), Pool: pool}
	for _, g := range golden {
		t.Run(g.Task, func(t *testing.T) {
			s := e.Open(engine.Policy{})
			defer s.Release()
			a := &engine.Answer{Session: s, Logits: make([]float32, m.Shape().Vocab), Max: 200, Stop: m.Config.EosIDs}
			if _, err := e.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: g.Prompt, Logits: a.Logits}}); err != nil {
				t.Fatal(err)
			}
			worst := 0.0
			for i, x := range a.Logits {
				worst = max(worst, math.Abs(float64(x)-g.Logits[i]))
			}
			t.Logf("largest difference of a logit %.2g", worst)
			if worst > referenceTolerance {
				t.Errorf("logits differ by %g, more than %g", worst, referenceTolerance)
			}
			if err := e.Decode(context.Background(), []*engine.Answer{a}); err != nil {
				t.Fatal(err)
			}
			got := a.Tokens
			if a.Stopped {
				got = append(got, m.Config.EosIDs[0])
			}
			if !slices.Equal(got, g.Output) {
				t.Errorf("tokens %v, want %v", got, g.Output)
			}
		})
	}
}

func fileExists(path string) bool { _, err := os.Stat(path); return err == nil }
