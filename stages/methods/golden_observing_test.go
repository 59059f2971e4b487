package methods

import (
	"fmt"
	"math"
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

// observingRunners are the runners, by folder and name of the file, of methods that decide by all queries of the prompt.
var observingRunners = map[string]func(*testing.T, vector){
	"h2o/h2o_prefill_a":                  goldenH2O,
	"h2o/h2o_decode_realdrop":            goldenH2ODecode,
	"kvpress/observed_attention_h2o":     goldenObservedAttention,
	"kvpress/expected_attention":         goldenExpectedAttention,
	"kvpress/expected_attention_eps":     goldenExpectedAttention,
	"kvpress/expected_attention_nocov":   goldenExpectedAttention,
	"kvpress/expected_attention_novnorm": goldenExpectedAttention,
	"think/key_pruner":                   goldenThinK,
	"kvpress/think":                      goldenThinKPress,
	"kvpress/duoattention":               goldenDuoAttention,
	"kvpress/kvzip_chunk":                goldenKVzip,
	"kvpress/kvzip_global_prune":         goldenKVzipPrune,
	"kvpress/adakv_expected_attention":   goldenAdaptiveExpectedAttention,
}

// inputs opens the queries, keys and values that the vectors of kvpress share.
func inputs(t *testing.T) vector {
	t.Helper()
	f, err := safetensors.Open(goldenPath("methods", "kvpress", "module_inputs.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return vector{f}
}

// perQueryHead gives every query head of a bench a KV head of its own, as references do that repeat keys.
func (b *bench) perQueryHead(p engine.Policy) *bench {
	c := *b
	c.shape.KVHeads = b.shape.Heads
	spread := func(x []float32) (y []float32) {
		d := b.shape.Dim
		for at := 0; at < len(x); at += d {
			for range b.shape.Group() {
				y = append(y, x[at:at+d]...)
			}
		}
		return y
	}
	c.k, c.v = spread(b.k), spread(b.v)
	c.session = engine.NewSession(c.shape, kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, c.shape.Dim, 0), p)
	return &c
}

func goldenH2O(t *testing.T, v vector) {
	window, capacity := v.setting(t, "window_size"), v.setting(t, "max_capacity_prompt")
	p := policy(t, "h2o:budget=%d,recent=%d", capacity, window)
	grouped := newBench(t, v, p)
	for prefix, b := range map[string]*bench{"": grouped.perQueryHead(p), "kvhead_mean_": grouped} {
		b.attend(t, false)
		l := b.session.Layers[0]
		edit := p.Compress(0, l, kv.Window{})
		m, k := b.n-window, capacity-window
		want, _ := v.floats(t, prefix+"acc_scores")
		indices := v.ints(t, prefix+"topk_indices_in_order")
		for h := range b.shape.KVHeads {
			scores := l.Observer(receivedName).(*received).scores(h, false)
			near(t, fmt.Sprintf("%sacc_scores of head %d", prefix, h), scores[:m], want[h*m:(h+1)*m], scoreAbsolute, scoreRelative)
			sameChoice(t, fmt.Sprintf("%shead %d", prefix, h), edit.Keep[h][:k], indices[h*k:(h+1)*k], want[h*m:(h+1)*m])
			if first := edit.Keep[h][k]; int(first) != m || len(edit.Keep[h]) != capacity {
				t.Errorf("head %d keeps %d tokens, the latest from %d on", h, len(edit.Keep[h]), first)
			}
		}
	}
}

// goldenH2ODecode runs the part of a rolling cache's vector that a single choice reaches: what is left after the prompt.
func goldenH2ODecode(t *testing.T, v vector) {
	recent, n := v.setting(t, "recent_size"), v.setting(t, "prefill")
	b := newBench(t, v, policy(t, "h2o:budget=%d,recent=%d", v.setting(t, "hh_size")+recent, recent))
	d := b.shape.Dim
	b.n, b.qRows = n, n
	b.q, b.k, b.v = b.q[:n*b.shape.Heads*d], b.k[:n*b.shape.KVHeads*d], b.v[:n*b.shape.KVHeads*d]
	b.attend(t, false)
	l := b.session.Layers[0]
	want, _ := v.floats(t, "scores_after_prefill")
	var got []float32
	edit := b.session.Policy.Compress(0, l, kv.Window{})
	for h, keep := range edit.Keep {
		scores := l.Observer(receivedName).(*received).scores(h, false)
		for _, s := range keep {
			got = append(got, scores[s])
		}
	}
	near(t, "scores_after_prefill", got, want, scoreAbsolute, scoreRelative)
	if err := b.session.Settle(nil); err != nil {
		t.Fatal(err)
	}
	keys, _ := v.floats(t, "k_after_prefill")
	near(t, "k_after_prefill", keysOf(l), keys, 0, 0)
	t.Log("not run: decode_out, scores_end and k_end, which go on evicting at every step; here a method decides once")
}

// keysOf is all keys of a layer, [KVHeads, slots, Dim].
func keysOf(l *kv.Layer) []float32 {
	var all []float32
	for h := range l.Heads() {
		for s := range l.Slots(h) {
			k := make([]float32, l.Dim())
			l.Key(k, h, s)
			all = append(all, k...)
		}
	}
	return all
}

func goldenObservedAttention(t *testing.T, v vector) {
	p := policy(t, "h2o:score=mean")
	b := newBench(t, inputs(t), p)
	b.attend(t, false)
	sameScores(t, v, b, func(h int) []float32 {
		return b.session.Layers[0].Observer(receivedName).(*received).scores(h, true)
	})
}

// sameScores compares the scores of each KV head, and which tokens are the best, with a vector of kvpress.
func sameScores(t *testing.T, v vector, b *bench, scores func(h int) []float32) {
	t.Helper()
	want, _ := v.floats(t, "scores")
	kept := v.ints(t, "kept_indices_sorted")
	k := len(kept) / b.shape.KVHeads
	for h := range b.shape.KVHeads {
		got, w := scores(h), want[h*b.n:(h+1)*b.n]
		near(t, fmt.Sprintf("scores of head %d", h), got, w, scoreAbsolute, scoreRelative)
		sameChoice(t, fmt.Sprintf("head %d", h), kernels.TopK(nil, got, k), kept[h*k:(h+1)*k], w)
	}
}

// rotateHalf is the rotation of the vectors of kvpress: pairs of channels i and i+d/2.
func rotateHalf(base float64) func(x []float32, from, to []int32, _ int) {
	return func(x []float32, from, to []int32, _ int) {
		d := len(x) / len(from)
		for i := range from {
			v := x[i*d : (i+1)*d]
			for j := range d / 2 {
				sin, cos := math.Sincos(float64(to[i]-from[i]) * math.Pow(base, -2*float64(j)/float64(d)))
				a, b := float64(v[j]), float64(v[j+d/2])
				v[j], v[j+d/2] = float32(a*cos-b*sin), float32(b*cos+a*sin)
			}
		}
	}
}

// goldenExpectation runs the inputs of kvpress through Expected Attention with the vector's settings, those of more put first.
func goldenExpectation(t *testing.T, v vector, more string) (*bench, expectation) {
	t.Helper()
	in := inputs(t)
	s := engine.Shape{Rotate: rotateHalf(float64(in.setting(t, "rope_base")))}
	set := func(key, as string) {
		if v.Metadata()[key] != "" {
			more += "," + as + "=" + v.Metadata()[key]
		}
	}
	more += map[bool]string{true: ",spread=none"}[v.Metadata()["use_covariance"] == "false"]
	more += map[bool]string{true: ",values=none"}[v.Metadata()["use_vnorm"] == "false"]
	more += map[bool]string{true: ",epsilon=0"}[v.Metadata()["epsilon"] == ""]
	set("epsilon", "epsilon")
	set("n_sink", "sinks")
	set("n_future_positions", "future")
	set("alpha_safeguard", "floor")
	p, err := Parse("expectedattention:"+more, s)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, in, p)
	b.attend(t, false)
	number := func(key string, otherwise int) int {
		if v.Metadata()[key] == "" {
			return otherwise
		}
		return v.setting(t, key)
	}
	x := expectation{
		shape: s, sinks: number("n_sink", 4), future: v.setting(t, "n_future_positions"),
		covariance: v.Metadata()["use_covariance"] != "false", norms: v.Metadata()["use_vnorm"] != "false",
	}
	if e := v.Metadata()["epsilon"]; e != "" {
		if _, err := fmt.Sscan(e, &x.epsilon); err != nil {
			t.Fatal(err)
		}
	}
	return b, x
}

func goldenExpectedAttention(t *testing.T, v vector) {
	k := len(v.ints(t, "kept_indices_sorted")) / 2
	b, x := goldenExpectation(t, v, fmt.Sprintf("budget=%d,heads=uniform", k))
	l, d := b.session.Layers[0], b.shape.Dim
	turn := meanTurn(x.shape, d, b.n, x.future)
	means, _ := v.floats(t, "mean_query_avg_rope")
	for h, m := range l.Observer(x.observation().Name).(*queries).heads {
		mean, cov := m.turned(turn)
		near(t, fmt.Sprintf("mean_query_avg_rope of head %d", h), mean, means[h*d:(h+1)*d], scoreAbsolute, scoreRelative)
		if x.covariance {
			covs, _ := v.floats(t, "cov_query_avg_rope")
			near(t, fmt.Sprintf("cov_query_avg_rope of head %d", h), cov, covs[h*d*d:(h+1)*d*d], scoreAbsolute, scoreRelative)
		}
	}
	scores := x.scores(l)
	sameScores(t, v, b, func(h int) []float32 { return scores[h] })
	kept := v.ints(t, "kept_indices_sorted")
	if got := slices.Concat(b.session.Policy.Compress(0, l, kv.Window{}).Keep...); !slices.Equal(got, kept) {
		t.Errorf("kept %v, want %v", got, kept)
	}
}

func goldenAdaptiveExpectedAttention(t *testing.T, v vector) {
	n := v.ints(t, "head_budgets")
	mask := v.bools(t, "keep_mask")
	b, _ := goldenExpectation(t, v, fmt.Sprintf("budget=%d", pressed(t, v, len(mask)/len(n))))
	edit := b.session.Policy.Compress(0, b.session.Layers[0], kv.Window{})
	sameKept(t, edit.Keep, b.n, mask)
	for h, keep := range edit.Keep {
		if len(keep) != int(n[h]) {
			t.Errorf("head %d keeps %d tokens, want %d", h, len(keep), n[h])
		}
	}
}

// sameKept compares the slots kept of each head with a mask [heads, n].
func sameKept(t *testing.T, keep [][]int32, n int, mask []bool) {
	t.Helper()
	got := make([]bool, len(mask))
	for h, slots := range keep {
		for _, s := range slots {
			got[h*n+int(s)] = true
		}
	}
	if !slices.Equal(got, mask) {
		t.Errorf("other tokens are kept")
	}
}

func goldenKVzip(t *testing.T, v vector) {
	in := inputs(t)
	lo, hi := v.setting(t, "start"), v.setting(t, "end")
	b := newBench(t, in, engine.Policy{})
	b.attend(t, false)
	hidden, hs := v.floats(t, "hidden_repeat")
	project, ws := in.floats(t, "w_q")
	k, ks := v.floats(t, "k_repeat")
	values, _ := v.floats(t, "v_repeat")
	n, d := hs[1], b.shape.Dim
	q, from, to := make([]float32, n*ws[0]), make([]int32, n*b.shape.Heads), []int32(nil)
	for r := range n {
		kernels.KeyScores(q[r*ws[0]:(r+1)*ws[0]], hidden[r*hs[2]:(r+1)*hs[2]], project, 1)
		for range b.shape.Heads {
			to = append(to, int32(b.n+r))
		}
	}
	rotateHalf(float64(in.setting(t, "rope_base")))(q, from, to, 0)
	l := b.session.Layers[0]
	if err := l.Append(rows(k, ks), rows(values, ks), make([]int32, n)); err != nil {
		t.Fatal(err)
	}
	o := &repeated{sinks: v.setting(t, "n_sink"), lo: lo, hi: hi, from: b.n}
	half := n / 2 * b.shape.Heads * d
	o.Observe(nil, l, q[:half], b.n, n/2)
	o.Observe(nil, l, q[half:], b.n+n/2, n-n/2)
	want, _ := v.floats(t, "scores_chunk")
	near(t, "scores_chunk", slices.Concat(o.top...), want, scoreAbsolute, scoreRelative)
}

func goldenKVzipPrune(t *testing.T, v vector) {
	x, shape := v.floats(t, "scores")
	heads, n := shape[2], shape[3]
	scores := make([][][]float32, shape[0])
	for i := range scores {
		for h := range heads {
			scores[i] = append(scores[i], x[(i*heads+h)*n:(i*heads+h+1)*n])
		}
	}
	keep := pressed(t, v, n)
	for across, name := range map[string]string{"model": "keep_global", "layer": "keep_layerwise"} {
		sameKept(t, slices.Concat(sharing(scores, keep, across)...), n, v.bools(t, name))
	}
}

func goldenDuoAttention(t *testing.T, v vector) {
	scores, shape := v.floats(t, "head_scores")
	var text strings.Builder
	for i, x := range scores {
		fmt.Fprint(&text, x, map[bool]string{true: "\n", false: "\t"}[(i+1)%shape[1] == 0])
	}
	file := filepath.Join(t.TempDir(), "full_attention_heads.tsv")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := engine.Shape{Layers: shape[0], Heads: shape[1], KVHeads: shape[1], Dim: 8, Vocab: 1}
	var streaming float64
	if _, err := fmt.Sscan(v.Metadata()["head_compression_ratio"], &streaming); err != nil {
		t.Fatal(err)
	}
	p, err := Parse(fmt.Sprintf("duoattention:sinks=%d,recent=%d,retrieval=%g,pattern=%s", v.setting(t, "sink"), v.setting(t, "recent"), 1-streaming, file), s)
	if err != nil {
		t.Fatal(err)
	}
	ses := engine.NewSession(s, kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, s.Dim, 0), p)
	defer ses.Release()
	n := len(v.bools(t, "keep_layer0")) / shape[1]
	feed(t, s, ses, n)
	edits, err := p.Revise(t.Context(), nil, ses)
	if err != nil {
		t.Fatal(err)
	}
	heads := v.bools(t, "streaming_heads")
	for i, e := range edits {
		sameKept(t, e.Keep, n, v.bools(t, fmt.Sprintf("keep_layer%d", i)))
		for h, keep := range e.Keep {
			if (len(keep) < n) != heads[i*shape[1]+h] {
				t.Errorf("layer %d, head %d keeps %d tokens of %d", i, h, len(keep), n)
			}
		}
	}
}

