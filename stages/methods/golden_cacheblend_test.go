package methods

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/models"
)

// blendRunners run the vectors of CacheBlend and of what else is put together from chunks.
var blendRunners = map[string]func(*testing.T, vector){
	"cacheblend":                goldenCacheBlend,
	"cacheblend/lmcache_select": goldenBlendChoice,
	"cacheblend/rerotate":       goldenRerotate,
	"position_independent":      goldenToyModel,
}

// number reads a setting that is not a whole number.
func (v vector) number(t *testing.T, name string) float64 {
	t.Helper()
	var x float64
	if err := json.Unmarshal([]byte(v.Metadata()[name]), &x); err != nil {
		t.Fatalf("%s: metadata %s: %v", v.Name(), name, err)
	}
	return x
}

// chunkOf is a session that holds the same keys and values k and v [n, KVHeads, Dim] in all layers.
func chunkOf(t *testing.T, s engine.Shape, store *kv.Store, k, v []float32) *engine.Session {
	t.Helper()
	n := len(k) / (s.KVHeads * s.Dim)
	c := engine.NewSession(s, store, engine.Policy{})
	step, err := engine.Begin(t.Context(), s, nil, []engine.Chunk{{Session: c, Tokens: make([]int32, n)}})
	if err != nil {
		t.Fatal(err)
	}
	for l := range s.Layers {
		if err := step.Append(l, k, v, 0, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := step.End(); err != nil {
		t.Fatal(err)
	}
	return c
}

// goldenCacheBlend runs the check layer and a later one, on keys that are at their positions already.
func goldenCacheBlend(t *testing.T, v vector) {
	read := func(name string) []float32 {
		x, _ := v.floats(t, name)
		return x
	}
	_, qs := v.floats(t, "q")
	_, ks := v.floats(t, "k_fresh")
	n, suffix := ks[0], v.setting(t, "suffix_len")
	shape := engine.Shape{Layers: 2, Heads: qs[1] / 16, KVHeads: ks[1] / 16, Dim: 16, Vocab: 1, Rotate: func(_ []float32, _, _ []int32, _ int) {}}
	p, err := Parse(fmt.Sprintf("cacheblend:ratio=%g,last=%d,check=0,chunk=%d", v.number(t, "recomp_ratio"), suffix, n), shape)
	if err != nil {
		t.Fatal(err)
	}
	blend := *p.Retrieve
	blend.Choose = func(deviation []float32, known int) []int32 {
		near(t, "v_sqdiff_per_token", deviation, read("v_sqdiff_per_token")[:n-suffix], scoreAbsolute, scoreRelative)
		return p.Retrieve.Choose(deviation, known)
	}
	store := kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, shape.Dim, 0)
	chunk := chunkOf(t, shape, store, read("k_cached"), read("v_cached"))
	s := engine.NewSession(shape, store, p)
	step, err := engine.Begin(t.Context(), shape, nil, []engine.Chunk{{Session: s, Tokens: make([]int32, n), Blend: &engine.Blend{Chunking: &blend, Chunks: []*engine.Session{chunk}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := step.Append(0, read("k_fresh"), read("v_fresh"), 0, n); err != nil {
		t.Fatal(err)
	}
	rows := step.Select(0)
	if !slices.Equal(rows, v.ints(t, "selected_indices")) {
		t.Fatalf("rows %v go on, want %v", rows, v.ints(t, "selected_indices"))
	}
	var q []float32
	for _, r := range rows {
		q = append(q, read("q")[int(r)*qs[1]:(int(r)+1)*qs[1]]...)
	}
	out := make([]float32, len(q))
	step.Plan(0, nil)
	step.Attend(0, out, q, 0, len(rows))
	near(t, "check_layer_out_true_position_mask", out, read("check_layer_out_true_position_mask"), outputTolerance, 0)
	if err := step.Append(1, read("later_k"), read("later_v"), 0, len(rows)); err != nil {
		t.Fatal(err)
	}
	step.Plan(1, nil)
	step.Attend(1, out, read("later_q"), 0, len(rows))
	near(t, "later_out_true_position_mask", out, read("later_out_true_position_mask"), outputTolerance, 0)
	if err := step.End(); err != nil {
		t.Fatal(err)
	}
	k, val := held(s.Layers[1])
	if !slices.Equal(k, read("later_k_merged")) || !slices.Equal(val, read("later_v_merged")) {
		t.Error("other keys or values than later_k_merged and later_v_merged")
	}
	if s.Cost.Rows != int64(n) || s.Cost.Fresh != int64(len(rows)) {
		t.Errorf("%d rows of %d computed afresh, want %d of %d", s.Cost.Fresh, s.Cost.Rows, len(rows), n)
	}
}

// held is all keys and values of a layer, [slots, heads, dim].
func held(l *kv.Layer) (k, v []float32) {
	x := make([]float32, l.Dim())
	for i := range l.Slots(0) {
		for h := range l.Heads() {
			l.Key(x, h, i)
			k = append(k, x...)
			l.Value(x, h, i)
			v = append(v, x...)
		}
	}
	return k, v
}

// goldenBlendChoice runs the choice of LMCache: among tokens that have cached values as here, and all that have none, which here are
// the last of a context alone.
func goldenBlendChoice(t *testing.T, v vector) {
	p := policy(t, "cacheblend:ratio=%g", v.number(t, "recompute_ratio"))
	scores, _ := v.floats(t, "value_mse_masked")
	var valid []float32
	var at, got []int32
	for i, ok := range v.ints(t, "valid") {
		if ok != 0 {
			valid, at = append(valid, scores[i]), append(at, int32(i))
		} else {
			got = append(got, int32(i))
		}
	}
	for _, i := range p.Retrieve.Choose(valid, 0) {
		got = append(got, at[i])
	}
	slices.Sort(got)
	if want := v.ints(t, "selected_indices"); !slices.Equal(got, want) {
		t.Errorf("tokens %v, want %v", got, want)
	}
}

// goldenRerotate blends two chunks, of which the second begins where the vector's keys are to go, and computes only its last row afresh.
func goldenRerotate(t *testing.T, v vector) {
	old, dims := v.floats(t, "k_at_old")
	want, _ := v.floats(t, "k_at_new")
	const delta = 37 // as the vector's note says: 0..95 become 37..132
	shape := engine.Shape{Layers: 2, Heads: dims[1], KVHeads: dims[1], Dim: dims[3], Vocab: 1, Rotate: modelRope(t, v, dims[3]).Turn}
	p, err := Parse("cacheblend:ratio=0,last=1,check=0", shape)
	if err != nil {
		t.Fatal(err)
	}
	w := dims[1] * dims[3]
	k := rows(old, dims)
	store := kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, shape.Dim, 0)
	lead := chunkOf(t, shape, store, make([]float32, delta*w), make([]float32, delta*w))
	chunk := chunkOf(t, shape, store, k, k)
	s := engine.NewSession(shape, store, p)
	n := delta + dims[2]
	step, err := engine.Begin(t.Context(), shape, nil, []engine.Chunk{{Session: s, Tokens: make([]int32, n), Blend: &engine.Blend{Chunking: p.Retrieve, Chunks: []*engine.Session{lead, chunk}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := step.Append(0, make([]float32, n*w), make([]float32, n*w), 0, n); err != nil {
		t.Fatal(err)
	}
	if rows := step.Select(0); !slices.Equal(rows, []int32{int32(n - 1)}) {
		t.Fatalf("rows %v go on", rows)
	}
	if err := step.Append(1, make([]float32, w), make([]float32, w), 0, 1); err != nil {
		t.Fatal(err)
	}
	got, values := held(s.Layers[1])
	last := (dims[2] - 1) * w
	near(t, "k_at_new", got[delta*w:delta*w+last], rows(want, dims)[:last], 1e-5, 0)
	near(t, "values, which have no position", values[delta*w:delta*w+last], k[:last], 0, 0)
}

func modelRope(t *testing.T, v vector, dim int) models.Rope {
	t.Helper()
	c, err := models.ReadConfig("golden", fmt.Appendf(nil, `{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": %d, "num_attention_heads": 1, "num_hidden_layers": 1, "rope_theta": %g, "max_position_embeddings": 4096}`, dim, v.number(t, "rope_base")))
	if err != nil {
		t.Fatal(err)
	}
	r, err := models.NewRope(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// goldenToyModel runs the toy model as a Llama whose tokens are the rows of x: all of it at once; with nothing but the question computed
// afresh, which is Block-Attention; with the first tokens of each chunk, which is EPIC; and with those that CacheBlend chooses.
func goldenToyModel(t *testing.T, v vector) {
	pool := kernels.NewPool(2)
	defer pool.Close()
	m, err := models.Load(toyCheckpoint(t, v), pool, models.Choice{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var sizes []int
	if err := json.Unmarshal([]byte(v.Metadata()["chunk_lens"]), &sizes); err != nil {
		t.Fatal(err)
	}
	question := v.setting(t, "question_len")
	toy := toyModel{t: t, sizes: append(sizes, question), question: question, e: &engine.Engine{Model: m, Pool: pool, Store: kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, m.Shape().Dim, 0)}}
	toy.chunks(v)
	want := func(name string) []float32 {
		x, _ := v.floats(t, name)
		return x
	}
	near(t, "out_full", toy.full(), want("out_full"), outputTolerance, 0)
	if got := toy.blend("ratio=1,check=1", nil); !slices.Equal(got, toy.full()) {
		t.Error("with all rows computed afresh it is not full attention, bit for bit")
	}
	near(t, "out_block_attention", toy.blend("ratio=0,check=0", nil), want("out_block_attention"), outputTolerance, 0)
	for _, k := range []int{1, 4, 8} {
		links := func([]float32, int) (rows []int32) { // from the second chunk on, where deviations begin
			at := 0
			for _, size := range sizes[1:] {
				for i := range min(k, size) {
					rows = append(rows, int32(at+i))
				}
				at += size
			}
			return rows
		}
		name := fmt.Sprintf("out_epic_k%d", k)
		near(t, name, toy.blend("check=0", links), want(name), outputTolerance, 0)
	}
	settings := fmt.Sprintf("ratio=%g,check=%d", v.number(t, "cacheblend_ratio"), v.setting(t, "cacheblend_check_layer"))
	p := toy.policy(settings)
	near(t, "out_cacheblend", toy.blend(settings, func(deviation []float32, known int) []int32 {
		near(t, "cacheblend_v_deviation", deviation, want("cacheblend_v_deviation")[known:], scoreAbsolute, scoreRelative)
		rows := p.Retrieve.Choose(deviation, known)
		var got []int32
		for _, r := range rows {
			got = append(got, r+int32(known))
		}
		for i := range question {
			got = append(got, int32(known+len(deviation)+i))
		}
		if chosen := v.ints(t, "cacheblend_selected"); !slices.Equal(got, chosen) {
			t.Errorf("rows %v, want %v", got, chosen)
		}
		return rows
	}), want("out_cacheblend"), outputTolerance, 0)
	for _, c := range toy.apart {
		c.Release()
	}
	if n := toy.e.Store.InUse(); n != 0 {
		t.Errorf("%d bytes left", n)
	}
}

// toyModel is the toy model with its chunks; the question, which is computed afresh in any case, counts as one.
type toyModel struct {
	t        *testing.T
	e        *engine.Engine
	sizes    []int
	question int
	apart    []*engine.Session
}

// chunks computes the chunks, and compares their values with the vector's.
func (m *toyModel) chunks(v vector) {
	m.t.Helper()
	at := 0
	var values [][]float32
	for range m.e.Model.Shape().Layers {
		values = append(values, nil)
	}
	for _, size := range m.sizes {
		s := m.e.Open(engine.Policy{})
		if _, err := m.e.Forward(m.t.Context(), []engine.Chunk{{Session: s, Tokens: m.tokens()[at : at+size]}}); err != nil {
			m.t.Fatal(err)
		}
		m.apart = append(m.apart, s)
		at += size
		for l := range values {
			_, x := held(s.Layers[l])
			values[l] = append(values[l], x...)
		}
	}
	for l := range values {
		name := fmt.Sprintf("chunk_v_layer%d", l)
		want, dims := v.floats(m.t, name)
		near(m.t, name, values[l][:len(want)], rows(want, append([]int{1}, dims...)), outputTolerance, 0)
	}
}

func (m *toyModel) tokens() (ids []int32) {
	for i := range m.e.Model.Shape().Vocab {
		ids = append(ids, int32(i))
	}
	return ids
}

// answers returns what is to be compared: the question's rows after the last layer.
func (m *toyModel) answers(out *[]float32) func(layer int, x []float32) {
	return func(layer int, x []float32) {
		if s := m.e.Model.Shape(); layer == s.Layers {
			*out = slices.Clone(x[len(x)-m.question*s.Hidden:])
		}
	}
}

func (m *toyModel) full() (out []float32) {
	s := m.e.Open(engine.Policy{})
	defer s.Release()
	if _, err := m.e.Forward(m.t.Context(), []engine.Chunk{{Session: s, Tokens: m.tokens(), Hidden: m.answers(&out)}}); err != nil {
		m.t.Fatal(err)
	}
	return out
}

func (m *toyModel) policy(settings string) engine.Policy {
	m.t.Helper()
	p, err := Parse(fmt.Sprintf("cacheblend:%s,chunk=%d,last=%d", settings, m.sizes[0], m.question), m.e.Model.Shape())
	if err != nil {
		m.t.Fatal(err)
	}
	return p
}

// blend runs CacheBlend with the settings, and with another choice unless it is nil.
func (m *toyModel) blend(settings string, choose func(deviation []float32, known int) []int32) (out []float32) {
	m.t.Helper()
	p := m.policy(settings)
	if c := *p.Retrieve; choose != nil {
		c.Choose = choose
		p.Retrieve = &c
	}
	s := m.e.Open(p)
	defer s.Release()
	if _, err := m.e.Blend(m.t.Context(), engine.Chunk{Session: s, Hidden: m.answers(&out)}, m.apart); err != nil {
		m.t.Fatal(err)
	}
	return out
}

// toyCheckpoint writes the vector's weights as a checkpoint, and returns its folder.
func toyCheckpoint(t *testing.T, v vector) string {
	t.Helper()
	_, dims := v.floats(t, "x")
	tensors := map[string]string{"model.embed_tokens.weight": "x"}
	for l := range v.setting(t, "layers") {
		for to, from := range map[string]string{
			"self_attn.q_proj": "wq", "self_attn.k_proj": "wk", "self_attn.v_proj": "wv", "self_attn.o_proj": "wo",
			"mlp.gate_proj": "w1", "mlp.up_proj": "w3", "mlp.down_proj": "w2", "input_layernorm": "n1", "post_attention_layernorm": "n2",
		} {
			tensors[fmt.Sprintf("model.layers.%d.%s.weight", l, to)] = fmt.Sprintf("layer%d_%s", l, from)
		}
	}
	header := map[string]any{"model.norm.weight": map[string]any{"dtype": "F32", "shape": dims[1:], "data_offsets": []int{0, 4 * dims[1]}}}
	var data []byte
	add := func(x []float32) {
		for _, f := range x {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(f))
		}
	}
	add(make([]float32, dims[1]))
	for to, from := range tensors {
		x, shape := v.floats(t, from)
		header[to] = map[string]any{"dtype": "F32", "shape": shape, "data_offsets": []int{len(data), len(data) + 4*len(x)}}
		add(x)
	}
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := fmt.Sprintf(`{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "num_hidden_layers": %d, "hidden_size": %d,
		"num_attention_heads": %d, "num_key_value_heads": %d, "head_dim": %d, "intermediate_size": %d, "vocab_size": %d, "max_position_embeddings": 4096,
		"rms_norm_eps": %g, "rope_theta": %g, "tie_word_embeddings": true, "torch_dtype": "float32"}`,
		v.setting(t, "layers"), v.setting(t, "D"), v.setting(t, "Hq"), v.setting(t, "Hkv"), v.setting(t, "head_dim"), v.setting(t, "ffn"), dims[0],
		v.number(t, "rms_eps"), v.number(t, "rope_base"))
	for name, b := range map[string][]byte{
		"config.json":       []byte(config),
		"model.safetensors": slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head, data),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
