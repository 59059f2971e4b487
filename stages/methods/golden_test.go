package methods

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
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
	"scbench/stages/models/safetensors"
)

// Tolerances of the golden vectors, as their README states them.
const (
	outputTolerance = 1e-4
	scoreRelative   = 1e-4
	scoreAbsolute   = 1e-5
)

// runners says how the vectors of each folder are run; a folder that is not listed is named and not run.
var runners = map[string]func(*testing.T, vector){
	"snapkv":       goldenSnapKV,
	"streamingllm": goldenStreamingLLM,
	"quest":        goldenQuest,
}

// unrun says of folders and files of the golden vectors why they are not run here.
var unrun = []struct{ name, reason string }{
	{"kvpress/module_inputs", "the inputs of the others"},
	{"kvpress/kvzip_plus_chunk", "KVzip+ weighs attention by the output projection and the residual stream, which no method sees"},
	{"kvpress/rerotated_snapkv", "no method here numbers SnapKV's tokens anew"},
	{"kivi/cache_", "keys and values are quantised in whole pages of 64 tokens here; see KIVI"},
	{"streamingllm/pos_shift", "a rolling cache, which evicts at every step; here a method decides once"},
	{"mamba1/jamba", "a mixer or a mixture of experts, whose models' tests run it"},
	{"mamba1/mixer", "a mixer, whose model's tests run it"},
	{"mamba2/block", "a mixer, whose model's tests run it"},
	{"mamba1/", "a kernel, whose tests run it"},
	{"mamba2/", "a kernel, whose tests run it"},
	{"kvpress/criticalkv", "not among the methods: it needs the output projection"},
	{"kvpress/criticaladakv", "not among the methods: it needs the output projection"},
	{"kvpress/", "not among the methods"},
	{"leank/", "not among the methods: it needs learned weights"},
	{"magicpig/", "not among the methods"},
	{"retroinfer/", "not among the methods"},
}

// notRun is the reason why a vector is not run, or "".
func notRun(name string) string {
	for _, u := range unrun {
		if strings.HasPrefix(name, u.name) {
			return u.reason
		}
	}
	return ""
}

// goldenPath is a path below the golden folder.
func goldenPath(parts ...string) string {
	root := os.Getenv("SCBENCH_GOLDEN")
	if root == "" {
		root = filepath.Join("..", "..", "testdata", "golden")
	}
	return filepath.Join(append([]string{root}, parts...)...)
}

// TestGoldenMethods runs every vector of the golden folder methods.
func TestGoldenMethods(t *testing.T) {
	files, err := filepath.Glob(goldenPath("methods", "*", "*.safetensors"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors in %s: %v", goldenPath("methods"), err)
	}
	var results report
	defer func() { results.print(t) }()
	for _, file := range files {
		folder := filepath.Base(filepath.Dir(file))
		t.Run(folder+"/"+strings.TrimSuffix(filepath.Base(file), ".safetensors"), func(t *testing.T) {
			name := folder + "/" + strings.TrimSuffix(filepath.Base(file), ".safetensors")
			results.add(t, name, "not run: "+notRun(name))
			run, ok := runners[folder]
			exact := false // whether a runner names the file itself, which goes before a reason not to run it
			for _, more := range []map[string]func(*testing.T, vector){generationRunners, observingRunners, windowRunners, loadingRunners, blendRunners} {
				if r := more[folder]; r != nil {
					run, ok = r, true
				}
				if r := more[name]; r != nil {
					run, ok, exact = r, true, true
				}
			}
			if reason := notRun(name); !exact && reason != "" {
				t.Skipf("not run: %s", reason)
			}
			if !ok {
				t.Fatalf("%s is neither run nor is there a reason why not", name)
			}
			f, err := safetensors.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			run(t, vector{f})
		})
	}
	tables, err := filepath.Glob(goldenPath("methods", "*", "*.json"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no tables in %s: %v", goldenPath("methods"), err)
	}
	for _, file := range tables {
		name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			table, ok := goldenTables[name]
			results.add(t, name, cmp.Or(table.reason, "not run: "+notRun(name)))
			switch {
			case !ok && notRun(name) == "":
				t.Fatalf("%s is neither run nor is there a reason why not", name)
			case !ok:
				t.Skipf("not run: %s", notRun(name))
			case table.run == nil:
				t.Skip(table.reason)
			}
			table.run(t, file)
		})
	}
}

