package methods

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// loadingRunners are the runners of methods that choose what each query reads.
var loadingRunners = map[string]func(*testing.T, vector){
	"retrieval_attention/scbench_flat": goldenRetrievalAttention,
	"shadowkv/reference":               goldenShadowKV,
	"infllm/a":                         goldenInfLLM,
}

// row feeds a bench row i alone and returns what attention makes of it.
func (b *bench) row(t *testing.T, s *engine.Session, i int) []float32 {
	t.Helper()
	step, err := engine.Begin(context.Background(), b.shape, nil, []engine.Chunk{{Session: s, Tokens: make([]int32, 1)}})
	if err != nil {
		t.Fatal(err)
	}
	w, wide := b.shape.KVHeads*b.shape.Dim, b.shape.Heads*b.shape.Dim
	if err := step.Append(0, b.k[i*w:(i+1)*w], b.v[i*w:(i+1)*w], 0, 1); err != nil {
		t.Fatal(err)
	}
	out := make([]float32, wide)
	step.Attend(0, out, b.q[i*wide:(i+1)*wide], 0, 1)
	if err := step.End(); err != nil {
		t.Fatal(err)
	}
	return out
}

// prompt makes a bench whose first n rows are a first prompt that is over.
func promptBench(t *testing.T, v vector, p engine.Policy, n int) *bench {
	t.Helper()
	b := newBench(t, v, p)
	all, rows := b.n, b.qRows
	b.n, b.qRows = n, n
	k, val, q := b.k, b.v, b.q
	w, wide := b.shape.KVHeads*b.shape.Dim, b.shape.Heads*b.shape.Dim
	b.k, b.v, b.q = k[:n*w], val[:n*w], q[:n*wide]
	b.attend(t, false)
	b.k, b.v, b.q, b.n, b.qRows = k, val, q, all, rows
	if err := b.session.Settle(nil); err != nil {
		t.Fatal(err)
	}
	return b
}

// goldenRetrievalAttention runs the prompt and the steps of the benchmark's code with its exact index: half of the steps as if their tokens
// were to stay, half as temporary ones.
func goldenRetrievalAttention(t *testing.T, v vector) {
	n, sinks, window := v.setting(t, "prefill"), v.setting(t, "start_size"), v.setting(t, "recent_size")
	spec := fmt.Sprintf("retrievalattention:sinks=%d,window=%d,topk=%d,index=flat", sinks, window, v.setting(t, "top_k"))
	stay := policy(t, "%s,later=indexed", spec)
	b := promptBench(t, v, stay, n)
	want, shape := v.floats(t, "decode_out")
	want = rows(want, shape)
	lens := v.ints(t, "index_and_device_lens")
	s := b.session
	inserted := 0
	for i := range shape[2] {
		if i > 0 && lens[2*i] == lens[2*i-2] && s == b.session { // from here on the index stays as it is
			s = s.Fork(policy(t, "%s", spec))
			s.Layers[0].Index().(*keyIndex).heads = slices.Clone(s.Layers[0].Index().(*keyIndex).heads)
			for h := range s.Layers[0].Heads() {
				s.Layers[0].Index().(*keyIndex).heads[h].end += inserted
			}
		}
		if s == b.session {
			inserted++
		}
		got := b.row(t, s, n+i)
		w := len(got)
		near(t, fmt.Sprintf("decode_out of step %d", i), got, want[i*w:(i+1)*w], outputTolerance, 0)
		spans := make([][]kv.Span, b.shape.Group())
		q := engine.Query{Group: b.q[(n+i)*w : (n+i)*w+b.shape.Group()*b.shape.Dim], Slots: n + i + 1}
		s.Policy.Load(0, s.Layers[0], q, spans)
		if static := int(spans[0][0].Hi) + n + i + 1 - int(spans[0][len(spans[0])-1].Lo); static != int(lens[2*i+1]) {
			t.Errorf("step %d: %d static keys, want %d", i, static, lens[2*i+1])
		}
	}
	if inserted == 0 || s == b.session {
		t.Errorf("%d steps with insertion and then none without: %s", inserted, fmt.Sprint(json.RawMessage(v.Metadata()["steps"])))
	}
}

