package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"scbench/kernels"
	"scbench/stages"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/methods"
	"scbench/stages/models"
)

// benchCommand measures speed: of prefill, of decoding at depth, of what methods save, and of branches that share a context.
type benchCommand struct {
	Model     string   `help:"Checkpoint to measure (a folder or a .gguf file), or a size with random weights: tiny, 1b, llama-3.2-1b, llama-3.2-3b, llama-3.1-8b, tiny-mamba2, mamba2-1.3b, codestral-mamba-7b, tiny-jamba; the embedded model by default." placeholder:"DIR|SIZE"`
	Precision string   `help:"f32 or bf16; as in run by default." enum:"auto,f32,bf16" default:"auto"`
	Threads   []int    `short:"t" help:"Threads; several measure scaling. All processors by default." placeholder:"N"`
	Prompt    []int    `short:"p" help:"Lengths of prompts to prefill." default:"512,4096"`
	Gen       int      `short:"n" help:"Tokens to decode; 0: no decoding." default:"32"`
	Depth     []int    `short:"d" help:"Lengths of the context that is there when decoding starts." default:"0,4096"`
	Branches  []int    `help:"Branches of one context that are decoded together." default:"1"`
	Method    []string `short:"m" help:"Methods, as in run." sep:" " default:"full" placeholder:"SPEC"`
	Reps      int      `short:"r" help:"Repetitions." default:"3"`
	Output    string   `short:"o" help:"Form: a table, or csv with the columns of llama-bench and ours after them." enum:"table,csv" default:"table"`
	Parquet   string   `help:"Also write the rows to this Parquet file." placeholder:"FILE"`
}

// benchRow is one measurement. The names up to stddev_ts are llama-bench's.
type benchRow struct {
	Build    string  `parquet:"build_commit"`
	CPU      string  `parquet:"cpu_info"`
	Backend  string  `parquet:"backends"`
	File     string  `parquet:"model_filename"`
	Type     string  `parquet:"model_type"`
	Size     int64   `parquet:"model_size"`
	Params   int64   `parquet:"model_n_params"`
	Threads  int64   `parquet:"n_threads"`
	TypeK    string  `parquet:"type_k"`
	TypeV    string  `parquet:"type_v"`
	Prompt   int64   `parquet:"n_prompt"`
	Gen      int64   `parquet:"n_gen"`
	Depth    int64   `parquet:"n_depth"`
	Time     string  `parquet:"test_time"`
	AvgNS    float64 `parquet:"avg_ns"`
	StddevNS float64 `parquet:"stddev_ns"`
	AvgTS    float64 `parquet:"avg_ts"`
	StddevTS float64 `parquet:"stddev_ts"`
	Method   string  `parquet:"method"`
	Branches int64   `parquet:"branches"`
	CPUTS    float64 `parquet:"cpu_ts"`      // tokens per second of processor time, all threads together: what noisy neighbours change least
	Vs       float64 `parquet:"vs_full"`     // speed as a multiple of the first method's in the same test
	Cells    float64 `parquet:"cells_share"` // attention cells computed of dense ones
	GFLOPS   float64 `parquet:"gflops"`      // multiply-adds of weights and attention, twice, per second
	Share    float64 `parquet:"limit_share"` // gflops of prefill, or bytes read in decoding, as a share of what this machine can do
}

// Run measures.
func (b benchCommand) Run(c console) error {
	if b.Reps < 1 || b.Gen < 0 {
		return errors.New("--reps wants at least 1, --gen no negative number")
	}
	var err error
	if b.Method, err = expand(b.Method); err != nil {
		return err
	}
	threads := b.Threads
	if len(threads) == 0 {
		threads = []int{runtime.GOMAXPROCS(0)}
	}
	limits := kernels.Probe()
	fmt.Fprintf(c.err, "this machine, one thread: %.0f GFLOP/s f32, %.0f GFLOP/s bf16, %.1f GB/s read\n", limits.F32/1e9, limits.BF16/1e9, limits.Read/1e9)
	var rows []benchRow
	for _, n := range threads {
		got, err := b.measure(c, n, limits)
		if err != nil {
			return err
		}
		rows = append(rows, got...)
	}
	if b.Parquet != "" {
		if err := parquet.WriteFile(b.Parquet, rows); err != nil {
			return fmt.Errorf("--parquet: %w", err)
		}
	}
	if b.Output == "csv" {
		return benchCSV(c.out, rows)
	}
	return table(c.out, func(w io.Writer) { benchTable(w, rows) })
}