// vector is one golden file.
type vector struct{ *safetensors.File }

func (v vector) has(name string) bool { _, ok := v.Tensor(name); return ok }

func (v vector) floats(t *testing.T, name string) ([]float32, []int) {
	t.Helper()
	x, ok := v.Tensor(name)
	if !ok {
		t.Fatalf("%s has no tensor %s", v.Name(), name)
	}
	f, err := x.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return f, x.Shape
}

func (v vector) ints(t *testing.T, name string) []int32 {
	t.Helper()
	x, ok := v.Tensor(name)
	if !ok {
		t.Fatalf("%s has no tensor %s", v.Name(), name)
	}
	n, err := x.Int32s()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (v vector) bools(t *testing.T, name string) []bool {
	t.Helper()
	x, ok := v.Tensor(name)
	if !ok {
		t.Fatalf("%s has no tensor %s", v.Name(), name)
	}
	b, err := x.Bools()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (v vector) setting(t *testing.T, name string) int {
	t.Helper()
	var n int
	if err := json.Unmarshal([]byte(v.Metadata()[name]), &n); err != nil {
		t.Fatalf("%s: metadata %s: %v", v.Name(), name, err)
	}
	return n
}

// rows turns [1, heads, n, d] into [n, heads, d].
func rows(x []float32, shape []int) []float32 {
	heads, n, d := shape[1], shape[2], shape[3]
	out := make([]float32, len(x))
	for h := range heads {
		for i := range n {
			copy(out[(i*heads+h)*d:(i*heads+h+1)*d], x[(h*n+i)*d:(h*n+i+1)*d])
		}
	}
	return out
}

// bench is a session of one layer that holds a vector's keys and values.
type bench struct {
	shape   engine.Shape
	session *engine.Session
	q       []float32 // [rows, heads, d]
	qRows   int
	k, v    []float32
	n       int
}

// newKVBench is a session that holds a vector's keys and values, whose queries do not matter.
func newKVBench(t *testing.T, v vector, p engine.Policy) *bench {
	t.Helper()
	k, shape := v.floats(t, "k")
	val, _ := v.floats(t, "v")
	b := &bench{shape: engine.Shape{Layers: 1, Heads: shape[1], KVHeads: shape[1], Dim: shape[3], Vocab: 1}, n: shape[2], qRows: shape[2]}
	b.k, b.v = rows(k, shape), rows(val, shape)
	b.q = make([]float32, len(b.k))
	b.session = engine.NewSession(b.shape, kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, b.shape.Dim, 0), p)
	b.attend(t, false)
	return b
}

// policyFor parses a specification for heads as wide as the vector's.
func policyFor(t *testing.T, v vector, format string, args ...any) engine.Policy {
	t.Helper()
	_, shape := v.floats(t, "k")
	p, err := Parse(fmt.Sprintf(format, args...), engine.Shape{Dim: shape[3]})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newBench(t *testing.T, v vector, p engine.Policy) *bench {
	q, qs := v.floats(t, "q")
	k, ks := v.floats(t, "k")
	val, _ := v.floats(t, "v")
	b := &bench{shape: engine.Shape{Layers: 1, Heads: qs[1], KVHeads: ks[1], Dim: ks[3], Vocab: 1}, n: ks[2], qRows: qs[2]}
	b.q, b.k, b.v = rows(q, qs), rows(k, ks), rows(val, ks)
	store := kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, b.shape.Dim, 0)
	b.session = engine.NewSession(b.shape, store, p)
	return b
}

// attend feeds all tokens; the vector's queries are those of the last rows. settled says that the first prompt is over before.
func (b *bench) attend(t *testing.T, settled bool) []float32 {
	t.Helper()
	if settled {
		if err := b.session.Settle(nil); err != nil {
			t.Fatal(err)
		}
	}
	step, err := engine.Begin(context.Background(), b.shape, nil, []engine.Chunk{{Session: b.session, Tokens: make([]int32, b.n)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := step.Append(0, b.k, b.v, 0, b.n); err != nil {
		t.Fatal(err)
	}
	w := b.shape.Heads * b.shape.Dim
	first := b.n - b.qRows
	step.Plan(0, func(lo, hi int) []float32 { return b.q[(lo-first)*w : (hi-first)*w] })
	out := make([]float32, len(b.q))
	step.Attend(0, out, b.q, first, b.n)
	if err := step.End(); err != nil {
		t.Fatal(err)
	}
	return out
}

func near(t *testing.T, what string, got, want []float32, abs, rel float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		if d := math.Abs(float64(got[i]) - float64(want[i])); math.IsNaN(d) || d > abs+rel*math.Abs(float64(want[i])) {
			t.Fatalf("%s: number %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}

// policy parses a specification.
func policy(t *testing.T, format string, args ...any) engine.Policy {
	t.Helper()
	p, err := Parse(fmt.Sprintf(format, args...), engine.Shape{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// goldenAShape runs the vectors of A-shape and Tri-shape, which share queries, keys and values.
func goldenAShape(t *testing.T, v vector) {
	sinks, local := v.setting(t, "n_init"), v.setting(t, "n_local")
	for name, p := range map[string]engine.Policy{
		"a_shape":   policy(t, "ashape:init=%d,local=%d", sinks, local),
		"tri_shape": policy(t, "trishape:init=%d,local=%d,last=%d", sinks, local, v.setting(t, "n_last")),
	} {
		b := newBench(t, v, p)
		want, shape := v.floats(t, name+"_out")
		near(t, name+"_out", b.attend(t, false), rows(want, shape), outputTolerance, 0)
		mask := v.bools(t, name+"_mask")
		pattern := p.Generate(0, engine.Tile{Hi: b.n}).Heads[0]
		for i := range b.n {
			got := make([]bool, b.n)
			for _, r := range kv.Runs(nil, pattern(nil, int32(i), int32(i)+1), int32(i)) {
				for j := r.Lo; j < r.Hi; j++ {
					got[j] = true
				}
			}
			if !slices.Equal(got, mask[i*b.n:(i+1)*b.n]) {
				t.Fatalf("%s_mask: row %d differs", name, i)
			}
		}
	}
}

func goldenSnapKV(t *testing.T, v vector) {
	window, capacity, width := v.setting(t, "window_size"), v.setting(t, "max_capacity_prompt"), v.setting(t, "kernel_size")
	pool := strings.TrimSuffix(v.Metadata()["pooling"], "pool")
	b := newBench(t, v, policy(t, "snapkv:budget=%d,window=%d,kernel=%d,pool=%s", capacity, window, width, pool))
	b.attend(t, false)
	l := b.session.Layers[0]
	w, group := l.Window(), b.shape.Group()
	edit := b.session.Policy.Compress(0, l, w)
	if b.n < capacity {
		if edit.Keep != nil {
			t.Error("a prompt below the capacity was compressed")
		}
		return
	}
	m := b.n - window
	scores, _ := v.floats(t, "pooled_scores")
	indices := v.ints(t, "topk_indices_in_order")
	k := len(indices) / b.shape.Heads
	var mean [][]float32
	for q := range b.shape.Heads {
		mass := windowMass(l, w, q/group, q)
		got := pooled(mass, width, pool)
		near(t, fmt.Sprintf("pooled_scores of head %d", q), got, scores[q*m:(q+1)*m], scoreAbsolute, scoreRelative)
		sameChoice(t, fmt.Sprintf("head %d", q), kernels.TopK(nil, got, k), indices[q*k:(q+1)*k], scores[q*m:(q+1)*m])
		if q%group == 0 {
			mean = append(mean, make([]float32, m))
		}
		for i, s := range mass {
			mean[q/group][i] += s / float32(group)
		}
	}
	if !v.has("kvhead_mean_pooled_scores") {
		t.Fatal("no kvhead_mean_pooled_scores")
	}
	scores, _ = v.floats(t, "kvhead_mean_pooled_scores")
	indices = v.ints(t, "kvhead_mean_topk_indices_in_order")
	for h := range b.shape.KVHeads {
		near(t, fmt.Sprintf("kvhead_mean_pooled_scores of head %d", h), pooled(mean[h], width, pool), scores[h*m:(h+1)*m], scoreAbsolute, scoreRelative)
		sameChoice(t, fmt.Sprintf("KV head %d", h), edit.Keep[h][:k], indices[h*k:(h+1)*k], scores[h*m:(h+1)*m])
		for i, s := range edit.Keep[h][k:] {
			if int(s) != m+i {
				t.Errorf("KV head %d: window slot %d is %d, want %d", h, i, s, m+i)
			}
		}
	}
}

// sameChoice compares chosen indices by their golden scores, since equal scores may be chosen in any order.
func sameChoice(t *testing.T, what string, got, want []int32, scores []float32) {
	t.Helper()
	pick := func(idx []int32) []float32 {
		var s []float32
		for _, i := range idx {
			s = append(s, scores[i])
		}
		slices.Sort(s)
		return s
	}
	near(t, what+": chosen scores", pick(got), pick(want), 1e-6, 0)
}

func goldenStreamingLLM(t *testing.T, v vector) {
	b := newBench(t, v, policy(t, "streamingllm:init=%d,local=%d", v.setting(t, "n_init"), v.setting(t, "n_local")))
	b.attend(t, false)
	if err := b.session.Settle(nil); err != nil {
		t.Fatal(err)
	}
	want, shape := v.floats(t, "k_out")
	values, _ := v.floats(t, "v_out")
	l := b.session.Layers[0]
	n, d, group := shape[2], shape[3], shape[1]/b.shape.KVHeads
	for q := range shape[1] {
		if l.Slots(q/group) != n {
			t.Fatalf("head %d keeps %d tokens, want %d", q, l.Slots(q/group), n)
		}
		for s := range n {
			at := (q*n + s) * d
			k, v := make([]float32, d), make([]float32, d)
			l.Key(k, q/group, s)
			l.Value(v, q/group, s)
			if !slices.Equal(k, want[at:at+d]) || !slices.Equal(v, values[at:at+d]) {
				t.Fatalf("head %d slot %d differs", q, s)
			}
		}
	}
}

func goldenQuest(t *testing.T, v vector) {
	page, budget := v.setting(t, "page_size"), v.setting(t, "token_budget")
	b := newBench(t, v, policy(t, "quest:budget=%d,page=%d,last=scored", budget, page))
	if b.qRows > 1 {
		goldenQuestChunk(t, v, page, budget)
		return
	}
	got := b.attend(t, true)
	scores, shape := v.floats(t, "page_scores")
	want := v.ints(t, "chosen_pages_in_order")
	pages, k := shape[2], len(v.ints(t, "chosen_pages_in_order"))/b.shape.Heads
	mask := v.bools(t, "token_mask")
	group, d := b.shape.Group(), b.shape.Dim
	for h := range b.shape.Heads {
		q := engine.Query{Group: b.q[h/group*group*d : (h/group+1)*group*d], KVHead: h / group, Slots: b.n}
		near(t, fmt.Sprintf("page_scores of head %d", h), questScores(b.session.Layers[0], q, h%group, page), scores[h*pages:(h+1)*pages], scoreAbsolute, scoreRelative)
		sorted := slices.Clone(want[h*k : (h+1)*k])
		slices.Sort(sorted)
		if chosen := questScored(b.session.Layers[0], q, h%group, budget, page); !slices.Equal(chosen, sorted) {
			t.Errorf("head %d chose pages %v, want %v", h, chosen, sorted)
		}
		seen := make([]bool, b.n)
		spans := make([][]kv.Span, group)
		b.session.Policy.Load(0, b.session.Layers[0], q, spans)
		for _, r := range kv.Runs(nil, spans[h%group], int32(b.n-1)) {
			for j := r.Lo; j < r.Hi; j++ {
				seen[j] = true
			}
		}
		if !slices.Equal(seen, mask[h*b.n:(h+1)*b.n]) {
			t.Errorf("head %d: token_mask differs", h)
		}
	}
	out, outShape := v.floats(t, "out")
	near(t, "out", got, rows(out, outShape), outputTolerance, 0)
}

// lifecycle is a trace of the reference's cache.
type lifecycle struct {
	Rows []struct {
		Method, Mode string
		Config       map[string]any
		Log          []struct {
			Event                string
			AttendedLenLastLayer *int `json:"attended_len_last_layer"`
			Stored               []int
			Temp, Seen           int
		}
	}
}

// specs makes the specification of a trace's method; methods that are not listed are named and not run.
var specs = map[string]func(map[string]any) string{
	"snapkv": func(c map[string]any) string {
		return fmt.Sprintf("snapkv:window=%v,budget=%v,kernel=%v,pool=%s", c["window_size"], c["max_capacity_prompt"], c["kernel_size"], strings.TrimSuffix(c["pooling"].(string), "pool"))
	},
	"pyramidkv": func(c map[string]any) string {
		return fmt.Sprintf("pyramidkv:window=%v,budget=%v,kernel=%v,pool=%s", c["window_size"], c["max_capacity_prompt"], c["kernel_size"], strings.TrimSuffix(c["pooling"].(string), "pool"))
	},
	"streamingllm": func(c map[string]any) string {
		return fmt.Sprintf("streamingllm:init=%v,local=%v", c["n_init"], c["n_local"])
	},
}

// goldenLifecycle replays traces on sessions: what is temporary lives on a fork.
func goldenLifecycle(t *testing.T, file string) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var trace lifecycle
	if err := json.Unmarshal(b, &trace); err != nil {
		t.Fatal(err)
	}
	for _, row := range trace.Rows {
		t.Run(row.Method+"/"+row.Mode, func(t *testing.T) {
			spec, ok := specs[row.Method]
			if !ok {
				t.Skipf("not run: no method %s", row.Method)
			}
			shape := engine.Shape{Layers: 2, Heads: 4, KVHeads: 2, Dim: 8, Vocab: 1}
			p, err := Parse(spec(row.Config), shape)
			if err != nil {
				t.Fatal(err)
			}
			store := kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, shape.Dim, 0)
			base := engine.NewSession(shape, store, p)
			var temp *engine.Session
			was := 0
			for _, e := range row.Log {
				slots := 0
				switch {
				case len(base.Tokens) == 0:
					slots = feed(t, shape, base, e.Seen)
					if err := base.Settle(nil); err != nil {
						t.Fatal(err)
					}
				case e.Temp > was:
					if temp == nil {
						temp = base.Fork(p)
					}
					slots = feed(t, shape, temp, e.Temp-was)
				case e.Temp < was:
					temp.Release()
					temp = nil
				default:
					slots = feed(t, shape, base, e.Seen-len(base.Tokens))
				}
				was = e.Temp
				seen := len(base.Tokens) + e.Temp
				if e.AttendedLenLastLayer != nil && slots != *e.AttendedLenLastLayer || seen != e.Seen {
					t.Fatalf("%s: attended %d of %d seen, want %d of %d", e.Event, slots, seen, *e.AttendedLenLastLayer, e.Seen)
				}
				for l, want := range e.Stored {
					for h := range shape.KVHeads {
						if got := base.Layers[l].Slots(h); got != want {
							t.Fatalf("%s: layer %d head %d stores %d, want %d", e.Event, l, h, got, want)
						}
					}
				}
			}
			base.Release()
			if store.InUse() != 0 {
				t.Errorf("%d bytes left", store.InUse())
			}
		})
	}
}

// feed appends n random tokens and returns the number of slots that the last of them may read in the last layer.
func feed(t *testing.T, shape engine.Shape, s *engine.Session, n int) int {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(n), uint64(len(s.Tokens))))
	random := func(heads int) []float32 {
		x := make([]float32, n*heads*shape.Dim)
		for i := range x {
			x[i] = r.Float32() - 0.5
		}
		return x
	}
	step, err := engine.Begin(context.Background(), shape, nil, []engine.Chunk{{Session: s, Tokens: make([]int32, n)}})
	if err != nil {
		t.Fatal(err)
	}
	for l := range shape.Layers {
		if err := step.Append(l, random(shape.KVHeads), random(shape.KVHeads), 0, n); err != nil {
			t.Fatal(err)
		}
		q := random(shape.Heads)
		step.Attend(l, make([]float32, len(q)), q, 0, n)
	}
	if err := step.End(); err != nil {
		t.Fatal(err)
	}
	return s.Layers[shape.Layers-1].Slots(0)
}
