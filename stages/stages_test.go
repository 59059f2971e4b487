package stages

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	"scbench/datasets"
	"scbench/kernels"
	"scbench/outputs"
	"scbench/pipeline"
	"scbench/stages/kv"
	"scbench/stages/methods"
	"scbench/stages/models"
	"scbench/stages/tokenizers"

	"scbench/stages/engine"
)

// lab is the embedded model with all that a job needs, on an allocator that knows what is left.
type lab struct {
	pool  *kernels.Pool
	model *models.Loaded
	tok   tokenizers.Tokenizer
	chat  *tokenizers.ChatTemplate
	mem   *memory.CheckedAllocator
	store *kv.Store
}

func newLab(t testing.TB, threads int, limit int64) *lab {
	t.Helper()
	return newLabIn(t, threads, limit, kernels.PrecisionF32)
}

func newLabIn(t testing.TB, threads int, limit int64, p kernels.Precision) *lab {
	t.Helper()
	l := &lab{pool: kernels.NewPool(threads), mem: memory.NewCheckedAllocator(memory.NewGoAllocator())}
	var err error
	if l.model, err = models.LoadReference(l.pool, models.Choice{Precision: p}); err != nil {
		t.Fatal(err)
	}
	b, err := fs.ReadFile(models.Reference(), "tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	if l.tok, err = tokenizers.Parse("tokenizer.json", b); err != nil {
		t.Fatal(err)
	}
	if l.chat, err = tokenizers.FSChat("reference", models.Reference()); err != nil {
		t.Fatal(err)
	}
	l.store = kv.NewStore(l.mem, l.model.PageFormat(), l.model.Shape().Dim, limit)
	return l
}

// close checks that nothing is left.
func (l *lab) close(t testing.TB) {
	t.Helper()
	if err := l.store.Close(); err != nil {
		t.Error(err)
	}
	l.mem.AssertSize(tb{t}, 0)
	l.model.Close()
	l.pool.Close()
}

// tb makes a testing.TB what arrow wants.
type tb struct{ testing.TB }

func (l *lab) job(t testing.TB, history outputs.History, specs ...string) *Job {
	t.Helper()
	j := &Job{
		Engine:   &engine.Engine{Model: l.model.Model, Store: l.store, Pool: l.pool},
		Prompter: Prompter{Tokenizer: l.tok, Chat: l.chat, MaxTokens: 32768},
		Modes:    []outputs.Mode{outputs.MultiTurn, outputs.MultiRequest},
		History:  history,
		Stop:     l.model.Config.EosIDs,
		Budget:   pipeline.NewBudget(1 << 32),
	}
	for _, s := range specs {
		p, err := methods.Parse(s, l.model.Shape())
		if err != nil {
			t.Fatal(err)
		}
		j.Policies = append(j.Policies, p)
	}
	return j
}

// work makes n examples of a task with contexts of about tokens tokens.
func (l *lab) work(t testing.TB, task datasets.Task, n, tokens, turns int) []Work {
	t.Helper()
	var out []Work
	for i := range n {
		e, err := task.Mini(rand.New(rand.NewPCG(uint64(i), 77)), datasets.Size{Tokens: tokens, Turns: turns, Count: func(s string) int {
			ids, err := l.tok.Encode(s, false)
			if err != nil {
				t.Fatal(err)
			}
			return len(ids)
		}})
		if err != nil {
			t.Fatal(err)
		}
		e.ID = string(rune('a' + i))
		out = append(out, Work{Task: &task, Example: e})
	}
	return out
}

func seq(work []Work) iter.Seq2[Work, error] {
	return func(yield func(Work, error) bool) {
		for _, w := range work {
			if !yield(w, nil) {
				return
			}
		}
	}
}

