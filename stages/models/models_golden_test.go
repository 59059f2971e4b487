package models

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/models/safetensors"
)

// logitTolerance is the absolute tolerance on logits that the golden README states, by model and number of tokens. Lengths
// not named take the next longer one that is; models not named take the default.
var logitTolerance = map[string]map[int]float64{
	"llama-gqa":               {1: 2e-5, 17: 5e-5, 64: 1e-4, 300: 2e-4},
	"llama3-ropescaled-tied":  {1: 2e-5, 17: 5e-5, 64: 2e-4, 300: 5e-4},
	"llama-bias-headdim-bf16": {1: 2e-5, 17: 5e-5, 64: 5e-5, 300: 1e-4},
	"qwen2-f16":               {1: 2e-5, 17: 5e-5, 64: 5e-5, 300: 1e-4},
	"qwen2-yarn-tied":         {1: 2e-5, 17: 5e-5, 64: 1e-4, 300: 5e-4},
	"qwen3":                   {1: 2e-5, 17: 2e-5, 64: 5e-5, 300: 5e-5},
	"mistral":                 {1: 2e-5, 17: 5e-5, 64: 1e-4, 300: 2e-4},
	"mistral-swa":             {1: 2e-5, 17: 1e-4, 64: 1e-4, 300: 2e-4},
	"phi3-longrope":           {1: 2e-5, 17: 1e-4, 64: 1e-4, 300: 1e-3},
	"glm":                     {1: 2e-5, 17: 5e-5, 64: 1e-4, 300: 2e-4},
	"glm4":                    {1: 2e-5, 17: 5e-5, 64: 1e-4, 300: 2e-4},
	"chatglm-1m-style":        {1: 1e-4, 17: 1e-4, 64: 1e-4, 300: 1e-4},
	"gemma2":                  {1: 2e-5, 17: 5e-5, 64: 1e-4, 300: 5e-4},
	"mamba":                   {1: 2e-5, 17: 5e-5, 64: 1e-4, 300: 2e-4},
	"mamba2-codestral":        {1: 2e-5, 17: 5e-5, 64: 5e-5, 300: 1e-4},
	"jamba-bf16":              {1: 2e-5, 17: 5e-4, 64: 5e-4, 300: 1e-3},
	"":                        {1: 2e-5, 17: 5e-5, 64: 1e-4, 300: 2e-4},
}

// stateTolerance is that on hidden states, keys and values, and recurrent states.
const stateTolerance = 1e-4

func (g goldenModel) stateTolerance() float64 {
	if g.name == "jamba-bf16" {
		return 5e-4
	}
	return stateTolerance
}

func tolerance(model string, n int) float64 {
	table, ok := logitTolerance[model]
	if !ok {
		table = logitTolerance[""]
	}
	best := 0
	for at := range table {
		if at >= n && (best == 0 || at < best) {
			best = at
		}
	}
	if best == 0 {
		best = 300
	}
	return table[best]
}

// goldenModel is a model with its golden tensors, on an allocator that knows what is left.
type goldenModel struct {
	*Loaded
	name   string
	tensor *safetensors.File
	mem    *memory.CheckedAllocator
	store  *kv.Store
	prefix string // of the tensors that it is compared with
}

