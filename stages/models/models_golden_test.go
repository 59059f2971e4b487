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
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			t.Run("bf16", func(t *testing.T) { goldenBF16(t, dir, name, pool) })
			g := goldenModel{Loaded: l, name: name, tensor: openTensors(t, filepath.Join(dir, "goldens.safetensors")), store: kv.NewStore(mem, l.PageFormat(), l.Shape().Dim, 0)}
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
			if err := g.store.Close(); err != nil {
				t.Error(err)
			}
			mem.AssertSize(t, 0)
		})
	}
}

// bf16Tolerance bounds the root mean square difference of logits computed in bf16 from those of f32, as a share of the
// logits' own spread. bf16 keeps 8 bits, 0.4 %; a handful of layers make some 1 to 2 % of it.
const bf16Tolerance = 0.03

// goldenBF16 runs a model in bf16: near the golden logits, and the same bits in one pass, in chunks, through forks and in a batch.
func goldenBF16(t *testing.T, dir, name string, pool *kernels.Pool) {
	if !slices.Contains(kernels.Precisions(), kernels.PrecisionBF16) {
		t.Skipf("not run: the %s kernels have no bf16", kernels.Tier())
	}
	l, err := Load(goldenCheckpoint(t, dir), pool, Choice{Precision: kernels.PrecisionBF16})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	g := goldenModel{Loaded: l, name: name, tensor: openTensors(t, filepath.Join(dir, "goldens.safetensors")), store: kv.NewStore(mem, l.PageFormat(), l.Shape().Dim, 0)}
	for _, n := range []int{17, 64, 300} {
		ids := g.ids(t, fmt.Sprintf("input_ids.%d", n))
		got := make([]float32, n*l.Shape().Vocab)
		s := g.open()
		if err := g.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: ids, Logits: got}}); err != nil {
			t.Fatal(err)
		}
		s.Release()
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
		for _, size := range []int{1, 7, 64} {
			g.chunked(t, ids, size, got)
		}
		g.forked(t, ids, got)
	}
	if err := g.store.Close(); err != nil {
		t.Error(err)
	}
	mem.AssertSize(t, 0)
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

// logits compares a prefill in one pass with the golden, and the same prompt in chunks, through a fork and in a ragged batch
// with the prefill in one pass, bit for bit.
func (g goldenModel) logits(t *testing.T) {
	ctx, v := context.Background(), g.Shape().Vocab
	whole := map[int][]float32{}
	var lengths []int
	for _, name := range g.tensor.Names() {
		s, ok := strings.CutPrefix(name, "input_ids.")
		n, err := strconv.Atoi(s)
		if !ok || err != nil {
			continue
		}
		ids := g.ids(t, name)
		lengths = append(lengths, n)
		whole[n] = make([]float32, n*v)
		s1 := g.open()
		if err := g.Forward(ctx, []engine.Chunk{{Session: s1, Tokens: ids, Logits: whole[n]}}); err != nil {
			t.Fatal(err)
		}
		s1.Release()
		compare(t, fmt.Sprintf("logits.%d", n), whole[n], g.floats(t, fmt.Sprintf("logits.%d", n)), tolerance(g.name, n))
		if _, ok := g.tensor.Tensor(g.prefix + fmt.Sprintf("logits_f64.%d", n)); ok {
			compare(t, fmt.Sprintf("logits_f64.%d", n), whole[n], g.floats(t, fmt.Sprintf("logits_f64.%d", n)), tolerance(g.name, n))
		}
		for _, size := range []int{1, 7, 64} {
			g.chunked(t, ids, size, whole[n])
		}
		g.forked(t, ids, whole[n])
	}
	var batch []engine.Chunk
	for _, n := range lengths {
		batch = append(batch, engine.Chunk{Session: g.open(), Tokens: g.ids(t, fmt.Sprintf("input_ids.%d", n)), Logits: make([]float32, n*v)})
	}
	if err := g.Forward(ctx, batch); err != nil {
		t.Fatal(err)
	}
	for i, n := range lengths {
		if !slices.Equal(batch[i].Logits, whole[n]) {
			t.Errorf("%d tokens: logits in a ragged batch differ from those alone", n)
		}
		batch[i].Session.Release()
	}
}

// chunked feeds ids size at a time.
func (g goldenModel) chunked(t *testing.T, ids []int32, size int, want []float32) {
	s := g.open()
	s.RopeLength = len(ids)
	defer s.Release()
	v := g.Shape().Vocab
	got := make([]float32, len(want))
	for lo := 0; lo < len(ids); lo += size {
		hi := min(lo+size, len(ids))
		if err := g.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: ids[lo:hi], Logits: got[lo*v : hi*v]}}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d tokens in chunks of %d: logits differ from one pass", len(ids), size)
	}
}

// forked feeds the first half of ids, forks twice, sends one branch elsewhere and the other through the rest.
func (g goldenModel) forked(t *testing.T, ids []int32, want []float32) {
	half, v := len(ids)/2, g.Shape().Vocab
	if half == 0 {
		return
	}
	root := g.open()
	root.RopeLength = len(ids)
	feed := func(s *engine.Session, ids []int32, logits []float32) {
		if err := g.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: ids, Logits: logits}}); err != nil {
			t.Fatal(err)
		}
	}
	feed(root, ids[:half], nil)
	other, branch := root.Fork(engine.Policy{}), root.Fork(engine.Policy{})
	feed(other, ids[:half], nil)
	root.Release()
	got := make([]float32, (len(ids)-half)*v)
	feed(branch, ids[half:], got)
	other.Release()
	branch.Release()
	if !slices.Equal(got, want[half*v:]) {
		t.Errorf("%d tokens through a fork: logits differ from one pass", len(ids))
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
