package methods

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// windowRunners are the runners, by folder and name of the file, of methods that decide by the prompt's last queries, by position, or not
// at all, beside those of runners.
var windowRunners = map[string]func(*testing.T, vector){
	"pyramidkv/pyramidkv_a":          goldenPyramidKV,
	"pyramidkv/pyramidkv_mid":        goldenPyramidKV,
	"adakv/adakv_original_a":         goldenAdaKV,
	"adakv/adakv_original_b":         goldenAdaKV,
	"adakv/adakv_original_floor0":    goldenAdaKV,
	"kvpress/adakv_snapkv":           goldenGuardedAdaKV,
	"kvpress/tova":                   goldenTOVA,
	"kvpress/snapkv":                 goldenSnapPress,
	"kvpress/streamingllm":           goldenStreamingPress,
	"kvpress/rerotated_streamingllm": goldenRerotated,
	"kivi/quant_2bit":                goldenKIVI,
	"kivi/quant_4bit":                goldenKIVI,
}

func goldenPyramidKV(t *testing.T, v vector) {
	layers, window, capacity := v.setting(t, "num_hidden_layers"), v.setting(t, "window_size"), v.setting(t, "max_capacity_prompt")
	spec := fmt.Sprintf("pyramidkv:budget=%d,window=%d,kernel=%d,beta=%d", capacity, window, v.setting(t, "kernel_size"), v.setting(t, "beta"))
	p, err := Parse(spec, engine.Shape{Layers: layers})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, v, p).perQueryHead(p)
	b.attend(t, false)
	l := b.session.Layers[0]
	total := v.ints(t, "total_len_per_layer")
	scores, _ := v.floats(t, "pooled_scores")
	m := b.n - window
	for layer := range layers {
		want := v.ints(t, fmt.Sprintf("kept_sorted_layer%d", layer))
		keep := p.Compress(layer, l, l.Window()).Keep
		for h := range b.shape.KVHeads {
			k := len(want) / b.shape.KVHeads
			if len(keep[h]) != int(total[layer]) || k != len(keep[h])-window {
				t.Fatalf("layer %d keeps %d tokens, want %d", layer, len(keep[h]), total[layer])
			}
			sameChoice(t, fmt.Sprintf("layer %d, head %d", layer, h), keep[h][:k], want[h*k:(h+1)*k], scores[h*m:(h+1)*m])
		}
	}
}

// goldenPyramidSchedule runs the tables of how many tokens each layer keeps.
func goldenPyramidSchedule(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Beta int
		Rows []struct {
			Layers, Window, Capacity, N int
			Total                       []*int `json:"total_len_per_layer"`
		}
	}
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, r := range table.Rows {
		for layer, want := range r.Total {
			if want == nil {
				continue // not sampled
			}
			got := r.N
			if r.N >= r.Capacity {
				got = pyramidKept(r.Capacity-r.Window, r.N, r.Window, table.Beta, r.Layers, layer) + r.Window
			}
			if compared++; got != *want {
				t.Errorf("layer %d of %d, window %d, capacity %d, %d tokens: keeps %d, want %d", layer, r.Layers, r.Window, r.Capacity, r.N, got, *want)
			}
		}
	}
	if compared == 0 {
		t.Error("the table is empty")
	}
}

// goldenAdaKV runs a vector with a KV head for every query head, as the reference does, and with the mean of each group.
func goldenAdaKV(t *testing.T, v vector) {
	window := v.setting(t, "window_size")
	normalize := map[string]string{"true": "on", "false": "off"}[v.Metadata()["normalize"]]
	p := policy(t, "adakv:budget=%d,window=%d,kernel=%d,floor=%s,normalize=%s", v.setting(t, "max_capacity_prompt"), window, v.setting(t, "kernel_size"), v.Metadata()["floor"], normalize)
	grouped := newBench(t, v, p)
	for prefix, b := range map[string]*bench{"": grouped.perQueryHead(p), "kvhead_": grouped} {
		b.attend(t, false)
		l := b.session.Layers[0]
		lens := v.ints(t, prefix+"head_lens")
		want, _ := v.floats(t, prefix+"pooled_scores")
		keys, _ := v.floats(t, prefix+"k_flat")
		m, d := b.n-window, b.shape.Dim
		o := observed{window: window, width: v.setting(t, "kernel_size"), pool: "max"}
		keep := p.Compress(0, l, l.Window()).Keep
		for h := range b.shape.KVHeads {
			scores := o.scores(l, l.Window(), h)
			for i := range scores {
				scores[i] /= float32(window) // the reference takes the mean over the window
			}
			near(t, fmt.Sprintf("%spooled_scores of head %d", prefix, h), scores, want[h*m:(h+1)*m], scoreAbsolute, scoreRelative)
			if len(keep[h]) != int(lens[h]) {
				t.Errorf("%shead %d keeps %d tokens, want %d", prefix, h, len(keep[h]), lens[h])
				continue
			}
			sameChoice(t, fmt.Sprintf("%shead %d", prefix, h), keep[h][:len(keep[h])-window], slotsOf(t, b, h, keys[:int(lens[h])*d])[:len(keep[h])-window], want[h*m:(h+1)*m])
			keys = keys[int(lens[h])*d:]
		}
	}
}

