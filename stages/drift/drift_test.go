package drift

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scbench/kernels"
	"scbench/outputs"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/methods"
	"scbench/stages/models"
)

// analyse runs an analysis of a prompt of n random tokens on the embedded model.
func analyse(t *testing.T, threads, n int, a Analysis, policies ...engine.Policy) (rows []outputs.Drift, e *engine.Engine) {
	t.Helper()
	pool := kernels.NewPool(threads)
	t.Cleanup(pool.Close)
	m, err := models.LoadReference(pool, models.Choice{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	store := kv.NewStore(&kv.OffHeap{}, m.PageFormat(), m.Shape().Dim, 0)
	e = &engine.Engine{Model: m, Store: store, Pool: pool}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	a.Engine, a.Methods = e, policies
	if a.Heads == nil {
		a.Heads = Spread(m.Shape(), 12)
	}
	if err := a.Check(); err != nil {
		t.Fatal(err)
	}
	err = a.Run(t.Context(), prompt(n), func(r outputs.Drift) error { rows = append(rows, r); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return rows, e
}

func prompt(n int) []int32 {
	r := rand.New(rand.NewPCG(3, 4))
	p := make([]int32, n)
	for i := range p {
		p[i] = 100 + r.Int32N(400)
	}
	return p
}

func method(t *testing.T, spec string) engine.Policy {
	t.Helper()
	pool := kernels.NewPool(1)
	defer pool.Close()
	m, err := models.LoadReference(pool, models.Choice{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	p, err := methods.Parse(spec, m.Shape())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// keeping is a policy that keeps every second token of a prompt, and all that follow.
func keeping(name string, first int) engine.Policy {
	return engine.Policy{Name: name, Compress: func(_ int, l *kv.Layer, _ kv.Window) kv.Edit {
		keep := make([][]int32, l.Heads())
		for h := range keep {
			for i := first; i < l.Slots(h); i += 2 {
				keep[h] = append(keep[h], int32(i))
			}
		}
		return kv.Edit{Keep: keep}
	}}
}

// TestChoicesPartition wants two methods that share the prompt between them to read all of the attention between them, and what was
// generated twice.
func TestChoicesPartition(t *testing.T) {
	const n, tokens = 200, 20
	rows, _ := analyse(t, 2, n, Analysis{Tokens: tokens, Top: 16, Window: 8}, keeping("even", 0), keeping("odd", 1))
	for len(rows) > 0 && rows[0].Position == -1 {
		rows = rows[1:]
	}
	if len(rows)%3 != 0 || len(rows) == 0 {
		t.Fatalf("%d rows", len(rows))
	}
	for ; len(rows) > 0; rows = rows[3:] {
		full, even, odd := rows[0], rows[1], rows[2]
		if full.Method != "full" || even.Method != "even" || odd.Method != "odd" {
			t.Fatalf("methods %s, %s, %s", full.Method, even.Method, odd.Method)
		}
		if got, want := *even.ReadMass+*odd.ReadMass, 1+*full.GeneratedMass; math.Abs(got-want) > 1e-5 {
			t.Errorf("layer %d, head %d, position %d: %v and %v are read, %v are on generated tokens", full.Layer, full.Head, full.Position, *even.ReadMass, *odd.ReadMass, *full.GeneratedMass)
		}
		if got := *even.PromptMass + *odd.PromptMass; math.Abs(got-1) > 1e-5 {
			t.Errorf("layer %d, head %d, position %d: %v of the attention to the prompt is read", full.Layer, full.Head, full.Position, got)
		}
		if got := *even.KeysRead + *odd.KeysRead; got != float64(n+2*int(full.Position)+2) {
			t.Errorf("position %d: %v keys are read", full.Position, got)
		}
		if sum := total(full.DistanceMass); math.Abs(sum-1) > 1e-5 {
			t.Errorf("masses by distance sum to %v", sum)
		}
	}
}

func total(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum
}

// TestMethodsThatReadAll wants budgets beyond the prompt to read everything, positions that were numbered anew to be told from
// slots, and sparse prefill to read all that it stored.
func TestMethodsThatReadAll(t *testing.T) {
	all := []string{"snapkv:budget=4096,window=8", "quest:budget=4096,page=16", "ashape:init=8,local=32", "h2o:budget=4096", "kivi:bits=4,residual=32"}
	some := []string{"streamingllm:init=4,local=28", "streamingllm:init=4,local=28,positions=cache"}
	var policies []engine.Policy
	for _, spec := range slices.Concat(all, some) {
		policies = append(policies, method(t, spec))
	}
	const n = 150
	rows, _ := analyse(t, 2, n, Analysis{Tokens: 6, Top: 16, Window: 8}, policies...)
	seen := map[string][]float64{}
	for _, r := range rows {
		if r.Method == "full" {
			continue
		}
		seen[r.Method] = append(seen[r.Method], *r.ReadMass)
		i := slices.IndexFunc(policies, func(p engine.Policy) bool { return p.Name == r.Method })
		if i < len(all) {
			if math.Abs(*r.ReadMass-1) > 1e-5 || *r.ReadTop != 1 || *r.KeysRead != float64(n+int(r.Position)+1) {
				t.Errorf("%s at %d reads %v keys, %v of the attention, %v of the top", r.Method, r.Position, *r.KeysRead, *r.ReadMass, *r.ReadTop)
			}
		} else if *r.KeysRead != float64(32+int(r.Position)+1) {
			t.Errorf("%s at %d reads %v keys", r.Method, r.Position, *r.KeysRead)
		}
	}
	original, cache := seen[policies[len(all)].Name], seen[policies[len(all)+1].Name]
	if len(original) == 0 || !slices.Equal(original, cache) {
		t.Errorf("the same tokens are kept under other numbers, and cover %v and %v", original, cache)
	}
}

// TestGenerationIsGreedy compares the tokens with those of the engine's own decoding, and rows between thread counts and sets of methods.
func TestGenerationIsGreedy(t *testing.T) {
	const n, tokens = 120, 12
	a := Analysis{Tokens: tokens, Top: 8, Window: 4}
	rows, e := analyse(t, 2, n, a)
	var got []int32
	for _, r := range rows {
		if r.Position >= 0 && int(r.Position) == len(got) {
			got = append(got, r.Token)
		}
	}
	s := e.Open(engine.Policy{})
	defer s.Release()
	answer := engine.Answer{Session: s, Logits: make([]float32, e.Model.Shape().Vocab), Max: tokens}
	if _, err := e.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: prompt(n), Logits: answer.Logits}}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Settle(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := e.Decode(t.Context(), []*engine.Answer{&answer}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, answer.Tokens) {
		t.Errorf("generated %v, the engine decodes %v", got, answer.Tokens)
	}
	other, _ := analyse(t, 1, n, a, method(t, "snapkv:budget=32,window=4"))
	other = slices.DeleteFunc(other, func(r outputs.Drift) bool { return r.Method != "full" })
	if diff := cmp.Diff(rows, other); diff != "" {
		t.Errorf("rows depend on threads or on other methods:\n%s", diff)
	}
}

// TestAttention compares with the definition, in a layer with a window and a soft bound too.
func TestAttention(t *testing.T) {
	const n, dim = 70, 32
	r := rand.New(rand.NewPCG(5, 6))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	store := kv.NewStore(&kv.OffHeap{}, kernels.PageF32, dim, 0)
	l := kv.NewLayer(store, 2, 0)
	pos := make([]int32, n)
	for i := range pos {
		pos[i] = int32(i)
	}
	k := random(n * 2 * dim)
	if err := l.Append(k, random(n*2*dim), pos); err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	q := random(dim)
	for _, shape := range []engine.Shape{
		{Layers: 1, Heads: 4, KVHeads: 2, Dim: dim},
		{Layers: 1, Heads: 4, KVHeads: 2, Dim: dim, Softcap: 1.5, Sliding: []int{10}},
	} {
		h := head{at: Head{0, 3}, shape: shape}
		const slots = 66
		got := h.attention(nil, l, q, slots)
		want, sum := make([]float64, slots), 0.0
		for i := h.from(slots); i < slots; i++ {
			dot := 0.0
			for d := range dim {
				dot += float64(q[d]) * float64(k[(i*2+1)*dim+d])
			}
			if dot /= math.Sqrt(dim); shape.Softcap > 0 {
				dot = 1.5 * math.Tanh(dot/1.5)
			}
			want[i] = math.Exp(dot)
			sum += want[i]
		}
		nonzero := 0
		for i := range want {
			if math.Abs(want[i]/sum-float64(got[i])) > 1e-6 {
				t.Errorf("token %d: %v, want %v", i, got[i], want[i]/sum)
			}
			if got[i] > 0 {
				nonzero++
			}
		}
		if shape.Sliding != nil && nonzero != 10 {
			t.Errorf("%d tokens are read through a window of 10", nonzero)
		}
	}
}

// TestMeasures works the numbers of a small case out by hand.
func TestMeasures(t *testing.T) {
	h := head{top: 2, ref: []float32{0.5, 0.25, 0.125, 0.125}, refTop: []int32{0, 1}}
	m := h.measure([]float32{0.25, 0, 0.25, 0, 0.25, 0.25})
	// within the prompt p is 1/2, 0, 1/2, 0, so that the middle is 1/2, 1/8, 5/16, 1/16
	divergence := (0.5*math.Log(0.5/0.5) + 0.25*math.Log(0.25/0.125) + 0.125*math.Log(0.125/0.3125) + 0.125*math.Log(0.125/0.0625) +
		0.5*math.Log(0.5/0.5) + 0.5*math.Log(0.5/0.3125)) / 2
	want := measures{overlap: 0.5, top: 0.25, generated: 0.5, entropy: math.Log(4), divergence: divergence, distance: []float64{0.25, 0.25, 0.25, 0.25}}
	if !reflect.DeepEqual(round(m), round(want)) {
		t.Errorf("measures %+v, want %+v", m, want)
	}
	if m := h.measure([]float32{0, 0, 0, 0, 1}); m.divergence != math.Ln2 || m.generated != 1 || m.entropy != 0 {
		t.Errorf("attention that has left the prompt: %+v", m)
	}
}

func round(m measures) measures {
	for _, x := range []*float64{&m.overlap, &m.top, &m.generated, &m.entropy, &m.divergence} {
		*x = math.Round(*x*1e9) / 1e9
	}
	return m
}

func TestSpread(t *testing.T) {
	s := engine.Shape{Layers: 4, Heads: 6}
	for n := 1; n <= 30; n++ {
		heads := Spread(s, n)
		if len(heads) != min(n, 24) {
			t.Errorf("%d heads asked for: %v", n, heads)
		}
		layers := map[int]bool{}
		for _, h := range heads {
			layers[h.Layer] = true
			if h.Layer >= 4 || h.Head >= 6 {
				t.Errorf("head %v", h)
			}
		}
		if len(layers) != min(n, 4) {
			t.Errorf("%d heads asked for stand in %d layers", n, len(layers))
		}
	}
}

func TestCheck(t *testing.T) {
	pool := kernels.NewPool(1)
	defer pool.Close()
	m, err := models.LoadReference(pool, models.Choice{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, a := range []Analysis{
		{Heads: []Head{{m.Shape().Layers, 0}}},
		{Heads: []Head{{0, -1}}},
		{Methods: []engine.Policy{{Name: "x", Rewrite: func(context.Context, string) (string, error) { return "", nil }}}},
		{Methods: []engine.Policy{method(t, "cacheblend:chunk=64")}},
	} {
		a.Engine = &engine.Engine{Model: m, Pool: pool}
		if a.Check() == nil {
			t.Errorf("accepted: heads %v, %d methods", a.Heads, len(a.Methods))
		}
	}
}
