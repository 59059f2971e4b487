package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestSoftplus(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		rng := newRand(60)
		for _, n := range sizes {
			x, bias := normals(rng, 2*n), normals(rng, n)
			want := make([]float64, 2*n)
			for i := range x {
				x[i] = float32(x[i] * 20) // or arm64 fuses it with what is added to it
				want[i] = math.Log1p(math.Exp(float64(x[i] + bias[i%n])))
			}
			Softplus(x, bias, 2)
			for i, w := range want {
				if diff := math.Abs(float64(x[i]) - w); diff > 5e-7*w && w > 1e-37 {
					t.Fatalf("n=%d: [%d] = %v, want %v", n, i, x[i], w)
				}
			}
		}
		for _, n := range []int{1, 16} {
			for v, want := range map[float32]float32{1e30: 1e30, inf: inf, ninf: 0, -1e30: 0, 88: 88} {
				x := filled(n, v)
				Softplus(x, make([]float32, n), 1)
				sameBits(t, fmt.Sprint("softplus of ", v), x, filled(n, want))
			}
			x := filled(n, nan)
			Softplus(x, make([]float32, n), 1)
			if x[0] == x[0] {
				t.Errorf("softplus of NaN = %v", x[0])
			}
		}
		mustPanic(t, "length", func() { Softplus(make([]float32, 5), make([]float32, 3), 2) })
	})
}

// scanInput is a random input of SelectiveScan.
type scanInput struct{ state, x, dt, a, b, c, skip []float32 }

func randomScan(seed uint64, tokens, channels, n int) scanInput {
	rng := newRand(seed)
	in := scanInput{normals(rng, n*channels), normals(rng, tokens*channels), normals(rng, tokens*channels), normals(rng, n*channels), normals(rng, tokens*n), normals(rng, tokens*n), normals(rng, channels)}
	Softplus(in.dt, make([]float32, channels), tokens)
	for i, v := range in.a {
		in.a[i] = -float32(math.Exp(float64(v)))
	}
	return in
}

func (in scanInput) run(p *Pool, tokens, channels, n int) (y, state []float32) {
	y, state = filled(tokens*channels, nan), slices.Clone(in.state)
	SelectiveScan(p, y, state, in.x, in.dt, in.a, in.b, in.c, in.skip, tokens, channels, n)
	return y, state
}

func (in scanInput) oracle(tokens, channels, n int) (y, h []float64) {
	y, h = make([]float64, tokens*channels), doubles(in.state)
	for t := range tokens {
		for c := range channels {
			x, dt := float64(in.x[t*channels+c]), float64(in.dt[t*channels+c])
			sum := float64(in.skip[c]) * x
			for k := range n {
				s := &h[k*channels+c]
				*s = *s*math.Exp(dt*float64(in.a[k*channels+c])) + dt*x*float64(in.b[t*n+k])
				sum += *s * float64(in.c[t*n+k])
			}
			y[t*channels+c] = sum
		}
	}
	return y, h
}

func TestSelectiveScan(t *testing.T) {
	pool := NewPool(3)
	defer pool.Close()
	eachTier(t, func(t *testing.T) {
		for _, channels := range []int{1, 8, 16, 17, 33, 130, 272} {
			for _, n := range []int{1, 7, 16, 65} {
				for _, tokens := range []int{0, 1, 2, 37} {
					what := fmt.Sprintf("channels=%d n=%d tokens=%d", channels, n, tokens)
					in := randomScan(61, tokens, channels, n)
					y, state := in.run(pool, tokens, channels, n)
					wantY, wantH := in.oracle(tokens, channels, n)
					near(t, what, y, wantY, 1e-5)
					near(t, what, state, wantH, 1e-5)
					alone, h := in.run(nil, tokens, channels, n)
					sameBits(t, what+": threads", alone, y)
					sameBits(t, what+": threads", h, state)
				}
			}
		}
	})
}

// TestSelectiveScanCut wants the same bits however a text is cut into calls.
func TestSelectiveScanCut(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		const tokens, channels, n = 300, 50, 16
		in := randomScan(62, tokens, channels, n)
		y, state := in.run(nil, tokens, channels, n)
		for _, cut := range []int{1, 17, 256} {
			part := in
			part.state = slices.Clone(in.state)
			for from := 0; from < tokens; from += cut {
				m := min(cut, tokens-from)
				part.x, part.dt = in.x[from*channels:][:m*channels], in.dt[from*channels:][:m*channels]
				part.b, part.c = in.b[from*n:][:m*n], in.c[from*n:][:m*n]
				got, h := part.run(nil, m, channels, n)
				sameBits(t, fmt.Sprintf("cut %d at %d", cut, from), got, y[from*channels:][:m*channels])
				part.state = h
			}
			sameBits(t, fmt.Sprintf("cut %d: state", cut), part.state, state)
		}
		x := slices.Clone(in.x) // y may be x
		SelectiveScan(nil, x, slices.Clone(in.state), x, in.dt, in.a, in.b, in.c, in.skip, tokens, channels, n)
		sameBits(t, "in place", x, y)
	})
}

// ssdInput is a random input of SSD and SSDScan.
type ssdInput struct {
	SSDShape
	state, u, dt, a, skip []float32
}

func randomSSD(seed uint64, s SSDShape, tokens int) ssdInput {
	rng := newRand(seed)
	in := ssdInput{s, normals(rng, s.Heads*s.State*s.Dim), normals(rng, tokens*s.Width()), normals(rng, tokens*s.Heads), normals(rng, s.Heads), normals(rng, s.Heads)}
	Softplus(in.dt, filled(s.Heads, -1), tokens)
	for i, v := range in.a {
		in.a[i] = -float32(math.Exp(float64(v)))
	}
	return in
}