// open loads the model for a number of threads.
func (b benchCommand) open(pool *kernels.Pool) (*models.Loaded, error) {
	choice, err := modelFlags{Precision: b.Precision}.choice()
	if err != nil {
		return nil, err
	}
	for _, s := range models.RandomShapes {
		if s.Name == b.Model {
			return models.Random(s, pool, choice)
		}
	}
	if b.Model == "" {
		return models.LoadReference(pool, choice)
	}
	return models.Load(b.Model, pool, choice)
}

// bench is a model on some threads, being measured.
type bench struct {
	benchCommand
	engine *engine.Engine
	model  *models.Loaded
	base   benchRow
	macs   int64 // multiply-adds of weights per token
	bytes  int64 // of weights that a decoded token reads
	limits kernels.Limits
}

// measure runs all tests on n threads.
func (b benchCommand) measure(c console, n int, limits kernels.Limits) ([]benchRow, error) {
	pool := kernels.NewPool(n)
	defer pool.Close()
	m, err := b.open(pool)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	params, bytes := m.Weights.Size()
	s := m.Shape()
	used := params - m.Idle()
	x := &bench{benchCommand: b, model: m, limits: limits, macs: used - int64(s.Vocab*s.Hidden), bytes: int64(float64(bytes) * float64(used) / float64(params)),
		engine: &engine.Engine{Model: m.Model, Store: kv.NewStore(&kv.OffHeap{}, m.PageFormat(), s.Dim, 0), Pool: pool},
		base: benchRow{
			Build: build, CPU: cpuName(), Backend: kernels.Tier(), File: b.Model, Type: strings.Join(m.Config.Architectures, " ") + " " + m.Precision.String(),
			Size: bytes, Params: params, Threads: int64(pool.Threads()), TypeK: m.PageFormat().String(), TypeV: m.PageFormat().String(),
		}}
	var rows []benchRow
	for _, p := range b.Prompt {
		got, err := x.each(func(spec string) (benchRow, error) { return x.prefill(spec, p) })
		if err != nil {
			return nil, err
		}
		rows = append(rows, got...)
		fmt.Fprintf(c.err, "pp%d done on %d threads\n", p, pool.Threads())
	}
	for _, d := range b.Depth {
		for _, branches := range b.Branches {
			if b.Gen == 0 {
				continue
			}
			got, err := x.each(func(spec string) (benchRow, error) { return x.decode(spec, d, branches) })
			if err != nil {
				return nil, err
			}
			rows = append(rows, got...)
			fmt.Fprintf(c.err, "tg%d @ d%d x%d done on %d threads\n", b.Gen, d, branches, pool.Threads())
		}
	}
	return rows, x.engine.Store.Close()
}