// slotsOf finds keys of head h in the bench: the slot of each, in the order given.
func slotsOf(t *testing.T, b *bench, h int, keys []float32) (slots []int32) {
	t.Helper()
	d := b.shape.Dim
	for at := 0; at < len(keys); at += d {
		found := -1
		for s := 0; s < b.n && found < 0; s++ {
			from := (s*b.shape.KVHeads + h) * d
			if slices.Equal(b.k[from:from+d], keys[at:at+d]) {
				found = s
			}
		}
		if found < 0 {
			t.Fatalf("a key of head %d is not in the prompt", h)
		}
		slots = append(slots, int32(found))
	}
	return slots
}

// pressed is the number of tokens that a vector of kvpress keeps of n.
func pressed(t *testing.T, v vector, n int) int {
	t.Helper()
	var ratio float64
	if _, err := fmt.Sscan(v.Metadata()["compression_ratio"], &ratio); err != nil {
		t.Fatal(err)
	}
	return int(float64(n) * (1 - ratio))
}

func goldenGuardedAdaKV(t *testing.T, v vector) {
	in := inputs(t)
	n := newBench(t, in, policy(t, "full")).n
	p := policy(t, "adakv:rule=guarded,kernel=5,pool=avg,budget=%d,window=%d,floor=%s", pressed(t, v, n), v.setting(t, "window_size"), v.Metadata()["alpha_safeguard"])
	b := newBench(t, in, p)
	b.attend(t, false)
	l := b.session.Layers[0]
	keep := p.Compress(0, l, l.Window()).Keep
	sameKept(t, keep, b.n, v.bools(t, "keep_mask"))
	for h, want := range v.ints(t, "head_budgets") {
		if len(keep[h]) != int(want) {
			t.Errorf("head %d keeps %d tokens, want %d", h, len(keep[h]), want)
		}
	}
}

func goldenTOVA(t *testing.T, v vector) {
	in := inputs(t)
	n := newBench(t, in, policy(t, "full")).n
	p := policy(t, "tova:budget=%d", pressed(t, v, n))
	b := newBench(t, in, p)
	b.attend(t, false)
	l := b.session.Layers[0]
	want, _ := v.floats(t, "scores")
	near(t, "scores before the last token", lastAttention(l, l.Window()), want[:n-1], scoreAbsolute, scoreRelative)
	kept := v.ints(t, "kept_indices_sorted")
	if got := slices.Concat(p.Compress(0, l, l.Window()).Keep...); !slices.Equal(got, kept) {
		t.Errorf("kept %v, want %v", got, kept)
	}
}

// goldenSnapPress compares scores before the window, which kvpress divides by its length, and what is kept.
func goldenSnapPress(t *testing.T, v vector) {
	in := inputs(t)
	n, window := newBench(t, in, policy(t, "full")).n, v.setting(t, "window_size")
	p := policy(t, "snapkv:budget=%d,window=%d,kernel=%d", pressed(t, v, n), window, v.setting(t, "kernel_size"))
	b := newBench(t, in, p)
	b.attend(t, false)
	l := b.session.Layers[0]
	want, _ := v.floats(t, "scores")
	o := observed{window: window, width: v.setting(t, "kernel_size"), pool: "avg"}
	keep := p.Compress(0, l, l.Window()).Keep
	kept := v.ints(t, "kept_indices_sorted")
	k := len(kept) / b.shape.KVHeads
	for h := range b.shape.KVHeads {
		scores := o.scores(l, l.Window(), h)
		for i := range scores {
			scores[i] /= float32(window)
		}
		near(t, fmt.Sprintf("scores of head %d", h), scores, want[h*n:h*n+n-window], scoreAbsolute, scoreRelative)
		sameChoice(t, fmt.Sprintf("head %d", h), keep[h], kept[h*k:(h+1)*k], want[h*n:(h+1)*n])
	}
}

func goldenStreamingPress(t *testing.T, v vector) {
	p, b := streamingPress(t, v, "original")
	kept := v.ints(t, "kept_indices_sorted")
	if got := slices.Concat(p.Compress(0, b.session.Layers[0], kv.Window{}).Keep...); !slices.Equal(got, kept) {
		t.Errorf("kept %v, want %v", got, kept)
	}
}

func streamingPress(t *testing.T, v vector, positions string) (engine.Policy, *bench) {
	t.Helper()
	in := inputs(t)
	n, sinks := newBench(t, in, policy(t, "full")).n, v.setting(t, "n_sink")
	p, err := Parse(fmt.Sprintf("streamingllm:init=%d,local=%d,positions=%s", sinks, pressed(t, v, n)-sinks, positions), engine.Shape{Rotate: rotateHalf(float64(in.setting(t, "rope_base")))})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, in, p)
	b.attend(t, false)
	return p, b
}

