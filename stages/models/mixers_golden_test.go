package models

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/models/safetensors"
)

// mixerGolden is a golden file with the weights of one mixer, and what came in and out.
type mixerGolden struct {
	*safetensors.File
	t    *testing.T
	pool *kernels.Pool
}

func openMixer(t *testing.T, pool *kernels.Pool, folder, name string) mixerGolden {
	return mixerGolden{openTensors(t, filepath.Join(golden(t, "methods"), folder, name)), t, pool}
}

// vector returns a tensor's values.
func (g mixerGolden) vector(name string) []float32 {
	x, ok := g.Tensor(name)
	if !ok {
		g.t.Fatalf("golden tensor %s is missing", name)
	}
	v, err := x.Float32s()
	if err != nil {
		g.t.Fatal(err)
	}
	return v
}

// size is a dimension of a tensor.
func (g mixerGolden) size(name string, dim int) int {
	x, _ := g.Tensor(name)
	return x.Shape[dim]
}

// linear packs rows [lo, hi) of a matrix.
func (g mixerGolden) linear(name string, lo, hi int) linear {
	cols := g.size(name, 1)
	return g.pack(g.vector(name)[lo*cols:hi*cols], hi-lo, cols)
}

func (g mixerGolden) pack(x []float32, rows, cols int) linear {
	var b []byte
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	m, err := kernels.NewMatrix(kernels.F32, b, rows, cols)
	if err != nil {
		g.t.Fatal(err)
	}
	w := m.Pack(g.pool, kernels.PrecisionF32)
	g.t.Cleanup(w.Close)
	return linear{w: w}
}

// meta reads a number that the file states.
func (g mixerGolden) meta(key string) float64 {
	v, err := strconv.ParseFloat(g.Metadata()[key], 64)
	if err != nil {
		g.t.Fatalf("%s: %v", key, err)
	}
	return v
}

func (g mixerGolden) conv() shortConv {
	channels, width := g.size("conv_w", 0), g.size("conv_w", 1)
	return shortConv{weight: transposed(g.vector("conv_w"), channels, width), bias: g.vector("conv_b"), channels: channels, width: width}
}

// decay is -e^A_log, [cols, rows].
func (g mixerGolden) decay(rows, cols int) []float32 {
	a := g.vector("A_log")
	for i, x := range a {
		a[i] = float32(-math.Exp(float64(x)))
	}
	return transposed(a, rows, cols)
}

// mixed runs inputs [rows, hidden] through a mixer, some rows at a time, and compares: out of no residual stream.
func (g mixerGolden) mixed(s *engine.Session, shape engine.Shape, in []float32, hidden, wide, at int, add func(m *backbone, step *engine.Step, res []float32, x *kernels.Rows, lo, hi int)) []float32 {
	m := &backbone{pool: g.pool, precision: kernels.PrecisionF32, shape: shape, reader: &reader{}}
	defer m.Close()
	out := make([]float32, len(in)/hidden*wide)
	for lo := 0; lo < len(in)/hidden; lo += at {
		n := min(at, len(in)/hidden-lo)
		step, err := engine.Begin(context.Background(), shape, g.pool, []engine.Chunk{{Session: s, Tokens: make([]int32, n)}})
		if err != nil {
			g.t.Fatal(err)
		}
		var x kernels.Rows
		x.Set(g.pool, kernels.PrecisionF32, in[lo*hidden:(lo+n)*hidden], n, hidden)
		add(m, step, out[lo*wide:(lo+n)*wide], &x, 0, n)
		if err := step.End(); err != nil {
			g.t.Fatal(err)
		}
	}
	return out
}

// within compares with a golden tensor.
func (g mixerGolden) within(name string, got []float32) {
	g.t.Helper()
	var want []float64
	for _, x := range g.vector(name) {
		want = append(want, float64(x))
	}
	compare(g.t, name, got, want, 2e-5)
}

// lastInputs compares the convolution's state with the golden, which has one input more.
func (g mixerGolden) lastInputs(name string, c *shortConv, state []float32) {
	g.t.Helper()
	var want []float64
	for i, x := range g.vector(name) {
		if i%c.width > 0 {
			want = append(want, float64(x))
		}
	}
	compare(g.t, name, transposed(state[:c.size()], c.width-1, c.channels), want, 2e-5)
}