func goldenThinK(t *testing.T, v vector) {
	recent := v.setting(t, "recent_size")
	q, qs := v.floats(t, "q")
	k, ks := v.floats(t, "k")
	b := &bench{shape: engine.Shape{Layers: 1, Heads: qs[1], KVHeads: ks[1], Dim: ks[3], Vocab: 1}, n: ks[2], qRows: qs[2]}
	b.q, b.k, b.v = rows(q, qs), rows(k, ks), rows(k, ks) // it has no values
	p := policy(t, "think:ratio=%s,window=%d,recent=%d", v.Metadata()["ratio"], v.setting(t, "query_window"), recent)
	b.session = engine.NewSession(b.shape, kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, b.shape.Dim, 0), p)
	b.attend(t, false)
	if err := b.session.Settle(nil); err != nil {
		t.Fatal(err)
	}
	kept := v.bools(t, "keep_channel_mask")
	pruned, _ := v.floats(t, "k_pruned")
	whole, _ := v.floats(t, "k_recent")
	var cut, left []float32
	for i, x := range keysOf(b.session.Layers[0]) {
		c, s, h := i%b.shape.Dim, i/b.shape.Dim%b.n, i/b.shape.Dim/b.n
		switch {
		case s >= b.n-recent:
			left = append(left, x)
		case kept[h*b.shape.Dim+c]:
			cut = append(cut, x)
		case x != 0:
			t.Fatalf("head %d, slot %d: channel %d is %g, want it dropped", h, s, c, x)
		}
	}
	near(t, "k_pruned", cut, pruned, 0, 0)
	near(t, "k_recent", left, whole, 0, 0)
}

func goldenThinKPress(t *testing.T, v vector) {
	window := v.setting(t, "window_size")
	b := newBench(t, inputs(t), policy(t, "think:ratio=%s,window=%d,recent=0", v.Metadata()["key_channel_compression_ratio"], window))
	b.attend(t, false)
	l, d := b.session.Layers[0], b.shape.Dim
	scores, _ := v.floats(t, "channel_scores")
	for h := range b.shape.KVHeads {
		near(t, fmt.Sprintf("channel_scores of head %d", h), channelScores(l, l.Window(), h), scores[h*d:(h+1)*d], scoreAbsolute, scoreRelative)
	}
	if err := b.session.Settle(nil); err != nil {
		t.Fatal(err)
	}
	want, _ := v.floats(t, "k_out")
	near(t, "k_out", keysOf(l), want, 0, 0)
}