// goldenShadowKV compares landmarks, outliers and chosen chunks, and what attention makes of them when the chosen keys are those of the
// reference's factorisation.
func goldenShadowKV(t *testing.T, v vector) {
	chunk, budget := v.setting(t, "chunk_size"), v.setting(t, "sparse_budget")
	b := newBench(t, v, policy(t, "shadowkv:budget=%d,chunk=%d,outliers=%d,local=%d", budget, chunk, v.setting(t, "outlier_chunk"), v.setting(t, "local_chunk")))
	b.attend(t, false)
	if err := b.session.Settle(nil); err != nil {
		t.Fatal(err)
	}
	l, d, group := b.session.Layers[0], b.shape.Dim, b.shape.Group()
	marks, _ := v.floats(t, "landmarks")
	ids, positions := v.ints(t, "landmark_chunk_ids"), v.ints(t, "selected_positions")
	low, lowShape := v.floats(t, "k_lowrank_prerope")
	rebuilt := rows(low, lowShape)
	turn := rotateHalf(10000)
	read := make([][]kv.Span, b.shape.KVHeads)
	for h := range b.shape.KVHeads {
		x := l.Index().(*landmarks).heads[h]
		each := len(ids) / b.shape.KVHeads
		if !slices.Equal(x.chunks, ids[h*each:(h+1)*each]) {
			t.Fatalf("head %d: chunks with landmarks %v, want %v", h, x.chunks, ids[h*each:(h+1)*each])
		}
		near(t, fmt.Sprintf("landmarks of head %d", h), x.means, marks[h*each*d:(h+1)*each*d], scoreAbsolute, scoreRelative)
		q := engine.Query{Group: b.q[h*group*d : (h+1)*group*d], KVHead: h, Slots: b.n}
		read[h] = append(slices.Clone(x.always), kv.Column(x.rest, int32(b.n)))
		var got []int32
		for _, i := range kernels.TopK(nil, x.scores(q, d, 128), budget/chunk) {
			lo := x.chunks[i] * int32(chunk)
			read[h] = append(read[h], kv.Column(lo, lo+int32(chunk)))
			for s := lo; s < lo+int32(chunk); s++ {
				got = append(got, s)
				at := (int(s)*b.shape.KVHeads + h) * d
				copy(b.k[at:at+d], rebuilt[at:at+d])
				turn(b.k[at:at+d], []int32{0}, []int32{s}, 0)
			}
		}
		each = len(positions) / b.shape.KVHeads
		if want := slices.Sorted(slices.Values(positions[h*each : (h+1)*each])); !slices.Equal(got, want) {
			t.Errorf("head %d reads %v, want %v", h, got, want)
		}
	}
	b.session = engine.NewSession(b.shape, kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, d, 0), engine.Policy{
		Load: func(_ int, _ *kv.Layer, q engine.Query, dst [][]kv.Span) int64 {
			for m := range dst {
				dst[m] = append(dst[m], read[q.KVHead]...)
			}
			return 0
		},
	})
	out, shape := v.floats(t, "out")
	near(t, "out", b.attend(t, true), rows(out, shape), outputTolerance, 0)
}

// goldenInfLLM computes the reference's blocked prompt, which is none of this method's, to know what each token received, and compares the
// representatives and the choices that the method makes of it.
func goldenInfLLM(t *testing.T, v vector) {
	n, size, init, local := v.setting(t, "n"), v.setting(t, "block_size"), v.setting(t, "n_init"), v.setting(t, "n_local")
	topk, chunk, repr := v.setting(t, "topk"), v.setting(t, "exc_block_size"), v.setting(t, "repr_topk")
	b := newBench(t, v, engine.Policy{})
	d, group := b.shape.Dim, b.shape.Group()
	turn := rotateHalf(float64(v.setting(t, "rope_base")))
	p := blocking{size: size, init: init, local: local, repr: repr, rotate: turn}
	plain := slices.Clone(b.k) // as at position 0
	for i := range b.n * b.shape.KVHeads {
		turn(b.k[i*d:(i+1)*d], []int32{0}, []int32{int32(i / b.shape.KVHeads)}, 0)
	}
	b.session = engine.NewSession(b.shape, kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, d, 0), engine.Policy{})
	full := b.n
	b.n, b.qRows = n, n
	k, q := b.k, b.q
	b.k, b.v, b.q = k[:n*b.shape.KVHeads*d], b.v[:n*b.shape.KVHeads*d], q[:n*b.shape.Heads*d]
	b.attend(t, false)
	l := b.session.Layers[0]

	ref := reference{v: v, p: p, plain: plain, q: q, shape: b.shape, topk: topk, weights: make([][]float32, b.shape.Heads)}
	for h := range ref.weights {
		ref.weights[h] = make([]float32, full)
	}
	want := v.ints(t, "chosen_blocks_per_chunk")
	for c := 0; c*chunk < n; c++ {
		lo := c * chunk
		made := max(0, lo-init-local) / size
		x := p.index(l, &nearby{heads: ref.weights})
		picked := ref.choose(x, lo, lo+chunk, made)
		blocksAre(t, fmt.Sprintf("chunk %d", c), picked, want[c*topk:(c+1)*topk])
		ref.prompt(lo, lo+chunk, made, picked)
	}
	x := p.index(l, &nearby{heads: ref.weights})
	reps, shape := v.floats(t, "block_repr")
	for h := range b.shape.KVHeads {
		if x.heads[h].n != shape[0] {
			t.Fatalf("%d blocks, want %d", x.heads[h].n, shape[0])
		}
		for blk := range shape[0] {
			at := (blk*b.shape.Heads + h*group) * d
			near(t, fmt.Sprintf("block_repr of block %d, KV head %d", blk, h), x.heads[h].repr[blk*group*d:(blk+1)*group*d], reps[at:at+group*d], scoreAbsolute, scoreRelative)
		}
	}
	steps := 0
	for i := n; i < full && max(0, i-init-local)/size == shape[0]; i++ { // the next block is one that no method here makes
		blocksAre(t, fmt.Sprintf("step %d", i-n), ref.choose(x, i, i+1, shape[0]), want[(n/chunk+i-n)*topk:][:topk])
		steps++
	}
	if steps == 0 {
		t.Error("no step is compared")
	}
}