// TestGoldenModels runs every model that the golden folder holds and whose architecture is supported; the others are named.
func TestGoldenModels(t *testing.T) {
	for _, dir := range goldenFolders(t, "goldens.safetensors") {
		name := filepath.Base(dir)
		if name == "rope" {
			continue // tables alone: TestGoldenRope
		}
		t.Run(name, func(t *testing.T) {
			pool := kernels.NewPool(2)
			defer pool.Close()
			l, err := Load(goldenCheckpoint(t, dir), pool, Choice{})
			if strings.HasSuffix(name, "-tokcls") {
				t.Skip("an encoder: TestGoldenEncoders")
			}
			if err != nil && strings.Contains(err.Error(), "is not supported") {
				t.Skipf("not run: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			t.Run("bf16", func(t *testing.T) { goldenBF16(t, dir, pool) })
			g := newGolden(t, l, dir)
			t.Run("logits", g.logits)
			t.Run("states", g.states)
			t.Run("blend", g.blends)
			for _, x := range g.tensor.Names() {
				if run, ok := strings.CutSuffix(x, ".prompt"); ok {
					t.Run(run, func(t *testing.T) { g.greedy(t, run) })
				}
			}
			for _, x := range g.tensor.Names() {
				if p, _, _ := strings.Cut(x, "."); !slices.Contains([]string{"input_ids", "logits", "logits_f64", "hidden64", "kv64", "greedy", "greedy_long", "greedy_cross"}, p) &&
					!strings.HasPrefix(p, "conv_state") && !strings.HasPrefix(p, "ssm_state") && p != "mamba_ssm" {
					t.Logf("not compared: %s", x)
				}
			}
			t.Run("greedy in all ways", g.greedyWays)
			g.close(t)
		})
	}
}

// bf16Tolerance bounds the root mean square difference of logits computed in bf16 from those of f32, as a share of the
// logits' own spread. bf16 keeps 8 bits, 0.4 %; a handful of layers make some 1 to 2 % of it.
const bf16Tolerance = 0.03

// goldenBF16 runs a model in bf16: near the golden logits, and the same bits in one pass, in chunks, through forks and in a batch.
func goldenBF16(t *testing.T, dir string, pool *kernels.Pool) {
	if !slices.Contains(kernels.Precisions(), kernels.PrecisionBF16) {
		t.Skipf("not run: the %s kernels have no bf16", kernels.Tier())
	}
	l, err := Load(goldenCheckpoint(t, dir), pool, Choice{Precision: kernels.PrecisionBF16})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g := newGolden(t, l, dir)
	for _, n := range []int{17, 64, 300} {
		ids := g.ids(t, fmt.Sprintf("input_ids.%d", n))
		got := g.same(t, ids, nil)
		var diff, spread float64
		for i, x := range g.floats(t, fmt.Sprintf("logits.%d", n)) {
			diff += (float64(got[i]) - x) * (float64(got[i]) - x)
			spread += x * x
		}
		share := math.Sqrt(diff / spread)
		t.Logf("logits.%d: bf16 differs by %.2g of their spread", n, share)
		if most := g.bf16Tolerance(t, n); !(share <= most) {
			t.Errorf("logits.%d: bf16 differs by %.2g of their spread, more than %.2g", n, share, most)
		}
	}
	g.close(t)
}

// newGolden is a model with the goldens of the folder dir, of which close wants all memory back.
func newGolden(t *testing.T, l *Loaded, dir string) goldenModel {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	return goldenModel{Loaded: l, name: filepath.Base(dir), tensor: openTensors(t, filepath.Join(dir, "goldens.safetensors")), mem: mem, store: kv.NewStore(mem, l.PageFormat(), l.Shape().Dim, 0)}
}

func (g goldenModel) close(t *testing.T) {
	if err := g.store.Close(); err != nil {
		t.Error(err)
	}
	g.mem.AssertSize(t, 0)
}

func (g goldenModel) open() *engine.Session {
	return engine.NewSession(g.Shape(), g.store, engine.Policy{})
}

// floats returns a golden tensor widened to f64.
func (g goldenModel) floats(t *testing.T, name string) []float64 {
	t.Helper()
	x, ok := g.tensor.Tensor(g.prefix + name)
	if !ok {
		t.Fatalf("golden tensor %s is missing", g.prefix+name)
	}
	f, err := x.Float64s()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (g goldenModel) ids(t *testing.T, name string) []int32 {
	t.Helper()
	x, ok := g.tensor.Tensor(g.prefix + name)
	if !ok {
		x, ok = g.tensor.Tensor(name) // prompts are the same for all
	}
	if !ok {
		t.Fatalf("golden tensor %s is missing", name)
	}
	ids, err := x.Int32s()
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func compare(t *testing.T, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	worst := 0.0
	for i := range got {
		d := math.Abs(float64(got[i]) - want[i])
		if math.IsNaN(d) || d > tol {
			t.Fatalf("%s: number %d is %g, want %g, tolerance %g", what, i, got[i], want[i], tol)
		}
		worst = max(worst, d)
	}
	t.Logf("%s: largest difference %.2g of %.2g", what, worst, tol)
}

// logits compares those of all lengths with the golden ones, however the prompt is fed.
func (g goldenModel) logits(t *testing.T) {
	lengths := 0
	for _, name := range g.tensor.Names() {
		s, ok := strings.CutPrefix(name, "input_ids.")
		n, err := strconv.Atoi(s)
		if !ok || err != nil {
			continue
		}
		lengths++
		got := g.same(t, g.ids(t, name), nil)
		compare(t, fmt.Sprintf("logits.%d", n), got, g.floats(t, fmt.Sprintf("logits.%d", n)), tolerance(g.name, n))
		if _, ok := g.tensor.Tensor(g.prefix + fmt.Sprintf("logits_f64.%d", n)); ok {
			compare(t, fmt.Sprintf("logits_f64.%d", n), got, g.floats(t, fmt.Sprintf("logits_f64.%d", n)), tolerance(g.name, n))
		}
	}
	if lengths < 4 {
		t.Errorf("%d lengths, want four", lengths)
	}
}

// states compares hidden states, keys and values.
func (g goldenModel) states(t *testing.T) {
	if g.Shape().State > 0 {
		g.recurrent(t)
	}
	if _, ok := g.tensor.Tensor("hidden64.0"); !ok || g.Shape().Layers == 0 {
		return
	}
	ids := g.ids(t, "input_ids.64")
	s := g.open()
	defer s.Release()
	hidden := map[int][]float32{}
	layers := g.Config.Layers
	if err := g.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: ids, Hidden: func(l int, x []float32) {
		hidden[l] = slices.Clone(x)
	}}}); err != nil {
		t.Fatal(err)
	}
	for l := range layers {
		compare(t, fmt.Sprintf("hidden64.%d", l), hidden[l], g.floats(t, fmt.Sprintf("hidden64.%d", l)), g.stateTolerance())
	}
	compare(t, "hidden64.prenorm", hidden[layers], g.floats(t, "hidden64.prenorm"), g.stateTolerance())
	compare(t, fmt.Sprintf("hidden64.%d, after the norm", layers), hidden[layers+1], g.floats(t, fmt.Sprintf("hidden64.%d", layers)), g.stateTolerance())
	for i, layer := range s.Layers {
		l := g.attentionLayer(i)
		var k, v []float32
		for h := range layer.Heads() {
			for i := range layer.Slots(h) {
				k, v = append(k, make([]float32, layer.Dim())...), append(v, make([]float32, layer.Dim())...)
				layer.Key(k[len(k)-layer.Dim():], h, i)
				layer.Value(v[len(v)-layer.Dim():], h, i)
			}
		}
		compare(t, fmt.Sprintf("kv64.%d.key", l), k, g.floats(t, fmt.Sprintf("kv64.%d.key", l)), g.stateTolerance())
		compare(t, fmt.Sprintf("kv64.%d.value", l), v, g.floats(t, fmt.Sprintf("kv64.%d.value", l)), g.stateTolerance())
	}
}