// goldenRerotated compares the cache after its tokens were numbered anew.
func goldenRerotated(t *testing.T, v vector) {
	_, b := streamingPress(t, v, "cache")
	if err := b.session.Settle(nil); err != nil {
		t.Fatal(err)
	}
	l := b.session.Layers[0]
	keys, _ := v.floats(t, "k_out")
	near(t, "k_out", keysOf(l), keys, outputTolerance, 0)
	values, _ := v.floats(t, "v_out")
	var got []float32
	for h := range l.Heads() {
		for s := range l.Slots(h) {
			x := make([]float32, l.Dim())
			l.Value(x, h, s)
			got = append(got, x...)
		}
	}
	near(t, "v_out", got, values, 0, 0)
}

// goldenKIVI quantises the vector's cache and compares what comes back. The vector's scales are float32; here they are rounded to
// binary16 before codes are chosen, so that a number near the middle between two codes may get the other one. Wanted is: all within a
// rounding of the scale, but one in a hundred, which may be off by a step.
func goldenKIVI(t *testing.T, v vector) {
	b := newKVBench(t, v, policyFor(t, v, "kivi:bits=%d,residual=0", v.setting(t, "bits")))
	if err := b.session.Settle(nil); err != nil {
		t.Fatal(err)
	}
	l := b.session.Layers[0]
	levels := float64(int(1)<<v.setting(t, "bits") - 1)
	for name, load := range map[string]func([]float32, int, int){"k_dequant": l.Key, "v_dequant": l.Value} {
		want, shape := v.floats(t, name)
		flips, d := 0, shape[3]
		x := make([]float32, d)
		for h := range shape[1] {
			for s := range shape[2] {
				load(x, h, s)
				for i, w := range want[(h*shape[2]+s)*d:][:d] {
					const widest = 8.0 // a group of normally distributed numbers spans less
					switch diff := math.Abs(float64(x[i] - w)); {
					case diff <= widest/1024:
					case diff <= 1.01*widest/levels:
						flips++
					default:
						t.Fatalf("%s of head %d, token %d: number %d is %g, want %g", name, h, s, i, x[i], w)
					}
				}
			}
		}
		t.Logf("%s: %d of %d codes differ", name, flips, len(want))
		if flips > len(want)/100 {
			t.Errorf("%s: %d of %d codes differ", name, flips, len(want))
		}
	}
	for h := range l.Heads() {
		for i := range l.Slots(h) / kernels.PageTokens {
			if f := l.Page(h, i).Format; f == kernels.PageF32 {
				t.Errorf("page %d of head %d is not quantised", i, h)
			}
		}
	}
}

// goldenQuestChunk feeds the last rows of a vector in one pass, whose signs are added up. The reference lets all rows see all keys, those
// after them too; compared are the scores and choices of pages, and the output of the last row, for which that is causal.
func goldenQuestChunk(t *testing.T, v vector, page, budget int) {
	p := policy(t, "quest:budget=%d,page=%d,last=scored,signs=chunk", budget, page)
	b := newBench(t, v, p)
	before := b.n - b.qRows
	w := b.shape.KVHeads * b.shape.Dim
	pos := make([]int32, before)
	l := b.session.Layers[0]
	if err := l.Append(b.k[:before*w], b.v[:before*w], pos); err != nil {
		t.Fatal(err)
	}
	b.session.Tokens = make([]int32, before)
	b.k, b.v, b.n = b.k[before*w:], b.v[before*w:], b.qRows
	got := b.attend(t, true)
	scores, shape := v.floats(t, "page_scores")
	chosen := v.ints(t, "chosen_pages_in_order")
	group, d, pages := b.shape.Group(), b.shape.Dim, shape[3]
	k := len(chosen) / (b.shape.Heads * b.qRows)
	for h := range b.shape.Heads {
		for r := range b.qRows {
			at := h*b.qRows + r
			q := engine.Query{Group: b.q[(r*b.shape.Heads+h/group*group)*d:][:group*d], KVHead: h / group, Slots: before + r + 1, Together: b.q}
			want := scores[at*pages : (at+1)*pages]
			near(t, fmt.Sprintf("page_scores of head %d, row %d", h, r), questScores(l, q, h%group, page), want, scoreAbsolute, scoreRelative)
			sameChoice(t, fmt.Sprintf("head %d, row %d", h, r), questScored(l, q, h%group, budget, page), chosen[at*k:(at+1)*k], want)
		}
	}
	out, _ := v.floats(t, "out")
	for h := range b.shape.Heads {
		at := ((b.qRows-1)*b.shape.Heads + h) * d
		near(t, fmt.Sprintf("out of head %d, last row", h), got[at:at+d], out[((h+1)*b.qRows-1)*d:][:d], outputTolerance, 0)
	}
}