// ssdKernel is SSD or SSDScan.
type ssdKernel func(p *Pool, y, state, u, dt, a, skip []float32, s SSDShape, tokens int)

func (in ssdInput) run(f ssdKernel, p *Pool, tokens int) (y, state []float32) {
	y, state = filled(tokens*in.Heads*in.Dim, nan), slices.Clone(in.state)
	f(p, y, state, in.u, in.dt, in.a, in.skip, in.SSDShape, tokens)
	return y, state
}

func (in ssdInput) oracle(tokens int) (y, h []float64) {
	y, h = make([]float64, tokens*in.Heads*in.Dim), doubles(in.state)
	for t := range tokens {
		row := in.u[t*in.Width():]
		for i := range in.Heads {
			dt := float64(in.dt[t*in.Heads+i])
			decay := math.Exp(dt * float64(in.a[i]))
			b := row[in.Heads*in.Dim+i/(in.Heads/in.Groups)*in.State:]
			c := b[in.Groups*in.State:]
			for p := range in.Dim {
				x := float64(row[i*in.Dim+p])
				sum := float64(in.skip[i]) * x
				for k := range in.State {
					s := &h[(i*in.State+k)*in.Dim+p]
					*s = *s*decay + dt*x*float64(b[k])
					sum += *s * float64(c[k])
				}
				y[(t*in.Heads+i)*in.Dim+p] = sum
			}
		}
	}
	return y, h
}

var ssdShapes = []SSDShape{{1, 1, 1, 1}, {4, 8, 2, 16}, {6, 32, 2, 7}, {4, 64, 2, 12}, {10, 64, 1, 16}, {2, 96, 2, 8}}

func TestSSD(t *testing.T) {
	pool := NewPool(3)
	defer pool.Close()
	eachTier(t, func(t *testing.T) {
		for name, f := range map[string]ssdKernel{"SSD": SSD, "SSDScan": SSDScan} {
			for _, s := range ssdShapes {
				for _, tokens := range []int{0, 1, 3, 64, 65, 150} {
					what := fmt.Sprintf("%s %+v tokens=%d", name, s, tokens)
					in := randomSSD(63, s, tokens)
					y, state := in.run(f, pool, tokens)
					wantY, wantH := in.oracle(tokens)
					near(t, what, y, wantY, 1e-4)
					near(t, what, state, wantH, 1e-4)
					alone, h := in.run(f, nil, tokens)
					sameBits(t, what+": threads", alone, y)
					sameBits(t, what+": threads", h, state)
				}
			}
		}
		mustPanic(t, "groups", func() { SSD(nil, nil, nil, nil, nil, nil, nil, SSDShape{3, 1, 2, 1}, 0) })
	})
}

// TestSSDCut wants the same bits however a text is cut: anywhere for SSDScan, after whole chunks for SSD.
func TestSSDCut(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		const tokens = 200
		for _, c := range []struct {
			name string
			f    ssdKernel
			cut  int
		}{{"SSDScan", SSDScan, 1}, {"SSDScan", SSDScan, 67}, {"SSD", SSD, ssdChunk}, {"SSD", SSD, 2 * ssdChunk}} {
			s := SSDShape{4, 64, 2, 16}
			in := randomSSD(64, s, tokens)
			y, state := in.run(c.f, nil, tokens)
			part := in
			width := s.Heads * s.Dim
			for from := 0; from < tokens; from += c.cut {
				m := min(c.cut, tokens-from)
				part.u, part.dt = in.u[from*s.Width():][:m*s.Width()], in.dt[from*s.Heads:][:m*s.Heads]
				got, h := part.run(c.f, nil, m)
				sameBits(t, fmt.Sprintf("%s cut %d at %d", c.name, c.cut, from), got, y[from*width:][:m*width])
				part.state = h
			}
			sameBits(t, fmt.Sprintf("%s cut %d: state", c.name, c.cut), part.state, state)
		}
	})
}

// BenchmarkScan counts the state updates, heads·dim·states or channels·states per token, as bytes: MB/s are millions
// of updates per second. Sizes are Codestral-Mamba's and Jamba's, fewer heads and channels.
func BenchmarkScan(b *testing.B) {
	const tokens = 256
	s := SSDShape{16, 64, 1, 128}
	in := randomSSD(65, s, tokens)
	y := make([]float32, tokens*s.Heads*s.Dim)
	for name, f := range map[string]ssdKernel{"SSD": SSD, "SSDScan": SSDScan} {
		b.Run(name, func(b *testing.B) {
			eachBench(b, tokens*s.Heads*s.Dim*s.State, func() { f(nil, y, in.state, in.u, in.dt, in.a, in.skip, s, tokens) })
		})
	}
	const channels, n = 512, 16
	m := randomScan(66, tokens, channels, n)
	b.Run("SelectiveScan", func(b *testing.B) {
		eachBench(b, tokens*channels*n, func() {
			SelectiveScan(nil, y[:tokens*channels], m.state, m.x, m.dt, m.a, m.b, m.c, m.skip, tokens, channels, n)
		})
	})
	x, bias := normals(newRand(67), 1<<15), make([]float32, 1<<10)
	b.Run("Softplus", func(b *testing.B) {
		eachBench(b, 8*len(x), func() { Softplus(x, bias, len(x)/len(bias)) })
	})
	out, state, weight := make([]float32, len(x)), make([]float32, 3*len(bias)), make([]float32, 4*len(bias))
	b.Run("CausalConvSiLU", func(b *testing.B) {
		eachBench(b, 8*len(x), func() {
			CausalConvSiLU(nil, out, state, x, weight, bias, len(x)/len(bias), len(bias), len(bias), 4)
		})
	})
}
