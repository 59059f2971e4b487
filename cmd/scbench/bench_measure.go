package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"scbench/kernels"
	"scbench/stages"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/models"
)

// bench is measurements in progress.
type bench struct {
	benchCommand
	ctx     context.Context
	stopped <-chan struct{} // closed: no further test
	err     io.Writer

	limits kernels.Limits // the best that any probe has seen
	probed time.Time
	rows   []measured

	// of the present number of threads
	engine *engine.Engine
	model  *models.Loaded
	list   []engine.Policy
	base   benchRow
	macs   int64 // multiply-adds of weights for a token with logits
	bytes  int64 // of weights that a pass with logits reads
}

// probeEvery is how long a probe of the machine serves: one that others disturbed is made good by the next.
const probeEvery = 5 * time.Second

// probe measures the machine once more.
func (x *bench) probe() {
	l := kernels.Probe()
	x.limits = kernels.Limits{BF16: max(l.BF16, x.limits.BF16), F32: max(l.F32, x.limits.F32), Read: max(l.Read, x.limits.Read)}
	x.probed = time.Now()
}

// onThreads runs all tests on n threads.
func (x *bench) onThreads(n int) error {
	pool := kernels.NewPool(n)
	defer pool.Close()
	m, err := x.open(pool)
	if err != nil {
		return err
	}
	defer m.Close()
	room, _ := available(os.DirFS("/"))
	notes, err := x.fits(m, room)
	if err != nil {
		return err
	}
	if x.list, err = x.policies(m.Shape()); err != nil {
		return err
	}
	if x.probed.IsZero() {
		for _, n := range notes {
			fmt.Fprintf(x.err, "note: %s\n", n)
		}
		x.probe()
		fmt.Fprintf(x.err, "this machine, one thread: %.0f GFLOP/s f32, %.0f GFLOP/s bf16, %.1f GB/s read\n", x.limits.F32/1e9, x.limits.BF16/1e9, x.limits.Read/1e9)
	}
	x.model = m
	x.macs, x.bytes = m.Products()
	x.engine = &engine.Engine{Model: m.Model, Store: kv.NewStore(&kv.OffHeap{}, m.PageFormat(), m.Shape().Dim, 0), Pool: pool}
	params, size := m.Weights.Size()
	x.base = benchRow{
		Build: build, CPU: cpuName(), Backend: kernels.Tier(), File: x.Model, Type: strings.Join(m.Config.Architectures, " ") + " " + m.Precision.String(),
		Size: size, Params: params, Threads: int64(pool.Threads()), TypeK: m.PageFormat().String(), TypeV: m.PageFormat().String(),
	}
	if err := x.tests(); err != nil {
		return err // pages of what was dropped are still in the store
	}
	return x.engine.Store.Close()
}