// results runs a job and returns its result rows.
func results(t testing.TB, j *Job, work []Work) []outputs.Result {
	t.Helper()
	var out []outputs.Result
	f := j.Flow(context.Background(), seq(work), func(_ context.Context, rows []outputs.Row) error {
		for _, r := range rows {
			out = append(out, r.Result)
		}
		return nil
	})
	if err := f.Wait(); err != nil {
		t.Fatal(err)
	}
	return out
}

var fiveMethods = []string{"full", "ashape:init=8,local=60", "streamingllm:init=8,local=60", "snapkv:budget=80,window=16", "quest:budget=64"}

// TestThreadsAgree wants the same rows for 1, 2 and 8 threads, and one by one as in a run of all methods.
func TestThreadsAgree(t *testing.T) {
	for _, p := range kernels.Precisions() {
		t.Run(p.String(), func(t *testing.T) { threadsAgree(t, p) })
	}
}

func threadsAgree(t *testing.T, p kernels.Precision) {
	var want []outputs.Result
	for _, threads := range []int{1, 2, 8} {
		l := newLabIn(t, threads, 0, p)
		work := append(l.work(t, datasets.KV, 2, 300, 3), l.work(t, datasets.VT, 1, 400, 2)...)
		got := results(t, l.job(t, outputs.GoldHistory, fiveMethods...), work)
		if want == nil {
			want = got
			if n := 2*5*2*3 + 5*2*2; len(got) != n {
				t.Fatalf("%d rows, want %d", len(got), n)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d threads: other rows", threads)
		}
		if threads == 2 {
			alone := map[outputs.Key]outputs.Result{}
			for _, m := range fiveMethods {
				for _, mode := range []outputs.Mode{outputs.MultiTurn, outputs.MultiRequest} {
					j := l.job(t, outputs.GoldHistory, m)
					j.Modes = []outputs.Mode{mode}
					for _, r := range results(t, j, work) {
						alone[r.Key] = r
					}
				}
			}
			for _, r := range want {
				checkAgreement(t, r)
				r.FirstDivergingToken, r.Top1Agreement, r.KLFull = nil, nil, nil // alone there is nothing to compare with
				if a := alone[r.Key]; !reflect.DeepEqual(a, r) {
					t.Errorf("%v: alone %+v, beside others %+v", r.Key, a, r)
				}
			}
		}
		l.close(t)
	}
}

// checkAgreement wants every method but full attention compared with it.
func checkAgreement(t *testing.T, r outputs.Result) {
	t.Helper()
	if r.Method == "full" {
		if r.Top1Agreement != nil || r.KLFull != nil {
			t.Errorf("%v: full attention is compared with itself", r.Key)
		}
		return
	}
	if r.Top1Agreement == nil || r.KLFull == nil || *r.Top1Agreement < 0 || *r.Top1Agreement > 1 || *r.KLFull < 0 {
		t.Errorf("%v: agreement %v, divergence %v", r.Key, r.Top1Agreement, r.KLFull)
	} else if r.FirstDivergingToken == nil && *r.Top1Agreement < 1 {
		t.Errorf("%v: the answers are the same, and agree in %g of their tokens", r.Key, *r.Top1Agreement)
	}
}

// TestAgreement runs a method that is full attention under another name and one that reads little: no divergence for the first, and
// for the second the same numbers as a computation from the definition.
func TestAgreement(t *testing.T) {
	l := newLab(t, 2, 0)
	defer l.close(t)
	j := l.job(t, outputs.GoldHistory, "full", "ashape:init=1,local=100000", "streamingllm:init=4,local=60")
	j.Modes = j.Modes[1:]
	w := l.work(t, datasets.KV, 1, 300, 1)[0]
	rows := results(t, j, []Work{w})
	if r := rows[1]; *r.KLFull != 0 || *r.Top1Agreement != 1 || r.FirstDivergingToken != nil {
		t.Errorf("dense A-shape: divergence %g, agreement %g, diverged at %v", *r.KLFull, *r.Top1Agreement, r.FirstDivergingToken)
	}
	// The definition: both caches are fed the question and full attention's answer, in one pass with the logits of all its rows.
	a, err := j.tokenize(context.Background(), w)
	if err != nil {
		t.Fatal(err)
	}
	script, vocab := a.Scripts[0][0], l.model.Shape().Vocab
	answer, err := l.tok.Encode(rows[0].Prediction, false)
	if err != nil {
		t.Fatal(err)
	}
	var logits [2][]float32
	for i, p := range []engine.Policy{j.Policies[0], j.Policies[2]} {
		s := j.Engine.Open(p)
		if _, err := j.Engine.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: script.First}}); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Engine.Settle(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		logits[i] = make([]float32, (len(answer)+1)*vocab)
		tokens := append(append([]int32(nil), script.Ask[0]...), answer...)
		if _, err := j.Engine.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: tokens, Logits: logits[i]}}); err != nil {
			t.Fatal(err)
		}
		s.Release()
	}
	var kl, same float64
	for i := range len(answer) + 1 {
		p, q := softmax(logits[0][i*vocab:(i+1)*vocab]), softmax(logits[1][i*vocab:(i+1)*vocab])
		for k := range p {
			kl += p[k] * (math.Log(p[k]) - math.Log(q[k])) / float64(len(answer)+1)
		}
		if kernels.Argmax(logits[0][i*vocab:(i+1)*vocab]) == kernels.Argmax(logits[1][i*vocab:(i+1)*vocab]) {
			same += 1 / float64(len(answer)+1)
		}
	}
	if r := rows[2]; math.Abs(*r.KLFull-kl) > 1e-4*kl || math.Abs(*r.Top1Agreement-same) > 1e-9 || r.FirstDivergingToken == nil {
		t.Errorf("StreamingLLM: divergence %g, want %g; agreement %g, want %g; diverged at %v", *r.KLFull, kl, *r.Top1Agreement, same, r.FirstDivergingToken)
	}
}