// each runs one test for every method, and sets them in relation to the first.
func (x *bench) each(test func(spec string) (benchRow, error)) ([]benchRow, error) {
	var rows []benchRow
	for _, spec := range x.Method {
		row, err := test(spec)
		if err != nil {
			return nil, err
		}
		row.Vs = 1
		if len(rows) > 0 {
			row.Vs = row.AvgTS / rows[0].AvgTS
		}
		rows = append(rows, row)
	}
	return rows, nil
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
func (x *bench) prefill(spec string, n int) (benchRow, error) {
	p, err := methods.Parse(spec, x.model.Shape())
	if err != nil {
		return benchRow{}, err
	}
	tokens, logits := x.tokens(n), make([]float32, x.model.Shape().Vocab)
	row := x.base
	row.Method, row.Prompt, row.Branches = p.Name, int64(n), 1
	var cost engine.Cost
	t, err := repeat(x.Reps, func() error { return nil }, func() error {
		s := x.engine.Open(p)
		defer s.Release()
		_, err := x.engine.Forward(context.Background(), []engine.Chunk{{Session: s, Tokens: tokens, Logits: logits}})
		cost = s.Cost
		return err
	})
	x.fill(&row, t, float64(n), cost)
	limit := x.limits.F32
	if x.model.Precision == kernels.PrecisionBF16 && x.limits.BF16 > 0 {
		limit = x.limits.BF16
	}
	row.Share = row.GFLOPS * 1e9 / (limit * float64(row.Threads))
	return row, err
}

// decode measures Gen tokens of each of some branches of a context of depth tokens.
func (x *bench) decode(spec string, depth, branches int) (benchRow, error) {
	p, err := methods.Parse(spec, x.model.Shape())
	if err != nil {
		return benchRow{}, err
	}
	row := x.base
	row.Method, row.Gen, row.Depth, row.Branches = p.Name, int64(x.Gen), int64(depth), int64(branches)
	root := x.engine.Open(p)
	defer root.Release()
	if _, err := x.engine.Forward(context.Background(), []engine.Chunk{{Session: root, Tokens: x.tokens(max(depth, 1))}}); err != nil {
		return row, err
	}
	if _, err := x.engine.Settle(context.Background(), root); err != nil {
		return row, err
	}
	var batch []engine.Chunk
	var cost engine.Cost
	open := func() error {
		for _, c := range batch {
			c.Session.Release()
		}
		batch = nil
		for range branches {
			batch = append(batch, engine.Chunk{Session: root.Fork(p), Tokens: x.tokens(1), Logits: make([]float32, x.model.Shape().Vocab)})
		}
		return nil
	}
	t, err := repeat(x.Reps, open, func() error {
		for range x.Gen {
			if _, err := x.engine.Forward(context.Background(), batch); err != nil {
				return err
			}
		}
		cost = engine.Cost{}
		for _, c := range batch {
			cost = cost.Add(c.Session.Cost)
		}
		return nil
	})
	for _, c := range batch {
		c.Session.Release()
	}
	x.fill(&row, t, float64(x.Gen*branches), cost)
	read := float64(x.bytes)*float64(x.Gen) + float64(cost.ReadBytes)/float64(branches) // what branches share is read once
	row.Share = read / (row.AvgNS / 1e9) / (x.limits.Read * float64(row.Threads))
	return row, err
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

// fill works out the rates of a row from its timing.
func (x *bench) fill(row *benchRow, t timing, tokens float64, cost engine.Cost) {
	if len(t.wall) == 0 {
		return
	}
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
	flop := 2 * (tokens*float64(x.macs) + 2*float64(cost.Cells)*float64(x.model.Shape().Dim))
	row.GFLOPS = flop / (row.AvgNS / 1e9) / 1e9
}

func meanStddev(x []float64) (mean, dev float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		dev += (v - mean) * (v - mean)
	}
	if len(x) > 1 {
		dev = math.Sqrt(dev / float64(len(x)-1))
	}
	return mean, dev
}

func benchTable(w io.Writer, rows []benchRow) {
	fmt.Fprintln(w, "model\tthreads\ttest\tmethod\tt/s\t±\tt/s per processor\tvs first\tcells\tGFLOP/s\tof limit")
	for _, r := range rows {
		test := fmt.Sprintf("pp%d", r.Prompt)
		if r.Gen > 0 {
			test = fmt.Sprintf("tg%d @ d%d", r.Gen, r.Depth)
			if r.Branches > 1 {
				test += fmt.Sprintf(" x%d", r.Branches)
			}
		}
		name := r.File
		if name == "" {
			name = "reference"
		}
		fmt.Fprintf(w, "%s %s\t%d\t%s\t%s\t%.1f\t%.1f\t%.1f\t%.2f\t%.3f\t%.0f\t%.0f%%\n",
			name, r.TypeK, r.Threads, test, r.Method, r.AvgTS, r.StddevTS, r.CPUTS, r.Vs, r.Cells, r.GFLOPS, 100*r.Share)
	}
}

// benchCSV writes the rows under the names of their Parquet columns.
func benchCSV(w io.Writer, rows []benchRow) error {
	out := csv.NewWriter(w)
	var header []string
	for f := range reflect.TypeFor[benchRow]().Fields() {
		header = append(header, f.Tag.Get("parquet"))
	}
	if err := out.Write(header); err != nil {
		return err
	}
	for _, r := range rows {
		var cells []string
		for _, v := range reflect.ValueOf(r).Fields() {
			if v.Kind() == reflect.Float64 {
				cells = append(cells, strconv.FormatFloat(v.Float(), 'f', 6, 64))
			} else {
				cells = append(cells, fmt.Sprint(v.Interface()))
			}
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