// tests runs all tests on the present threads.
func (x *bench) tests() error {
	for _, n := range x.Prompt {
		if err := x.each(fmt.Sprintf("pp%d", n), func(p engine.Policy) (measured, error) { return x.prefill(p, n) }); err != nil {
			return err
		}
	}
	for _, d := range x.Depth {
		for _, n := range x.Branches {
			if x.Gen == 0 {
				continue
			}
			if err := x.each(fmt.Sprintf("tg%d @ d%d x%d", x.Gen, d, n), func(p engine.Policy) (measured, error) { return x.decode(p, d, n) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// each runs one test for every method, and sets them in relation to the first.
func (x *bench) each(name string, test func(p engine.Policy) (measured, error)) error {
	first := len(x.rows)
	for _, p := range x.list {
		select {
		case <-x.stopped:
			return errInterrupted
		default:
		}
		row, err := test(p)
		if err != nil {
			return err
		}
		row.Vs = 1
		if len(x.rows) > first {
			row.Vs = row.AvgTS / x.rows[first].AvgTS
		}
		x.rows = append(x.rows, row)
		if time.Since(x.probed) > probeEvery {
			x.probe()
		}
	}
	fmt.Fprintf(x.err, "%s done on %d threads\n", name, x.base.Threads)
	return nil
}

// tokens are n tokens that mean nothing.
func (x *bench) tokens(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32((i*7919 + 13) % x.model.Shape().Vocab)
	}
	return out
}

// prefill measures prompts of n tokens.
func (x *bench) prefill(p engine.Policy, n int) (measured, error) {
	s := x.model.Shape()
	tokens, logits := x.tokens(n), make([]float32, s.Vocab)
	row := measured{benchRow: x.base, bf16: x.model.Precision == kernels.PrecisionBF16}
	row.Method, row.Prompt, row.Branches = p.Name, int64(n), 1
	var cost engine.Cost
	t, err := repeat(x.Reps, func() error { return nil }, func() error {
		ses := x.engine.Open(p)
		defer ses.Release()
		_, err := x.engine.Forward(x.ctx, []engine.Chunk{{Session: ses, Tokens: tokens, Logits: logits}})
		cost = ses.Cost
		return err
	})
	if err != nil {
		return row, err
	}
	head := float64(s.Vocab) * float64(s.Hidden) // only the last token has logits
	x.fill(&row.benchRow, t, float64(n), float64(n)*(float64(x.macs)-head)+head, cost)
	row.flops = row.GFLOPS * 1e9 / float64(row.Threads)
	return row, nil
}

// decode measures Gen tokens of each of some branches of a context of depth tokens.
func (x *bench) decode(p engine.Policy, depth, branches int) (measured, error) {
	row := measured{benchRow: x.base}
	row.Method, row.Gen, row.Depth, row.Branches = p.Name, int64(x.Gen), int64(depth), int64(branches)
	root := x.engine.Open(p)
	defer root.Release()
	if _, err := x.engine.Forward(x.ctx, []engine.Chunk{{Session: root, Tokens: x.tokens(max(depth, 1))}}); err != nil {
		return row, err
	}
	if _, err := x.engine.Settle(x.ctx, root); err != nil {
		return row, err
	}
	var batch []engine.Chunk
	var costs []engine.Cost
	release := func() {
		for _, c := range batch {
			c.Session.Release()
		}
		batch = nil
	}
	defer release()
	open := func() error {
		release()
		for range branches {
			batch = append(batch, engine.Chunk{Session: root.Fork(p), Tokens: x.tokens(1), Logits: make([]float32, x.model.Shape().Vocab)})
		}
		return nil
	}
	t, err := repeat(x.Reps, open, func() error {
		for range x.Gen {
			if _, err := x.engine.Forward(x.ctx, batch); err != nil {
				return err
			}
		}
		costs = nil
		for _, c := range batch {
			costs = append(costs, c.Session.Cost)
		}
		return nil
	})
	if err != nil {
		return row, err
	}
	var cost engine.Cost
	for _, c := range costs {
		cost = cost.Add(c)
	}
	tokens := float64(x.Gen * branches)
	x.fill(&row.benchRow, t, tokens, tokens*float64(x.macs), cost)
	read := float64(x.bytes)*float64(x.Gen) + float64(sharedReads(root, x.model.Shape(), x.Gen, costs))
	row.reads = read / (row.AvgNS / 1e9) / float64(row.Threads)
	return row, nil
}

// sharedReads is what branches of root read of keys, values and states that took gen tokens each, in bytes, given what each of them cost:
// the whole pages that they have in common are read once for all of them, their own pages and states by each. Those of their own are
// taken to be read whole, which is right but for methods that load parts of the answer.
func sharedReads(root *engine.Session, s engine.Shape, gen int, costs []engine.Cost) int64 {
	own := int64(gen) * s.StateBytes()
	for _, l := range root.Layers {
		for h := range l.Heads() {
			tail := l.Slots(h) % kernels.PageTokens
			own += l.TokenBytes() * int64(gen*tail+gen*(gen+1)/2)
		}
	}
	var shared, all int64
	for _, c := range costs {
		each := min(own, c.ReadBytes)
		shared = max(shared, c.ReadBytes-each)
		all += each
	}
	return shared + all
}

// timing is the durations of repetitions, in seconds, and the processor time of all of them.
type timing struct {
	wall []float64
	cpu  float64
	at   time.Time
}

// repeat runs f reps times after one run that is not counted, with prepare before each.
func repeat(reps int, prepare, f func() error) (timing, error) {
	t := timing{at: time.Now().UTC()}
	for i := range reps + 1 {
		if err := prepare(); err != nil {
			return t, err
		}
		cpu, start := stages.CPUSeconds(), time.Now()
		if err := f(); err != nil {
			return t, err
		}
		if i > 0 {
			t.wall = append(t.wall, time.Since(start).Seconds())
			t.cpu += stages.CPUSeconds() - cpu
		}
	}
	return t, nil
}

// fill works out the rates of a row from its timing: tokens, and the multiply-adds of their products with weights.
func (x *bench) fill(row *benchRow, t timing, tokens, macs float64, cost engine.Cost) {
	ns, ts := make([]float64, len(t.wall)), make([]float64, len(t.wall))
	for i, s := range t.wall {
		ns[i], ts[i] = s*1e9, tokens/s
	}
	row.Time = t.at.Format(time.RFC3339)
	row.AvgNS, row.StddevNS = meanStddev(ns)
	row.AvgTS, row.StddevTS = meanStddev(ts)
	if t.cpu > 0 {
		row.CPUTS = tokens * float64(len(t.wall)) / t.cpu
	}
	if cost.DenseCells > 0 {
		row.Cells = float64(cost.Cells) / float64(cost.DenseCells)
	}
	row.GFLOPS = 2 * (macs + 2*float64(cost.Cells)*float64(x.model.Shape().Dim)) / row.AvgNS
}