// session opens a conversation of a mixer that remembers n numbers.
func (g mixerGolden) session(n int) (*engine.Session, engine.Shape) {
	shape := engine.Shape{Hidden: 1, Vocab: 1, State: n}
	store := kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, 0, 0)
	s := engine.NewSession(shape, store, engine.Policy{})
	g.t.Cleanup(s.Release)
	return s, shape
}

// TestGoldenMamba2Blocks runs the authors' Mamba-2 block, its norm in one group and in two: a prompt at once and in parts, then more tokens.
func TestGoldenMamba2Blocks(t *testing.T) {
	for _, name := range []string{"block_g1", "block_g2"} {
		for _, at := range []int{100, 3, 1} {
			t.Run(fmt.Sprintf("%s/%d", name, at), func(t *testing.T) {
				pool := kernels.NewPool(2)
				defer pool.Close()
				g := openMixer(t, pool, "mamba2", name+".safetensors")
				w := mamba2Mixer{mamba2Sizes: mamba2Sizes{hidden: int(g.meta("d_model")), eps: float32(g.meta("norm_eps")), most: math.MaxFloat32}}
				w.SSDShape = kernels.SSDShape{Heads: int(g.meta("nheads")), Dim: int(g.meta("headdim")), Groups: int(g.meta("ngroups")), State: int(g.meta("d_state"))}
				inner := w.Heads * w.Dim
				w.normGroups = inner / int(g.meta("group_size"))
				w.z, w.u = g.linear("in_proj", 0, inner), g.linear("in_proj", inner, inner+w.Width())
				w.dt = g.linear("in_proj", inner+w.Width(), inner+w.Width()+w.Heads)
				w.conv, w.dtBias, w.a = g.conv(), g.vector("dt_bias"), g.decay(w.Heads, 1)
				w.skip, w.norm, w.out = g.vector("D"), g.vector("norm_w"), g.linear("out_proj", 0, w.hidden)
				s, shape := g.session(w.size())
				add := func(m *backbone, step *engine.Step, res []float32, x *kernels.Rows, lo, hi int) {
					w.add(m, step, res, x, lo, hi, 0)
				}
				states := func(suffix string) {
					g.lastInputs("conv_state"+suffix, &w.conv, s.State())
					var h []float32
					for i := range w.Heads {
						h = append(h, transposed(s.State()[w.conv.size()+i*w.State*w.Dim:][:w.State*w.Dim], w.State, w.Dim)...)
					}
					g.within("ssm_state"+suffix, h)
				}
				g.within("prompt_out", g.mixed(s, shape, g.vector("prompt"), w.hidden, w.hidden, at, add))
				states("")
				g.within("decode_out", g.mixed(s, shape, g.vector("decode_in"), w.hidden, w.hidden, at, add))
				states("_end")
			})
		}
	}
}

// TestGoldenMamba1Mixers runs Jamba's mixer, and the authors' function with norms of B and C: there what goes in is x and gate themselves.
func TestGoldenMamba1Mixers(t *testing.T) {
	for _, at := range []int{100, 3, 1} {
		t.Run(fmt.Sprintf("jamba_mixer/%d", at), func(t *testing.T) {
			pool := kernels.NewPool(2)
			defer pool.Close()
			g := openMixer(t, pool, "mamba1", "jamba_mixer.safetensors")
			w := g.mamba(int(g.meta("hidden")), int(g.meta("inner")), int(g.meta("dt_rank")), int(g.meta("state")))
			w.x, w.z = g.linear("in_proj", 0, w.inner), g.linear("in_proj", w.inner, 2*w.inner)
			w.a, w.lowNorm = g.decay(w.inner, w.states), g.vector("dt_norm")
			s, shape := g.session(w.size())
			add := func(m *backbone, step *engine.Step, res []float32, x *kernels.Rows, lo, hi int) {
				w.add(m, step, res, x, lo, hi, 0)
			}
			g.within("prompt_out", g.mixed(s, shape, g.vector("prompt"), w.hidden, w.hidden, at, add))
			g.lastInputs("conv_state", &w.conv, s.State())
			g.within("ssm_state", transposed(s.State()[w.conv.size():], w.states, w.inner))
			g.within("decode_out", g.mixed(s, shape, g.vector("decode_in"), w.hidden, w.hidden, at, add))
		})
		t.Run(fmt.Sprintf("mixer_bc_norm/%d", at), func(t *testing.T) {
			pool := kernels.NewPool(2)
			defer pool.Close()
			g := openMixer(t, pool, "mamba1", "mixer_bc_norm.safetensors")
			inner, tokens := g.size("conv_w", 0), g.size("xz", 2)
			w := g.mamba(2*inner, inner, int(g.meta("rank")), int(g.meta("d_state")))
			eye := make([]float32, 4*inner*inner)
			for i := range 2 * inner {
				eye[i*2*inner+i] = 1
			}
			w.x, w.z = g.pack(eye[:len(eye)/2], inner, 2*inner), g.pack(eye[len(eye)/2:], inner, 2*inner)
			w.a = transposed(g.vector("A"), inner, w.states)
			s, shape := g.session(w.size())
			wide := g.size("out_proj", 0)
			g.within("out", g.mixed(s, shape, transposed(g.vector("xz"), 2*inner, tokens), 2*inner, wide, at, func(m *backbone, step *engine.Step, res []float32, x *kernels.Rows, lo, hi int) {
				w.add(m, step, res, x, lo, hi, 0)
			}))
		})
	}
}