func softmax(x []float32) []float64 {
	out, sum := make([]float64, len(x)), 0.0
	top := slices.Max(x)
	for i, v := range x {
		out[i] = math.Exp(float64(v - top))
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// TestMeasures checks what rows say of the cache against what each method is known to do.
func TestMeasures(t *testing.T) {
	l := newLab(t, 2, 0)
	defer l.close(t)
	j := l.job(t, outputs.GoldHistory, fiveMethods...)
	rows := results(t, j, l.work(t, datasets.KV, 1, 500, 3))
	computed, alone := j.Prefilled()
	if computed >= alone/2 || computed == 0 {
		t.Errorf("%d tokens computed for prompts of %d: nothing is shared", computed, alone)
	}
	heads := int64(l.model.Shape().Layers * l.model.Shape().KVHeads)
	token := heads * l.store.TokenBytes()
	for _, r := range rows {
		n, question := int(r.PromptTokens), int(r.ComputedTokens)
		method, _, _ := strings.Cut(r.Method, ":")
		if r.Status != outputs.OK {
			t.Errorf("%v: status %s", r.Key, r.Status)
		}
		if r.KVBytesLogical != int64(n)*token {
			t.Errorf("%v: logical %d bytes of %d tokens", r.Key, r.KVBytesLogical, n)
		}
		checkRetention(t, r, l.model.Shape())
		switch method {
		case "full", "ashape":
			if first := rows[0]; r.Mode == outputs.MultiTurn && r.KVBytesShared != int64(first.PromptTokens)*token {
				t.Errorf("%v: %d shared bytes, want the first prompt's %d", r.Key, r.KVBytesShared, int64(first.PromptTokens)*token)
			}
			if r.Turn == 1 && (question != n || r.CachedTokens != 0) {
				t.Errorf("%v: computed %d of %d tokens at turn 1", r.Key, question, n)
			}
			if int(r.KeptMin) != n || int(r.KeptMax) != n || r.KVBytesResident != r.KVBytesLogical || r.DecodeCells != r.DecodeCellsDense {
				t.Errorf("%v: kept %d of %d, %d of %d cells in decoding", r.Key, r.KeptMin, n, r.DecodeCells, r.DecodeCellsDense)
			}
			if sparse := r.PrefillCells < r.PrefillCellsDense; sparse != (method == "ashape" && r.Turn == 1) {
				t.Errorf("%v: %d of %d cells in prefill", r.Key, r.PrefillCells, r.PrefillCellsDense)
			}
		case "streamingllm", "snapkv":
			budget := map[string]int{"streamingllm": 68, "snapkv": 80}[method]
			if r.Turn == 1 && r.Mode == outputs.MultiTurn && (int(r.KeptMin) != budget || int(r.KeptMax) != budget) {
				t.Errorf("%v: kept %d to %d, want %d", r.Key, r.KeptMin, r.KeptMax, budget)
			}
			if r.Mode == outputs.MultiRequest && r.Turn > 1 && int(r.KeptMin) != budget+question {
				t.Errorf("%v: kept %d of %d, question %d", r.Key, r.KeptMin, n, question)
			}
			if r.KVBytesShared != 0 {
				t.Errorf("%v: %d shared bytes of a private copy", r.Key, r.KVBytesShared)
			}
			if r.KVBytesResident != int64(r.KeptMean)*token {
				t.Errorf("%v: %d bytes for %g tokens", r.Key, r.KVBytesResident, r.KeptMean)
			}
		case "quest":
			if r.KVBytesShared == 0 || r.KVBytesResident <= r.KVBytesLogical || r.NewTokens > 1 && r.DecodeCells >= r.DecodeCellsDense/2 {
				t.Errorf("%v: resident %d of %d bytes, %d of %d cells in decoding", r.Key, r.KVBytesResident, r.KVBytesLogical, r.DecodeCells, r.DecodeCellsDense)
			}
		}
	}
}

// TestOwnHistory feeds the model's own answers, and finds them in the prompt.
func TestOwnHistory(t *testing.T) {
	l := newLab(t, 2, 0)
	defer l.close(t)
	j := l.job(t, outputs.OwnHistory, "full", "streamingllm:init=4,local=40")
	j.Modes = j.Modes[:1]
	work := l.work(t, datasets.KV, 1, 300, 4)
	for _, q := range answered(t, j, work[0]).Queries {
		if q.Turn == 0 {
			continue
		}
		text := l.tok.Decode(q.Prompt, false)
		prev := q.Turn - 1
		for _, p := range answered(t, j, work[0]).Queries {
			if p.Turn == prev && p.Branch.Policy.Name == q.Branch.Policy.Name {
				own := l.tok.Decode(p.Answer.Tokens, false)
				if !strings.HasSuffix(text, own+"<|end|><|user|>"+datasets.KV.Query(work[0].Example, q.Turn)+"<|end|><|assistant|>") {
					t.Errorf("%s turn %d: own answer %q is not in the prompt's end %q", q.Branch.Policy.Name, q.Turn+1, own, text[max(0, len(text)-200):])
				}
			}
		}
	}
}

// answered runs one example up to its answers.
func answered(t *testing.T, j *Job, w Work) *Answered {
	t.Helper()
	ctx := context.Background()
	a, err := j.tokenize(ctx, w)
	if err != nil {
		t.Fatal(err)
	}
	f, err := j.prefill(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	b, err := j.cache(ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	out, err := j.decode(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCancelledAnywhere cancels runs at random moments; nothing may be left.
func TestCancelledAnywhere(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	l := newLab(t, 2, 0)
	defer l.close(t)
	work := l.work(t, datasets.KV, 4, 200, 2)
	for i := range 12 {
		ctx, cancel := context.WithCancel(context.Background())
		j := l.job(t, outputs.GoldHistory, fiveMethods...)
		n := 0
		f := j.Flow(ctx, func(yield func(Work, error) bool) {
			for k, w := range work {
				if k == i%4 && i < 8 {
					cancel()
				}
				if !yield(w, nil) {
					return
				}
			}
		}, func(context.Context, []outputs.Row) error {
			if n++; i >= 8 && n == i-7 {
				return errors.New("the disk is full")
			}
			return nil
		})
		if err := f.Wait(); err == nil {
			t.Errorf("run %d ended well", i)
		}
		cancel()
		if j.Budget.InUse() != 0 {
			t.Errorf("run %d: %d bytes of the budget are still taken", i, j.Budget.InUse())
		}
		if l.store.InUse() != 0 {
			t.Fatalf("run %d: %d bytes of pages are left", i, l.store.InUse())
		}
	}
}

// TestRefused runs examples that cannot fit: their queries are rows all the same, and the others run.
func TestRefused(t *testing.T) {
	l := newLab(t, 2, 0)
	defer l.close(t)
	j := l.job(t, outputs.GoldHistory, "full", "snapkv:budget=64")
	small, large := l.work(t, datasets.KV, 1, 200, 2)[0], l.work(t, datasets.KV, 1, 3000, 2)[0]
	small.Example.ID, large.Example.ID = "small", "large"
	a, err := j.tokenize(context.Background(), small)
	if err != nil {
		t.Fatal(err)
	}
	j.Budget = pipeline.NewBudget(j.plan(a, j.prompts(a)))
	refused := 0
	rows := results(t, j, []Work{large, small, large, small})
	for _, r := range rows {
		if (r.Status == outputs.Refused) != (r.Example == "large") {
			t.Errorf("%v: status %s", r.Key, r.Status)
		}
		if r.Status == outputs.Refused {
			refused++
			if r.Error == nil || !strings.Contains(*r.Error, "--kv-memory") || *r.ScoreFixed != 0 {
				t.Errorf("%v: error %v, score %v", r.Key, r.Error, r.ScoreFixed)
			}
		}
	}
	if refused != 16 || len(rows) != 32 {
		t.Errorf("%d of %d rows refused, want 16 of 32", refused, len(rows))
	}
	// The store runs full although the budget allowed it: refused too, and nothing is left.
	tight := newLab(t, 1, 14<<20)
	defer tight.close(t)
	for _, r := range results(t, tight.job(t, outputs.GoldHistory, "full", "snapkv:budget=64"), []Work{large, small}) {
		if (r.Status == outputs.Refused) != (r.Example == "large") {
			t.Errorf("tight store: %v: status %s", r.Key, r.Status)
		}
	}
}

// TestPlanBoundsPeak wants the plan to be an upper bound of what is used, and not an idle one.
func TestPlanBoundsPeak(t *testing.T) {
	if testing.Short() {
		t.Skip("it is about numbers")
	}
	for _, specs := range [][]string{
		fiveMethods, {"kivi:bits=2"}, {"snapkv:budget=80+kivi:bits=4"}, {"snapkv:budget=80+quest:budget=64"}, {"kvzip:budget=100"}, {"adakv:budget=100", "pyramidkv:budget=100"},
		{"duoattention:sinks=8,recent=60,estimate=repeat", "think"}, {"cacheblend:chunk=128"}, {"h2o:budget=100", "retrievalattention:sinks=16,window=64,topk=16"},
	} {
		l := newLab(t, 2, 0)
		j := l.job(t, outputs.GoldHistory, specs...)
		work := l.work(t, datasets.KV, 1, 2000, 3)
		a, err := j.tokenize(context.Background(), work[0])
		if err != nil {
			t.Fatal(err)
		}
		plan := j.plan(a, j.prompts(a))
		results(t, j, work)
		if peak := l.store.Peak(); peak > plan || peak < plan/4 { // answers are much shorter than the 150 tokens they may have
			t.Errorf("%v: planned %d bytes, used %d", specs, plan, peak)
		}
		l.close(t)
	}
}

// TestIdleMethodFails wants a method that claims a budget and keeps everything to end the run.
func TestIdleMethodFails(t *testing.T) {
	l := newLab(t, 2, 0)
	defer l.close(t)
	j := l.job(t, outputs.GoldHistory, "full")
	j.Policies[0].Name = "idle"
	j.Policies[0].Budget = func(int) int { return 10 }
	f := j.Flow(context.Background(), seq(l.work(t, datasets.KV, 1, 200, 2)), func(context.Context, []outputs.Row) error { return nil })
	if err := f.Wait(); err == nil || !strings.Contains(err.Error(), "method idle did nothing") {
		t.Errorf("error %v", err)
	}
}

// TestPlanHoldsForOwnHistory lets conversations of many turns go on from their own answers, each on a fork of the last.
func TestPlanHoldsForOwnHistory(t *testing.T) {
	l := newLab(t, 2, 0)
	defer l.close(t)
	j := l.job(t, outputs.OwnHistory, "full", "snapkv:budget=64,window=8")
	work := l.work(t, datasets.KV, 1, 600, 20)
	for i := range work[0].Example.Turns {
		work[0].Example.Turns[i].Evidence = nil
	}
	short := *work[0].Task
	short.MaxTokens = func(datasets.Turn) int { return 5 }
	work[0].Task = &short
	a, err := j.tokenize(context.Background(), work[0])
	if err != nil {
		t.Fatal(err)
	}
	plan := j.plan(a, j.prompts(a))
	results(t, j, work)
	if peak := l.store.Peak(); peak > plan {
		t.Errorf("planned %d bytes, used %d", plan, peak)
	}
}

// TestComposition runs methods of three stages as one, and checks that each did its part.
func TestComposition(t *testing.T) {
	l := newLab(t, 2, 0)
	defer l.close(t)
	j := l.job(t, outputs.GoldHistory, "ashape:init=8,local=100+snapkv:budget=200,window=16+quest:budget=64")
	for _, r := range results(t, j, l.work(t, datasets.KV, 1, 600, 3)) {
		if r.Turn == 1 && (r.PrefillCells >= r.PrefillCellsDense || r.Mode == outputs.MultiTurn && r.KeptMax != 200) || r.KVBytesShared != 0 ||
			r.NewTokens > 1 && r.DecodeCells >= r.DecodeCellsDense/4 {
			t.Errorf("%+v", r)
		}
	}
}

// TestLengthDependentRope wants the same rows in multi-turn mode whether or not multi-request mode, whose first prompt is shorter,
// runs beside it.
func TestLengthDependentRope(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, models.Reference()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.json")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), `"rope_scaling": null`, `"rope_scaling": {"rope_type": "dynamic", "factor": 4.0}`, 1)
	text = strings.Replace(text, `"max_position_embeddings": 32768`, `"max_position_embeddings": 256`, 1)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	l := newLab(t, 2, 0)
	defer l.close(t)
	m, err := models.Load(dir, l.pool, models.Choice{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	work := l.work(t, datasets.KV, 1, 500, 2)
	var rows [2][]outputs.Result
	for i := range rows {
		j := l.job(t, outputs.GoldHistory, "full", "cacheblend:ratio=1,chunk=64")
		j.Engine.Model, j.Modes = m.Model, j.Modes[:i+1]
		rows[i] = results(t, j, work)
	}
	if !reflect.DeepEqual(rows[0], rows[1][:4]) {
		t.Errorf("alone %+v\nbeside %+v", rows[0], rows[1][:4])
	}
	for _, r := range rows[1] {
		if r.KLFull != nil && *r.KLFull != 0 {
			t.Errorf("%s: divergence %g from full attention, though all is computed afresh", r.Method, *r.KLFull)
		}
	}
}