// blocksAre compares blocks chosen, ascending; -1 pads what is wanted.
func blocksAre(t *testing.T, what string, got, want []int32) {
	t.Helper()
	want = slices.DeleteFunc(slices.Sorted(slices.Values(want)), func(b int32) bool { return b < 0 })
	if !slices.Equal(got, want) {
		t.Errorf("%s: blocks %v, want %v", what, got, want)
	}
}

// reference is InfLLM's own way through a prompt.
type reference struct {
	v       vector
	p       blocking
	plain   []float32 // [n, KV heads, Dim] keys, as at position 0
	q       []float32 // [n, heads, Dim] queries, as at position 0
	shape   engine.Shape
	topk    int
	weights [][]float32 // per query head: what each token has received
}

// at returns the query of row i, head h, turned to a position.
func (r *reference) at(i, h int, pos int32) []float32 {
	d := r.shape.Dim
	x := slices.Clone(r.q[(i*r.shape.Heads+h)*d:][:d])
	r.p.rotate(x, []int32{0}, []int32{pos}, 0)
	return x
}

// key is the key of token j as query head h reads it, turned to a position.
func (r *reference) key(j, h int, pos int32) []float32 {
	d := r.shape.Dim
	x := slices.Clone(r.plain[(j*r.shape.KVHeads+h/r.shape.Group())*d:][:d])
	r.p.rotate(x, []int32{0}, []int32{pos}, 0)
	return x
}

// choose picks among the first made blocks by the mean over all heads and the rows [lo, hi).
func (r *reference) choose(x *blocks, lo, hi, made int) []int32 {
	sum := make([]float32, made)
	for i := lo; i < hi; i++ {
		for h := range r.shape.KVHeads {
			var turned []float32
			for m := range r.shape.Group() {
				turned = append(turned, r.at(i, h*r.shape.Group()+m, int32(r.p.local-1))...)
			}
			kernels.Add(sum, x.heads[h].scores(turned, r.shape.Dim)[:made])
		}
	}
	return kernels.TopK(nil, sum, r.topk)
}

// prompt lets the rows [lo, hi) pay: a softmax over the keys near them, and the blocks picked, the first tokens and what lies between,
// all of those at one distance. The reference's rows see what lies at the window's far end twice; so they do here.
func (r *reference) prompt(lo, hi, made int, picked []int32) {
	p := r.p
	var far []int
	for _, b := range picked {
		for j := range p.size {
			far = append(far, p.init+int(b)*p.size+j)
		}
	}
	for j := range min(p.init, max(0, lo-p.local)) {
		far = append(far, j)
	}
	for j := p.init + made*p.size; j < hi-p.local; j++ {
		far = append(far, j)
	}
	for h := range r.shape.Heads {
		for i := lo; i < hi; i++ {
			var scores []float32
			q, one := r.at(i, h, int32(i)), r.at(i, h, int32(p.local-1))
			from := max(0, i-p.local+1)
			scale := 1 / math.Sqrt(float64(r.shape.Dim))
			for j := from; j <= i; j++ {
				scores = append(scores, float32(scale*dot(q, r.key(j, h, int32(j)))))
			}
			for _, j := range far {
				scores = append(scores, float32(scale*dot(one, r.key(j, h, 0))))
			}
			kernels.Softmax(scores)
			kernels.Add(r.weights[h][from:i+1], scores[:i+1-from])
		}
	}
}