// mamba reads what the goldens of Mamba-1 have in common.
func (g mixerGolden) mamba(hidden, inner, rank, states int) mambaMixer {
	w := mambaMixer{mambaSizes: mambaSizes{hidden: hidden, inner: inner, rank: rank, states: states}, normEps: float32(g.meta("eps"))}
	w.conv, w.dt, w.dtBias, w.skip = g.conv(), g.linear("dt_proj", 0, inner), g.vector("dt_bias"), g.vector("D")
	w.low, w.b, w.c = g.linear("x_proj", 0, rank), g.linear("x_proj", rank, rank+states), g.linear("x_proj", rank+states, rank+2*states)
	w.bNorm, w.cNorm = g.vector("b_norm"), g.vector("c_norm")
	w.out = g.linear("out_proj", 0, g.size("out_proj", 0))
	return w
}

// TestGoldenJambaExperts runs the mixture of experts: whom each token goes to, with which weights, and the sum.
func TestGoldenJambaExperts(t *testing.T) {
	pool := kernels.NewPool(2)
	defer pool.Close()
	g := openMixer(t, pool, "mamba1", "jamba_moe.safetensors")
	hidden, experts, width, tokens := g.size("x", 1), g.size("router", 0), g.size("gate", 1), g.size("x", 0)
	w := mixture{chosen: g.size("selected", 1), router: g.linear("router", 0, experts)}
	each := width * hidden
	for e := range experts {
		w.add(gatedMLP{
			gate: g.pack(g.vector("gate")[e*each:(e+1)*each], width, hidden), up: g.pack(g.vector("up")[e*each:(e+1)*each], width, hidden),
			down: g.pack(g.vector("down")[e*each:(e+1)*each], hidden, width),
		})
	}
	m := &backbone{pool: pool, precision: kernels.PrecisionF32, shape: engine.Shape{Hidden: hidden}, reader: &reader{}}
	defer m.Close()
	x, out := g.vector("x"), make([]float32, tokens*hidden)
	selected, _ := g.Tensor("selected")
	ids, err := selected.Int32s()
	if err != nil {
		t.Fatal(err)
	}
	weights := g.vector("weights")
	w.mix(m, out, x)
	for i := range tokens {
		for j := range w.chosen {
			e := ids[i*w.chosen+j] // the golden lists the likelier first, here experts are in ascending order
			k := -1
			for at, c := range w.choice[i*w.chosen : (i+1)*w.chosen] {
				if c == e {
					k = i*w.chosen + at
				}
			}
			if k < 0 || math.Abs(float64(w.weight[k]-weights[i*w.chosen+j])) > 1e-6 {
				t.Errorf("token %d: experts %v with %v, want %d with %g", i, w.choice[i*w.chosen:(i+1)*w.chosen], w.weight[i*w.chosen:(i+1)*w.chosen], e, weights[i*w.chosen+j])
			}
		}
	}
	g.within("out", out)
}
